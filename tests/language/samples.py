"""Analyses a text as the file ``app.cai`` of a folder of its own, for tests of findings."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from codeai.analysis.queries import Queries
from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Host, Scope
from codeai.language.diagnostics import Diagnostic
from codeai.language.mending import mended, safe_edits
from codeai.language.parser import parse_expression
from codeai.language.source import Sources
from codeai.query.text.symbols import restricted
from codeai.server.loading import Loaded, load_program, load_script, load_source

# The program of samples that are none.
BESIDE = "entity Product { id: uuid, primary, auto  name: string  stock: int }\n"

# No findings about the text: files beside the program that are not there.
ASIDE = ("CAI0612",)


def analysed(text: str | bytes) -> Loaded:
    """The program whose only file is ``app.cai`` with that text."""
    return _within(lambda: load_program(Path("app.cai")), text)


def _within(load: Callable[[], Loaded], text: str | bytes) -> Loaded:
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            Path("app.cai").write_bytes(text if isinstance(text, bytes) else text.encode())
            return load()
        finally:
            os.chdir(before)


def sampled(form: str, text: str) -> tuple[Sources, list[Diagnostic]]:
    """The findings on a sample of a code, which may be something else than a program; beside it is a program."""
    if form == "bytes":
        program = analysed(text.encode().decode("unicode_escape").encode("latin-1"))
    elif form == "script":
        program = _within(lambda: load_script(text.encode(), None, Path("app.cai")), BESIDE)
    elif form == "query":
        program = analysed(BESIDE)
        reporter = Reporter(declares=False)
        parsed = parse_expression(program.sources.add("query", text))
        if parsed.expression is None:
            return program.sources, parsed.diagnostics
        Queries(restricted(program.symbols), reporter, query_text=True).expression(parsed.expression, Scope(Host("a query", user=False)))
        return program.sources, [*parsed.diagnostics, *reporter.diagnostics]
    else:
        program = analysed(text)
    return program.sources, program.diagnostics


def findings(program: Loaded) -> list[Diagnostic]:
    """What is wrong, in the order of the text."""
    return sorted((found for found in program.diagnostics if found.code not in ASIDE), key=lambda found: found.primary.start)


def errors(text: str) -> list[str]:
    """What is wrong with a program, each with its help in parentheses."""
    return [
        found.message + (f" ({found.help})" if found.help else "")
        for found in load_source(text.encode()).diagnostics
        if found.severity == "error"
    ]


def fixed(text: str) -> str:
    """A program with the safe edits of its findings."""
    program = load_source(text.encode())
    return mended(program.sources.files[0], safe_edits(program.diagnostics), text)
