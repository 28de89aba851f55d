"""The page of the manual about older spellings: in each row of its table, both texts are the same program."""

import re
from pathlib import Path

import pytest

from codeai.language.diagnostics import Severity
from codeai.language.parser import parse_module
from codeai.language.source import Sources
from language.test_formatter import formatted, tree

PAGE = (Path(__file__).parents[3] / "docs/language/older-spellings.md").read_text()
ROWS = [
    (cells[0], *("\n".join(re.findall(r"`([^`]+)`", cell)) for cell in cells[1:]))
    for cells in (line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ") and "`" in line)
]


def separated(text: str) -> str:
    """Declarations that share a cell, on lines of their own."""
    return re.sub(r"\}  (?=(?:endpoint|workflow|job|on) )", "}\n", text) + "\n"


def notes(text: str) -> int:
    return sum(found.severity is Severity.INFO for found in parse_module(Sources().add("a.cai", text)).diagnostics)


def test_the_table_has_rows() -> None:
    assert len(ROWS) > 40
    assert all(len(row) == 3 for row in ROWS)


@pytest.mark.parametrize(("construct", "older", "canonical"), ROWS, ids=lambda value: value[:20])
def test_both_texts_of_a_row_are_one_program(construct: str, older: str, canonical: str) -> None:
    older, canonical = separated(older), separated(canonical)
    assert tree(older) == tree(canonical)
    assert tree(formatted(older)) == tree(canonical)
    assert notes(older)
    assert not notes(canonical)
