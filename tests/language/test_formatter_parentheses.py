"""Parentheses that look needless, and without which a text would mean something else, or nothing."""

import pytest

from codeai.language.diagnostics import Severity
from codeai.language.formatter import format_module
from codeai.language.parser import parse_module
from codeai.language.source import Sources

BODIES = [
    ("delete Stock where   (all) or day", "delete Stock where (all or day)"),
    ("delete Stock where (all)[0]", "delete Stock where (all[0])"),
    ("delete Stock where (all == 1)", "delete Stock where all == 1"),
    ("delete Stock where all", "delete Stock where all"),
    ("let a = select A order by a, (select B) limit 3", "let a = select A order by a, (select B) limit 3"),
    ("let a = select (select B) as b from A where (first C) limit 1", "let a = select (select B) as b from A where (first C) limit 1"),
    ("update A set b = (first C), d = {a: 1} where all", "update A set b = (first C), d = { a: 1 } where all"),
    ("let b = query((-a ?? c) contains 8)", "let b = query((-a ?? c) contains 8)"),
    ("let b = find((c))", "let b = (find)(c)"),
    ('let b = sum(rows, "a * 2",)', "let b = sum(rows, item => item.a * 2)"),
    ('log (not "x")', 'log(not "x")'),
    ('log not\n"x"', 'log(not "x")'),
]
STEPS = [("on_fail: (skip.x)", "on_fail: (skip.x)"), ("on_fail: (a)", "on_fail: (a)"), ("on_fail: notify( 1 )", "on_fail: notify(1)")]
DECLARATIONS = [
    ('type T { city: string, pattern(("^[A-Z]") ?? street) }', 'type T { city: string, pattern(("^[A-Z]" ?? street)) }'),
    (
        "endpoint GET /a { returns: paginated(A)\nsort: (-a) desc,b }",
        "endpoint GET /a {\n    returns: paginated(A)\n    sort: (-a) desc, b\n}",
    ),
    ('job a { schedule: @daily  queue: ("slow".b)  do { f() } }', 'job a { schedule: @daily  queue: ("slow".b)  do { f() } }'),
    (
        "integration A { circuit_breaker { threshold: if a then b else 5 failures in 1m } }",
        "integration A { circuit_breaker { threshold: (a ? b : 5) failures in 1m } }",
    ),
    ('resource A at /a { auth: [b, "c,d"] }', 'resource A at /a { auth: [b, "c,d"] }'),
    ("endpoint GET /a { rate_limit: 60 per (1m in a) by ip }", "endpoint GET /a { rate_limit: 60 per (1m in a) by ip }"),
    ("endpoint GET /a { returns: paginated(A)\nsort: ([a])[0] }", "endpoint GET /a {\n    returns: paginated(A)\n    sort: ([a][0])\n}"),
    ("workflow A { trigger: manual  on_fail: (rollback)  steps { } }", "workflow A { trigger: manual  on_fail: (rollback)  steps {} }"),
]


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        *((f"function f() {{\n{body}\n}}", f"function f() {{\n    {canonical}\n}}") for body, canonical in BODIES),
        *(
            (
                f"workflow A {{ trigger: manual  steps {{ a {{ action: f()  {step} }} }} }}",
                f"workflow A {{ trigger: manual  steps {{ a {{ action: f()  {canonical} }} }} }}",
            )
            for step, canonical in STEPS
        ),
        *DECLARATIONS,
    ],
)
def test_the_canonical_form_says_the_same(written: str, canonical: str) -> None:
    for text in (written, canonical):
        file = Sources().add("a.cai", text)
        parsed = parse_module(file)
        assert [found.message for found in parsed.diagnostics if found.severity is Severity.ERROR] == []
        found = format_module(parsed.module, file)
        assert (found.text, found.kept) == (f"{canonical}\n", ())
