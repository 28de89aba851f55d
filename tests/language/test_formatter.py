"""The formatter: one style, the same tree, no comment lost, nothing to do the second time."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeai.language.diagnostics import Severity
from codeai.language.formatter import format_module
from codeai.language.lexer import tokenize
from codeai.language.parser import parse_module
from codeai.language.source import Sources
from codeai.language.tree.node import Node

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted([*(ROOT / "tests/corpus/valid").glob("*.cai"), *(ROOT / "examples").rglob("*.cai"), ROOT / "docs/language/shop.cai"])
TEXTS = [path.read_text() for path in PROGRAMS]


def formatted(text: str) -> str:
    file = Sources().add("a.cai", text)
    parsed = parse_module(file)
    assert [found.message for found in parsed.diagnostics if found.severity is Severity.ERROR] == [], text
    return format_module(parsed.module, file).text


def shape(value: Any) -> Any:
    """A tree without positions, and with canonical names of types."""
    if isinstance(value, Node):
        fields = {
            name: shape(getattr(value, name)) for name in value.__struct_fields__ if name not in ("start", "end", "comments", "quoted")
        }
        return type(value).__name__, fields
    return [shape(item) for item in value] if isinstance(value, tuple) else value


def tree(text: str) -> Any:
    return shape(parse_module(Sources().add("a.cai", text)).module)


def comments(text: str) -> Counter[str]:
    words = [comment.text.strip("/#* \n") for comment in tokenize(text).comments]
    return Counter(word for text in words for word in text.replace(" · ", " ").split() if word.strip("*"))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_formatting_keeps_the_tree_and_the_comments(path: Path) -> None:
    text = path.read_text()
    result = formatted(text)
    assert tree(result) == tree(text)
    assert not comments(text) - comments(result)
    assert formatted(result) == result


@settings(deadline=None)  # the machine may be busy
@given(st.integers(0, len(TEXTS) - 1), st.integers(0, 2**32))
def test_any_layout_of_a_program_has_one_canonical_form(at: int, seed: int) -> None:
    """Line ends become blank lines, comments are put behind lines, indentation is changed: the tree stays."""
    source = random.Random(seed)
    lines = []
    inside = False
    for number, line in enumerate(TEXTS[at].splitlines()):
        inside ^= line.count('"""') % 2 == 1
        if inside or '"""' in line:
            lines.append(line)
            continue
        choice = source.random()
        lines.append(" " * source.randrange(9) + line.strip() if choice < 0.5 else line)
        if choice < 0.1 and "//" not in line and line.strip():
            lines[-1] += f" // c{number}"
        elif choice > 0.9:
            lines.append(source.choice(["", "\n", f"// own {number}", "/* block */"]))
    text = "\n".join(lines)
    result = formatted(text)
    assert tree(result) == tree(text)
    assert not comments(text) - comments(result)
    assert formatted(result) == result


SAMPLES = [
    ("entity A{id uuid primary auto}", "entity A { id: uuid, primary, auto }\n"),
    ("entity A { id: uuid, primary\n name varchar(20) }", "entity A {\n    id: uuid, primary\n    name: string(20)\n}\n"),
    ("# note\nenum E {a,b}", "// note\nenum E { a, b }\n"),
    ("enum E { a, b } // tail", "enum E { a, b }  // tail\n"),
    ("function f(a: int)->int{return (a+1)*2}", "function f(a: int) -> int { return (a + 1) * 2 }\n"),
    ("function f(a) { return a && !b || c }", "function f(a) { return a and not b or c }\n"),
    ("function f() { return select A where (x == 1 or y == 2) and z != 3 }", None),
    ("function f() { let a = 1; let b = 2 }", "function f() {\n    let a = 1\n    let b = 2\n}\n"),
    ("function f() { if a { return 1 } else { return 2 } }", None),
    ('endpoint GET "/a/:id" { returns: void }', "endpoint GET /a/{id} { returns: void }\n"),
    ("config { jobs { queues { a: 1 } } }", "config { jobs { queues { a: 1 } } }\n"),
    ('role a { permissions: ["x:*", y] }', 'role a { permissions: ["x:*", y] }\n'),
    ("job A { schedule: @daily do { log info 'x' } }", None),
    ("function f() { if (create A { b: 1 }) == null { return 7.days } }", None),
    ("function f(a) { return not (a == 1) }", "function f(a) { return not (a == 1) }\n"),
    ("function f(a) { return (a ?? 1) ?? 2 }", "function f(a) { return (a ?? 1) ?? 2 }\n"),
    ("function f(a) { return a - (1 - 2) - 3 }", "function f(a) { return a - (1 - 2) - 3 }\n"),
    ("function f(a) { return (x => x + 1) }", "function f(a) { return x => x + 1 }\n"),
    ("function f(a) { return g((x => select A with b, c), 1) }", "function f(a) { return g((x => select A with b, c), 1) }\n"),
    ("webhook w { events: [a] }", "webhook w { event: a }\n"),
    ("endpoint GET /a { body: list({\na: int\n})  // behind\nuse: [b] }", None),
    ("function f() { return {b:1} /*c*/ status 201 headers { d: 2 // e\n} }", None),
    ("function f(a) { return (select A).length }", "function f(a) { return (select A).length }\n"),
    ('test "t" { GET "/a/{b.c}?d={e}" { f: 1 } }', 'test "t" { GET /a/{b.c}?d={e} { f: 1 } }\n'),
    ("test \"it's\" { let r = GET /a/{b.c}?d=1 headers { X-A: '1' }\n expect r.status==200 }", None),
    ("function f(a, b) { return (a as int) ? a : b }", "function f(a, b) { return (a as int) ? a : b }\n"),
    ("function f(a, b) { return (a == (b as int)) ? a : b }", "function f(a, b) { return (a == b as int) ? a : b }\n"),
    ("function f(a, b) { return (a as decimal(4,2)) ? a : b }", "function f(a, b) { return (a as decimal(4,2)) ? a : b }\n"),
    ("function f() { return (call A.b {}).c }", "function f() { return (call A.b).c }\n"),
    ("function f() { return (call A.b { d: 1 }).c }", "function f() { return call A.b { d: 1 }.c }\n"),
    ("", ""),
    ("// only a comment", "// only a comment\n"),
]


@pytest.mark.parametrize(("text", "expected"), SAMPLES)
def test_a_piece_of_program_is_formatted(text: str, expected: str | None) -> None:
    result = formatted(text)
    if expected is not None:
        assert result == expected
    assert tree(result) == tree(text)
    assert formatted(result) == result


def test_a_long_line_is_broken_where_the_language_lets_it_continue() -> None:
    names = " and ".join(f"some_quite_long_field_{number} == {number}" for number in range(6))
    text = f"function f() {{ return select A where {names} order by b desc limit 3 }}"
    result = formatted(text)
    assert max(map(len, result.splitlines())) <= 120
    assert tree(result) == tree(text)
    assert formatted(result) == result


@pytest.mark.parametrize(
    ("opening", "closing"),
    [("if a { ", " }"), ("let x = { a: ", " }"), ("let x = f(a, { b: ", " })"), ("let x = [a, ", "]"), ("let x = count(A where ", ")")],
)
def test_what_is_nested_on_one_line_is_printed_once(opening: str, closing: str) -> None:
    inner = opening.removeprefix("let x = ")
    text = f"function f() {{ {opening}{inner * 40}return('{'x' * 120}'){closing * 41} }}"
    result = formatted(text)
    assert tree(result) == tree(text)
    assert formatted(result) == result
