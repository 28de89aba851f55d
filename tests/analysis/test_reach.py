"""What a function does, its callers do: writes and effects reach through functions, in any order and in circles."""

import pytest

from language.samples import analysed, findings

HEAD = """integration Pay { base_url: "https://x.y"  operation charge { method: POST  path: "/a" } }
entity Item { id: int, primary, auto  name: string, required }
extern function rate(of: string) -> string from "shop.rate"
function charge() { call Pay.charge { } }
function rated() { return rate("a") }
function made() { create Item { name: "a" } }
function deep(n: int) -> int { if n > 0 { return deeper(n - 1) } made() return 0 }
function deeper(n: int) -> int { charge() return deep(n) }
function plain(n: int) { return n + 1 }
"""


def codes(endpoint: str) -> list[tuple[str, str]]:
    found = findings(analysed(HEAD + endpoint))
    return [(finding.code, finding.message) for finding in found if finding.code in ("CAI0516", "CAI0517")]


SERIALIZABLE = {
    "call Pay.charge { } return 1": ["call"],
    'return rate("a")': ["extern"],
    "charge() return 1": ["call"],
    "return rated()": ["extern"],
    "return deep(1)": ["call"],
    "made() return plain(1)": [],
}


@pytest.mark.parametrize("body", SERIALIZABLE)
def test_a_serializable_block_reaches_nothing_outside_of_the_database(body: str) -> None:
    said = codes(f"endpoint POST /x {{ auth: public  isolation: serializable  do {{ {body} }} }}\n")
    words = [("CAI0517", f"'{word}' cannot stand in a serializable block, which may run again") for word in SERIALIZABLE[body]]
    assert said == words


WRITES = {"made() return 1": True, "return deep(1)": True, "return deeper(0)": True, "return plain(1)": False, "charge() return 1": False}


@pytest.mark.parametrize("body", WRITES)
def test_a_block_writes_when_a_function_that_it_calls_does(body: str) -> None:
    found = analysed(HEAD + f"endpoint POST /x {{ auth: public  do {{ {body} }} }}\n")
    (endpoint,) = found.application.endpoints
    assert endpoint.action.writes is WRITES[body]
    warned = "CAI0516" in [code for code, _ in codes(f"endpoint POST /x {{ auth: public  do {{ {body} }} }}\n")]
    assert warned is (WRITES[body] and "deep" in body)
