"""What the language server takes for an answer, by processor time of this process: ``python benchmarks/editing.py [LINES …]``.

Each beside one whole check of the same program in the same run, since that is what every change of the text costs anyway.
"""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable
from pathlib import Path

from compiler import milliseconds
from large_program import large_program
from lsprotocol.types import Position, Range, TextDocumentContentChangePartial

from codeai.analysis.program import analyse
from codeai.language.parser import parse_module
from codeai.language.source import Sources
from codeai.lsp import colouring, hinting, locating, outlining
from codeai.lsp.actions import offered
from codeai.lsp.belonging import Home
from codeai.lsp.checked import Buffers, Checked, check
from codeai.lsp.completion.completing import complete
from codeai.lsp.documents import Document, changed
from codeai.lsp.findings import findings
from codeai.lsp.formatting import formatting
from codeai.lsp.hovering import hover
from codeai.lsp.parses import Parses
from codeai.lsp.renaming import rename
from codeai.lsp.signing import signature
from codeai.server.loading import load_files

PATH = Path("/large/app.cai")
HOME = Home((PATH,), PATH.parent)


def alone(text: str) -> object:
    """The check as ``codeai validate`` does it."""
    sources = Sources()
    parsed = parse_module(sources.add(str(PATH), text))
    return analyse([parsed.module], sources, "large", parsed.diagnostics)


def several(text: str, count: int = 20) -> dict[Path, Document]:
    """The same program in files of a folder."""
    parts = re.split(r"(?m)^(?=entity )", text)
    size = -(-len(parts) // count)
    files = ["".join(parts[at : at + size]) for at in range(0, len(parts), size)]
    return {PATH.with_name(f"part{at:02}.cai"): Document(f"part{at:02}.cai", 1, part) for at, part in enumerate(files)}


def edited(documents: dict[Path, Document], home: Home) -> Callable[[], object]:
    """A check after a change of the first file, as the server does it."""
    first, count, parses = next(iter(documents)), itertools.count(), Parses()

    def changed_again() -> object:
        longer = Document(documents[first].uri, 1, f"// {'x' * next(count)}\n{documents[first].text}")
        return check(home, {**documents, first: longer}, "utf-16", parses=parses)

    changed_again()
    return changed_again


def questions(text: str, checked: Checked, documents: dict[Path, Document]) -> dict[str, Callable[[], object]]:
    """What an editor asks, in the middle of the program, by what it is called."""
    middle = text.index("entity Product", len(text) // 2)
    name, body = middle + len("entity Pro"), text.index("return", middle)
    lines, modules = checked.lines[PATH], checked.loaded.modules
    change = TextDocumentContentChangePartial(
        Range(Position(lines.position(middle).line, 0), Position(lines.position(middle).line, 0)), "/"
    )

    def fresh(ask: Callable[[], object]) -> Callable[[], object]:
        def asked() -> object:
            checked.kept.clear()
            return ask()

        return asked

    return {
        "a changed letter": lambda: changed(text, change, "utf-16"),
        "findings to send": lambda: findings(checked, str),
        "all names, once per check": fresh(lambda: checked.uses),
        "completion of a member": lambda: complete(lines, body + 7, modules, snippets=True),
        "completion of a clause": lambda: complete(lines, text.index("allow", middle), modules, snippets=True),
        "signature": lambda: signature(text, body + 7, checked.loaded.symbols),
        "hover": lambda: hover(checked, PATH, name),
        "definition": lambda: locating.definition(checked, PATH, name, str),
        "references": lambda: locating.references(checked, name, str, declaration=True),
        "rename": lambda: rename(checked, PATH, name, "Renamed", documents, str),
        "symbols": lambda: outlining.document_symbols(checked, PATH),
        "folding": lambda: outlining.folding(checked, PATH),
        "colours, all": lambda: colouring.tokens(checked, PATH),
        "colours, 60 lines": lambda: colouring.tokens(checked, PATH, (middle, middle + 1500)),
        "inlay hints, 60 lines": lambda: list(hinting.hints(checked, PATH, middle, middle + 1500)),
        "code actions": lambda: list(offered(checked, PATH, name, name, str)),
        "formatting": lambda: formatting(checked, PATH),
    }


def main() -> None:
    """Prints a line per question and size."""
    sizes = [int(size) for size in sys.argv[1:]] or [1_000, 10_000]
    for size in sizes:
        text = large_program(size)
        documents = {PATH: Document(str(PATH), 1, text)}
        times = 9 if size <= 2_000 else 3
        whole = milliseconds(lambda text=text: alone(text), times)
        read = milliseconds(lambda documents=documents: load_files([PATH], PATH.parent, Buffers(documents)), times)
        watched = milliseconds(lambda documents=documents: check(HOME, documents, "utf-16"), times)
        print(f"{text.count(chr(10)):,} lines: parse + check + lower {whole:.0f} ms")
        print(f"  {'as validate reads it':28}{read:9.2f} ms  {read / whole:6.3f}")
        print(f"  {'as the server does':28}{watched:9.2f} ms  {watched / whole:6.3f}")
        files = several(text)
        again = milliseconds(edited(files, Home(tuple(files), PATH.parent)), times)
        print(f"  {'of 20 files, one changed':28}{again:9.2f} ms  {again / whole:6.3f}")
        for called, ask in questions(text, check(HOME, documents, "utf-16"), documents).items():
            taken = milliseconds(ask, times)
            print(f"  {called:28}{taken:9.2f} ms  {taken / whole:6.3f}")


if __name__ == "__main__":
    main()
