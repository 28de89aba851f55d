"""Any text is checked and rendered in every form, and its edits are applied, without an exception; places lie in the text."""

import random
from pathlib import Path

from codeai.language.foreign_characters import invisible
from codeai.language.lexer import tokenize
from codeai.language.mending import by_file, mended, safe_edits
from codeai.language.rendering.github import annotation
from codeai.language.rendering.records import json_text
from codeai.language.rendering.sarif import sarif_text
from codeai.language.rendering.text import rich
from codeai.server.loading import load_source

ROOT = Path(__file__).parents[2]
TEXTS = [file.read_text() for file in sorted([*ROOT.glob("tests/corpus/*/*.cai"), *ROOT.glob("examples/bookshop/*.cai")])]
STRAY = [
    "{",
    "}",
    "(",
    ")",
    '"',
    "'",
    "\n",
    "\t",
    "日",
    "\x0b",
    "\r\n",
    "/*",
    "@",
    "::",
    ",",
    "where ",
    "do {",
    "\ufeff",
    "/// x\n",
    "\u202e",
]


def broken(choose: random.Random) -> str:
    """A piece of a program with a few strays in it."""
    text = choose.choice(TEXTS)
    begin = choose.randrange(len(text))
    part = text[begin : begin + choose.randrange(50, 1_500)]
    for _ in range(choose.randrange(1, 8)):
        at = choose.randrange(len(part) + 1)
        part = part[:at] + choose.choice(STRAY) + part[at + choose.randrange(4) :]
    return part


def test_any_text_has_findings_that_can_be_shown() -> None:
    choose = random.Random(11)
    for _ in range(250):
        text = broken(choose)
        program = load_source(text.encode())
        end = program.sources.files[-1].end
        for found in program.diagnostics:
            assert 0 <= found.primary.start <= found.primary.end <= end + 1, (text, found)
            assert rich(found, program.sources, colour=True)
            assert annotation(found, program.sources).startswith("::")
        sarif_text(program.diagnostics, program.sources, "0.0.0")
        json_text(program.diagnostics, program.sources)
        for file, edits in by_file(safe_edits(program.diagnostics), program.sources):
            assert mended(file, edits, text) != text


def seen(text: str) -> str:
    """Without the characters that nobody sees, which are reported and no part of a name."""
    return "".join(character for character in text if not invisible(character))


def test_tokens_lie_in_the_text_one_behind_the_other() -> None:
    choose = random.Random(12)
    for _ in range(250):
        text = broken(choose)
        tokens = tokenize(text)
        assert tokens.starts == sorted(tokens.starts)
        assert all(
            seen(text[start:end]) == said for start, end, said in zip(tokens.starts, tokens.ends, map(seen, tokens.texts), strict=True)
        )
