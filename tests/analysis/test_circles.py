"""What uses itself, also through others: functions, computed fields, roles."""

import pytest

from codeai.analysis.circles import circles
from language.samples import analysed, findings

THREE = """function a(n: int) -> int { return b(n) }
function b(n: int) -> int { return 1 + c(n) }
function c(n: int) -> int { if n > 1 { return a(n) } else { return a(n - 1) } }"""
ENDPOINT = "\nendpoint GET /x { auth: public  do { return a(1) } }\n"


def messages(text: str) -> list[str]:
    return [found.message for found in findings(analysed(text)) if found.code in ("CAI0211", "CAI0213", "CAI0351")]


@pytest.mark.parametrize(
    ("functions", "way"),
    [
        ("function a(n: int) -> int { return a(n) }", ""),
        ("function a(n: int) -> int { return b(n) }\nfunction b(n: int) -> int { return a(n) }", ": a → b → a"),
        (THREE, ": a → b → c → a"),
        ("function a(n: int) -> int { let m = b(n) and n > 1\n return 1 }\nfunction b(n: int) -> bool { return a(n) > 1 }", ": a → b → a"),
    ],
)
def test_functions_that_never_come_back_are_found_with_their_way(functions: str, way: str) -> None:
    assert messages(functions + ENDPOINT) == [f"function 'a' calls itself on every way{way}"]


@pytest.mark.parametrize(
    "functions",
    [
        "function a(n: int) -> int { return n > 1 ? b(n) : 1 }\nfunction b(n: int) -> int { return a(n - 1) }",
        "function a(n: int) -> int { if n < 1 { return 0 }\n return b(n) }\nfunction b(n: int) -> int { return a(n - 1) }",
        "function a(n: int) -> int { return [n].map(m => a(m)).length }",
    ],
)
def test_functions_that_may_come_back_are_not(functions: str) -> None:
    assert messages(functions + ENDPOINT) == []


def test_computed_fields_and_roles_say_the_way() -> None:
    fields = "entity A { id: uuid, primary, auto  x: int = y + 1  y: int = z + 1  z: int = x }"
    assert messages(fields) == ["computed field 'x' depends on itself: x → y → z → x"]
    roles = "role a { permissions: []  inherits: [b] }\nrole b { permissions: []  inherits: [a] }\nrole c { inherits: [a] }"
    assert messages(roles) == ["role 'a' inherits from itself: a → b → a"]


def test_a_long_chain_without_circle_costs_little() -> None:
    chain = {str(number): [str(number + 1)] for number in range(50_000)}
    assert list(circles(chain)) == []
    assert [len(circle) for circle in circles({**chain, "50000": ["49990"]})] == [11]


def test_a_computed_field_of_another_entity_or_in_a_function_leads_back_too() -> None:
    entities = (
        "entity X { id: uuid, primary, auto  y: ref(Y)  v: int = y.w }\nentity Y { id: uuid, primary, auto  x: ref(X)  w: int = x.v }"
    )
    assert messages(entities) == ["computed field 'v' depends on itself: X.v → Y.w → X.v"]
    called = (
        "entity X { id: uuid, primary, auto  v: int = f() }\nfunction f() -> int { return g() }\nfunction g() -> int { return (first X).v }"
    )
    assert messages(called) == ["computed field 'v' depends on itself: v → f → g → v"]


@pytest.mark.parametrize(
    ("handler", "severity"),
    [
        ("on A { g(event.n) }", "error"),
        ("on A where event.n > 1 { g(event.n) }", "warning"),
        ("on A { if event.n > 1 { g(event.n) } }", "warning"),
        ("on A { if event.n > 1 { g(event.n) } else { g(0) } }", "error"),
        ('on A { require event.n > 1 else fail "enough"\n g(event.n) }', "warning"),
        ("on A { for n in [1] { g(n) } }", "warning"),
    ],
)
def test_events_that_lead_to_themselves_through_functions(handler: str, severity: str) -> None:
    program = f"event A {{ payload {{ n: int }} }}\nfunction g(n: int) {{ h(n) }}\nfunction h(n: int) {{ emit A {{ n: n }} }}\n{handler}"
    assert [str(found.severity) for found in findings(analysed(program)) if found.code == "CAI0608"] == [severity]


@pytest.mark.parametrize(
    "program",
    [
        "type A { b: B, required }\ntype B { a: list(A), required }",
        "type A { b: B, required }\ntype B { a: A }",
        "entity A { id: uuid, primary, auto  b: ref(B), required }\nentity B { id: uuid, primary, auto  a: ref(A)  many_a: many(A.b) }",
        "entity A { code: string, primary  parent: ref(A), required }",
    ],
)
def test_what_can_be_made_is_not_reported(program: str) -> None:
    assert [found.code for found in findings(analysed(program)) if found.code == "CAI0215"] == []


def test_policies_that_look_at_each_other_see_all_rows() -> None:
    program = """entity A { id: uuid, primary, auto  b: ref(B)  n: int  allow read: b.n == 1 and (exists B where n == 2) }
entity B { id: uuid, primary, auto  a: ref(A)  n: int  allow read: a.n == 1 and (exists A where n == 2) }
endpoint GET /a { auth: public  do { return select A with b where b.n > 1 } }"""
    assert [found.code for found in findings(analysed(program)) if found.severity == "error"] == []
