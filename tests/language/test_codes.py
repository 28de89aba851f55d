"""The registry of codes: each code of the compiler has a page whose samples are true, and a snapshot of its rendering."""

import os
import re
import runpy
from pathlib import Path

import pytest

from codeai.language.codes import Entry, codes, entry
from codeai.language.diagnostics import Diagnostic, DiagnosticClass, Severity
from codeai.language.mending import mended
from codeai.language.rendering.concise import concise
from codeai.language.rendering.text import rich
from codeai.language.source import Sources
from language.samples import ASIDE, analysed, findings, sampled

ROOT = Path(__file__).parents[2]
SNAPSHOTS = Path(__file__).parent / "snapshots"
OLDER = "CAI0030"
CODES = codes()


def shown(source: str, code: str) -> tuple[Sources, list[Diagnostic]]:
    """The findings on a sample, without what goes along with each older spelling and each step in Python unless it is that."""
    sources, diagnostics = sampled(known(code).form, source)
    aside = {OLDER, *ASIDE} - {code}
    found = [item for item in diagnostics if item.code not in aside]
    return sources, sorted(found, key=lambda item: item.primary.start)


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


def test_every_code_has_a_wrong_and_a_right_sample() -> None:
    assert [code for code in codes() if not known(code).wrong or not known(code).right] == []


@pytest.mark.parametrize("code", CODES)
def test_the_wrong_sample_gives_this_code_and_no_other(code: str) -> None:
    page = known(code)
    sources, found = shown(page.wrong, code)
    assert [item.code for item in found] == [code], [concise(item, sources) for item in found]
    assert (found[0].kind, found[0].severity) == (page.kind, page.severity)


@pytest.mark.parametrize("code", CODES)
def test_a_page_says_whether_fix_mends_its_wrong_sample_and_what_that_makes_is_valid(code: str) -> None:
    page = known(code)
    sources, [found] = shown(page.wrong, code)
    mends = bool(found.edits) and all(edit.safe for edit in found.edits)
    said = " ".join(page.text.split())
    assert ("codeai validate --fix" in said.replace("not applied by `codeai validate --fix`", "")) is mends
    if mends and not page.form:
        text = mended(sources.files[0], found.edits, page.wrong)
        assert [item.message for item in shown(text, code)[1] if item.severity is Severity.ERROR] == []


def test_a_page_says_what_happens_and_what_to_do() -> None:
    """One sentence would only be the title again: what is wrong, why, and how it is mended are three things."""
    assert [code for code in CODES if "\n\n" not in known(code).text or len(known(code).text) < 180] == []


def test_the_codes_that_are_near_are_there() -> None:
    assert [code for code in CODES if not known(code).see or code in known(code).see or set(known(code).see) - set(CODES)] == []


@pytest.mark.parametrize("code", CODES)
def test_the_right_sample_gives_nothing(code: str) -> None:
    sources, found = shown(known(code).right, code)
    assert [concise(item, sources) for item in found] == []


@pytest.mark.parametrize("code", CODES)
def test_the_rendering_of_the_wrong_sample_is_that_of_the_snapshot(code: str) -> None:
    source = known(code).wrong
    sources, found = shown(source, code)
    rendered = "\n\n".join(rich(item, sources) for item in found)
    snapshot = f"{source}---\n{rendered}\n"
    file = SNAPSHOTS / f"{code}.txt"
    if os.environ.get("UPDATE"):
        file.write_text(snapshot)
    assert file.exists(), f"{code} has no snapshot; write it with UPDATE=1"
    assert snapshot == file.read_text()


def test_no_snapshot_is_left_over() -> None:
    assert sorted(file.stem for file in SNAPSHOTS.glob("*.txt")) == list(CODES)


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
