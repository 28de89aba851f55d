"""No line of a formatted program is wider than the width, unless nothing in it could be broken: a comment, or one long literal."""

import re
from pathlib import Path

import pytest

from codeai.language.diagnostics import Severity
from codeai.language.formatter import format_module
from codeai.language.formatter.printer import WIDTH
from codeai.language.parser import parse_module
from codeai.language.source import Sources

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted(path for folder in ("tests", "examples", "docs", "src") for path in (ROOT / folder).rglob("*.cai"))
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"])
FENCE = re.compile(r"^```cai[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LONG = "a_name_of_some_length"
NAMES = [f"{LONG}_{number}" for number in range(8)]
LINES = [
    f'require {LONG} == {LONG} and {LONG} else fail 409 "a text that says what is wrong here" code "some_code"',
    f'require {" and ".join(NAMES)} else fail 409 "text"',
    f'require count({LONG.title()} where a == {LONG} and b is null and {LONG}) < 3 else fail 409 "text of the failure" code "c"',
    f'send email({LONG}) {{ subject: "Some subject", text: "Some text that is not short", attachment: {LONG} }}',
    f"emit {LONG.title()} {{ {', '.join(f'{name}: {name}' for name in NAMES)} }}",
    f"emit({LONG.title()}, {{ {', '.join(f'{name}: {name}' for name in NAMES)} }})",
    f'log info "text" {{ {", ".join(f"{name}: {name}" for name in NAMES)} }}',
    f"call Payments.charge {{ {', '.join(f'{name}: {name}' for name in NAMES)} }}",
    f"start Billing {{ {', '.join(f'{name}: {name}' for name in NAMES)} }}",
    f"update row {{ {', '.join(f'{name}: {name}' for name in NAMES)} }}",
    f"for item in select Order with items where {' and '.join(NAMES[:5])} order by name desc limit 10 {{ return item }}",
    f"if {' and '.join(NAMES)} {{ return 1 }} else if {' or '.join(NAMES)} {{ return 2 }}",
    f"let rows = items.map(item => {{ {', '.join(f'{name}: item.{name}' for name in NAMES)} }})",
    f"let rows = items.filter(item => {' and '.join(f'item.{name}' for name in NAMES)})",
    f"return f({', '.join(NAMES)}) status 201",
    f"let found = [{', '.join(NAMES)}]",
    f"let text = {LONG} == 1 ? {NAMES[0]} + {NAMES[1]} : {LONG} == 2 ? {NAMES[2]} + {NAMES[3]} : {NAMES[4]} + {NAMES[5]}",
    f"let number = {' + '.join(NAMES)}",
    f"update Product set {', '.join(f'{name} = {name}' for name in NAMES)} where id == {LONG}",
    f"return select {', '.join(NAMES)} from Product where id == {LONG} group by {', '.join(NAMES)}",
]
DECLARATIONS = [
    f"type T {{ status: enum({', '.join(NAMES)}), required }}",
    f"type T {{ body {{ status: enum({', '.join(NAMES)})? }} }}",
    f"function f({', '.join(f'{name}: int' for name in NAMES)}) -> int {{ return 1 }}",
    f'extern function f({", ".join(f"{name}: int" for name in NAMES)}) -> int from "a.b"',
    f"role admin {{ permissions: [{', '.join(NAMES)}] }}",
    f"endpoint GET /a {{ roles: [{', '.join(NAMES)}]  sort: {', '.join(NAMES)} }}",
    f"entity A {{ id: uuid, primary, auto\n index: [{', '.join(NAMES)}] unique }}",
    f"entity A {{ id: uuid, primary, auto\n allow read: {' or '.join(NAMES)}\n check: {' and '.join(NAMES)} }}",
    f"entity A {{ id: uuid, primary, auto\n hide {', '.join(NAMES)} unless {LONG} }}",
    f"on {LONG.title()} where {' and '.join(NAMES)} {{ return 1 }}",
    f"on {LONG.title()} do workflow W {{ {', '.join(f'{name}: {name}' for name in NAMES)} }}",
    f"webhook w {{ events: [{', '.join(NAMES)}]  url: env(A) }}",
    f"config {{ cors {{ origins: [{', '.join(NAMES)}] }} }}",
    f"job J {{ steps {{ a {{ call: Payments.charge {{ {', '.join(f'{name}: {name}' for name in NAMES)} }} }} }} }}",
]


def too_wide(text: str) -> list[str]:
    """The lines that are too wide and could be broken: texts and comments are as long as they are."""
    file = Sources().add("a.cai", text)
    parsed = parse_module(file)
    if any(found.severity is Severity.ERROR for found in parsed.diagnostics):
        return []
    found = []
    raw = False
    for line in format_module(parsed.module, file).text.splitlines():
        raw ^= line.count('"""') % 2 == 1
        code = re.sub(r"(?:^|\s)\s*//.*", "", line)
        longest = max(map(len, re.findall(r'"[^"]*"', code)), default=0)
        if len(code) > WIDTH and len(code) - longest > WIDTH // 3 and not raw:
            found.append(line)
    return found


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_line_of_a_program_is_too_wide(path: Path) -> None:
    assert too_wide(path.read_text()) == []


def test_no_line_of_a_sample_is_too_wide() -> None:
    samples = [sample for page in PAGES for sample in FENCE.findall(page.read_text())]
    assert len(samples) > 70
    assert [line for sample in samples for line in too_wide(sample)] == []


@pytest.mark.parametrize("line", LINES)
def test_a_long_statement_is_broken(line: str) -> None:
    assert "\n" not in line
    assert too_wide(f"function f() {{\n{line}\n}}") == []


@pytest.mark.parametrize("declaration", DECLARATIONS)
def test_a_long_clause_is_broken(declaration: str) -> None:
    assert too_wide(declaration) == []
