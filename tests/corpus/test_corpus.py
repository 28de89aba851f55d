"""Programs with what the checker says of them; ``UPDATE=1`` writes the expected findings anew, for a reader to judge."""

import os
from pathlib import Path

import pytest

from codeai.language.diagnostics import Severity
from codeai.language.rendering.concise import concise
from codeai.server.loading import load_program

CORPUS = Path(__file__).parent
VALID = sorted((CORPUS / "valid").glob("*.cai"))
BROKEN = sorted((CORPUS / "broken").glob("*.cai"))
OLDER = sorted((CORPUS / "valid").glob("spellings_*.cai"))


def findings(file: Path, *, notes: bool = False) -> str:
    program = load_program(file)
    weighed = [found for found in program.diagnostics if (found.severity is Severity.INFO) is notes]
    found = sorted(weighed, key=lambda diagnostic: (diagnostic.primary.start, diagnostic.message))
    lines = [f"{concise(diagnostic, program.sources)} [{diagnostic.code}]" for diagnostic in found]
    helps = [f"    {diagnostic.help}" if diagnostic.help else None for diagnostic in found]
    text = [part for pair in zip(lines, helps, strict=True) for part in pair if part]
    return "\n".join(text).replace(f"{file.parent}/", "") + "\n"


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_a_valid_program_has_no_errors(file: Path) -> None:
    program = load_program(file)
    assert [concise(found, program.sources) for found in program.diagnostics if found.severity is Severity.ERROR] == []


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_a_broken_program_gets_its_findings(file: Path) -> None:
    found = findings(file)
    expected = file.with_suffix(".txt")
    if os.environ.get("UPDATE"):
        expected.write_text(found)
    assert found == expected.read_text()


@pytest.mark.parametrize("file", OLDER, ids=lambda file: file.stem)
def test_an_older_program_gets_its_notes(file: Path) -> None:
    found = findings(file, notes=True)
    expected = CORPUS / "notes" / f"{file.stem}.txt"
    if os.environ.get("UPDATE"):
        expected.write_text(found)
    assert found == expected.read_text()


def test_every_broken_program_is_broken() -> None:
    assert BROKEN
    assert not [file.name for file in BROKEN if load_program(file).valid]
