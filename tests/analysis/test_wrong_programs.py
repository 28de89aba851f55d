"""Wrong programs, one to a line, each with all that the checker says of it: place, class, message and help.

A line is put into a program that is right (``base.cai``): as a block of an endpoint, as steps of a workflow, as clauses of a
declaration or as one. For each clause there is a value of the wrong kind, none, zero, a negative one, a name twice and an unknown one.
``;;`` is a line end. ``UPDATE=1`` writes the findings anew; whoever does that reads the difference.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from codeai.language.diagnostics import Severity
from codeai.language.rendering.concise import concise
from language.samples import ASIDE, analysed, sampled

FOLDER = Path(__file__).parent / "wrong"
BASE = (FOLDER / "base.cai").read_text()
HEADS = {
    "statements": "endpoint POST /sample/{pid} { auth: optional  path { pid: uuid }  query { s: string  n: int }"
    "  body { a: int, required  t: text  o: uuid  d: date  m: decimal(10,2) } do {\n%s\n} }\n",
    "entities": "entity Thing { id: uuid, primary, auto\n%s\n}\n",
    "endpoint": "endpoint POST /x/{id} { auth: optional\n%s\n}\n",
    "resource": "resource Product at /products { auth: optional\n%s\n}\n",
    "workflow": 'workflow W { steps { a { do { log info "x" } } }\n%s\n}\n',
    "job": 'job J { do { log info "x" }\n%s\n}\n',
    "operation": 'integration I { base_url: "https://x.example"\n%s\n}\n',
    "config": "config {\n%s\n}\n",
    "steps": "workflow W { input { a: int, required  l: list(int) } steps {\n%s\n} }\n",
    "declarations": "%s\n",
    "syntax": "%s\n",
    "script": "%s\n",
    "query": "%s",
}
ALONE = ("config", "syntax")  # nothing stands before them
FORMS = ("script", "query")  # these are no programs: a small one is beside them
UNUSED = ("CAI0131",)  # most of them are used by nothing


def programs(name: str) -> Iterator[str]:
    """The lines of a file that are programs; findings are indented."""
    for line in (FOLDER / f"{name}.txt").read_text().splitlines():
        if line and not line.startswith(" "):
            yield line


def findings(name: str, line: str) -> list[str]:
    base = "" if name in (*ALONE, *FORMS) else BASE
    sources, diagnostics = sampled(name if name in FORMS else "", base + HEADS[name] % line.replace(" ;; ", "\n"))
    before = base.count("\n")
    found: list[str] = []
    for item in sorted(diagnostics, key=lambda item: (item.primary.start, item.code)):
        if item.code in (*ASIDE, *UNUSED) or item.severity is Severity.INFO:
            continue
        _, row, column, said = concise(item, sources).split(":", 3)
        found.append(f"    {int(row) - before}:{column}:{said} [{item.code}]")
    return found


@pytest.mark.parametrize("name", HEADS)
def test_each_wrong_program_gets_its_findings(name: str) -> None:
    text = "\n".join("\n".join([line, *findings(name, line)]) for line in programs(name)) + "\n"
    file = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE"):
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("name", HEADS)
def test_no_wrong_program_passes(name: str) -> None:
    lines = (FOLDER / f"{name}.txt").read_text().splitlines()
    passing = [line for line, after in zip(lines, [*lines[1:], ""], strict=True) if not line.startswith(" ") and not after.startswith(" ")]
    assert passing == []


def test_the_program_around_them_is_right() -> None:
    assert [item.message for item in analysed(BASE).diagnostics if item.severity is Severity.ERROR] == []
