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
