"""The registry of codes: each code of the compiler has a page whose samples are true, and a snapshot of its rendering."""

import os
import re
import runpy
from pathlib import Path

import pytest

from codeai.language.codes import Entry, codes, entry
from codeai.language.diagnostics import DiagnosticClass, Severity
from codeai.language.rendering.concise import concise
from codeai.language.rendering.text import rich
from language.samples import analysed, findings

ROOT = Path(__file__).parents[2]
SNAPSHOTS = Path(__file__).parent / "snapshots"
# No program shows these: bytes that are no text, query text, scripts, what a later version runs, files beside the program.
WITHOUT_SAMPLE = {"CAI0006", "CAI0033", "CAI0036", "CAI0322", "CAI0348", "CAI0349", "CAI0401", "CAI0612"}
SAMPLED = [code for code in codes() if code not in WITHOUT_SAMPLE]


def known(code: str) -> Entry:
    found = entry(code)
    assert found is not None
    return found


def test_every_code_of_the_compiler_has_a_page_and_no_page_is_left_over() -> None:
    used: set[str] = set()
    for file in (ROOT / "src/codeai").rglob("*.py"):
        used |= set(re.findall(r'"(CAI\d{4})"', file.read_text()))
    assert used == set(codes())


def test_titles_are_different() -> None:
    titles = [known(code).title for code in codes()]
    assert len(set(titles)) == len(titles)


def test_only_the_named_codes_have_no_sample() -> None:
    assert {code for code in codes() if not known(code).wrong or not known(code).right} == WITHOUT_SAMPLE


@pytest.mark.parametrize("code", SAMPLED)
def test_the_wrong_sample_gives_this_code_and_no_other(code: str) -> None:
    page = known(code)
    program = analysed(page.wrong)
    found = findings(program)
    assert [item.code for item in found] == [code], [concise(item, program.sources) for item in found]
    assert (found[0].kind, found[0].severity) == (page.kind, page.severity)


@pytest.mark.parametrize("code", SAMPLED)
def test_the_right_sample_gives_nothing(code: str) -> None:
    program = analysed(known(code).right)
    assert [concise(item, program.sources) for item in findings(program)] == []


@pytest.mark.parametrize("code", SAMPLED)
def test_the_rendering_of_the_wrong_sample_is_that_of_the_snapshot(code: str) -> None:
    source = known(code).wrong
    program = analysed(source)
    rendered = "\n\n".join(rich(item, program.sources) for item in findings(program))
    shown = f"{source}---\n{rendered}\n"
    file = SNAPSHOTS / f"{code}.txt"
    if os.environ.get("UPDATE"):
        file.write_text(shown)
    assert file.exists(), f"{code} has no snapshot; write it with UPDATE=1"
    assert shown == file.read_text()


def test_no_snapshot_is_left_over() -> None:
    assert sorted(file.stem for file in SNAPSHOTS.glob("*.txt")) == SAMPLED


def test_bytes_that_are_no_text_are_one_finding() -> None:
    for content in (b"\xff\xfe\x00", b"config { }\x00"):
        assert [item.code for item in findings(analysed(content))] == ["CAI0006"]


def test_an_unknown_code_is_none() -> None:
    assert entry("CAI9999") is None
    assert entry("../codes/CAI0101") is None


def test_a_page_knows_class_and_severity() -> None:
    page = known("CAI0131")
    assert (page.kind, page.severity) == (DiagnosticClass.SEMANTIC, Severity.WARNING)


def test_the_page_of_the_manual_is_current() -> None:
    written = (ROOT / "docs/language/diagnostics.md").read_text()
    made = runpy.run_path(str(ROOT / "scripts/diagnostics-page"))["page"]()
    assert written == made, "run scripts/diagnostics-page"
