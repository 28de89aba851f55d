"""What the checker says to mistakes that people make who know other systems."""

import pytest

from language.samples import analysed, findings

STEP = """
workflow W { trigger: manual  input { id: uuid, required }
    steps { order { check: true }  after { check: order.ok } } }
"""
ORDER = """
entity D { id: uuid, primary, auto  meta: json  allow read: public }
endpoint GET /d/{id} { auth: public  path { id: uuid }  do { let d = get D(path.id)  return d.meta.a < d.meta.b } }
"""
MINE = """
entity D { id: uuid, primary, auto  allow read: public }
endpoint GET /ds { auth: public  query { mine: bool }  returns: paginated(D) }
"""
CASES = {
    "a step by its bare name": (STEP, "undefined variable 'order'", "did you mean 'steps.order'?"),
    "the order of two json values": (ORDER, "type 'json' has no order", "say what it is, as in 'x as int'"),
    "a parameter that does nothing": (
        MINE,
        "this endpoint answers 501: query parameter 'mine' is neither a field nor used in 'filter'",
        "say what it does, as in 'filter { stock > 0 or not query.mine if provided }', or add a 'do' block",
    ),
}


@pytest.mark.parametrize(("program", "message", "advice"), CASES.values(), ids=CASES)
def test_the_finding_says_what_was_meant(program: str, message: str, advice: str) -> None:
    found = findings(analysed(program))
    assert [(one.message, one.help or "") for one in found if one.message == message] == [(message, advice)]
