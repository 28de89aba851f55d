"""Older spellings give the tree of their canonical form, are named in a note, and are rewritten by the formatter.

``tests/corpus/canonical`` holds the canonical form of each older program of the corpus; ``UPDATE=1`` writes it anew.
"""

import os
from pathlib import Path

import pytest

from codeai.language.diagnostics import Severity
from codeai.language.rendering.concise import concise
from codeai.server.loading import load_program
from language.test_formatter import comments, formatted, tree

CORPUS = Path(__file__).parents[2] / "corpus"
OLDER = sorted((CORPUS / "valid").glob("spellings_*.cai"))
NOTE = "CAI0030"


@pytest.mark.parametrize("path", OLDER, ids=lambda path: path.stem)
def test_an_older_program_is_formatted_to_its_canonical_form(path: Path) -> None:
    canonical = CORPUS / "canonical" / path.name
    result = formatted(path.read_text())
    if os.environ.get("UPDATE"):
        canonical.write_text(result)
    assert result == canonical.read_text()
    assert not comments(path.read_text()) - comments(result)


@pytest.mark.parametrize("path", OLDER, ids=lambda path: path.stem)
def test_an_older_program_has_the_tree_of_its_canonical_form(path: Path) -> None:
    assert tree(path.read_text()) == tree((CORPUS / "canonical" / path.name).read_text())


@pytest.mark.parametrize("path", OLDER, ids=lambda path: path.stem)
def test_the_canonical_form_is_valid_and_has_nothing_older(path: Path) -> None:
    program = load_program(CORPUS / "canonical" / path.name)
    found = [concise(item, program.sources) for item in program.diagnostics if item.severity is Severity.ERROR or item.code == NOTE]
    assert found == []


@pytest.mark.parametrize("path", OLDER, ids=lambda path: path.stem)
def test_an_older_program_means_what_its_canonical_form_means(path: Path) -> None:
    older, canonical = load_program(path), load_program(CORPUS / "canonical" / path.name)
    assert any(item.code == NOTE for item in older.diagnostics)
    weighed = [
        sorted((item.code, item.message) for item in program.diagnostics if not item.code.startswith("CAI003"))
        for program in (older, canonical)
    ]
    assert weighed[0] == weighed[1]
