"""Recorded integrations: answers of tests are held to the types of real ones."""

from typing import Any

import pytest

from codeai.evaluate.errors import EvaluationError
from codeai.evaluate.program import Evaluator
from codeai.integrations.building import operations
from codeai.integrations.errors import CallFailed
from codeai.integrations.recorded import RecordedIntegrations
from codeai.model.validation import InvalidFields
from codeai.query.statements import Statements
from services.programs import application_of

PROGRAM = """
integration Peer {
    base_url: "https://peer.example"
    operation o { method: POST  path: "/o"  body { n: int, required, min(1) }  returns { id: string, required, total: decimal } }
}
"""


@pytest.fixture
def recorded() -> RecordedIntegrations:
    application = application_of(PROGRAM)
    evaluator = Evaluator(application, Statements(application, "sqlite"), {})
    found = operations(application.integrations[0], evaluator, lambda field: None)
    return RecordedIntegrations({f"Peer.{name}": plan for name, plan in found.items()})


NOWHERE: Any = None


async def test_each_call_gets_a_value_of_its_own(recorded: RecordedIntegrations) -> None:
    recorded.mock("Peer", "o", False, {"id": "x", "more": 1})
    first = await recorded.call(NOWHERE, "Peer", "o", {"n": 1})
    assert first == {"id": "x", "total": None}
    first["id"] = "changed"
    assert (await recorded.call(NOWHERE, "Peer", "o", {"n": 2}))["id"] == "x"
    assert [call.arguments for call in recorded.calls] == [{"n": 1}, {"n": 2}]


def test_a_mock_that_the_peer_could_never_answer_fails_the_test(recorded: RecordedIntegrations) -> None:
    with pytest.raises(EvaluationError, match=r"the mock of Peer\.o is not what it returns: 'total' of the answer is not a number"):
        recorded.mock("Peer", "o", False, {"id": "x", "total": "much"})


@pytest.mark.parametrize(
    ("value", "status", "body"), [(404, 404, None), ("broken", 500, "broken"), ({"status": 503, "body": {"a": 1}}, 503, {"a": 1})]
)
async def test_failures_are_those_of_the_peer(recorded: RecordedIntegrations, value: Any, status: int, body: Any) -> None:
    recorded.mock("Peer", "o", True, value)
    with pytest.raises(CallFailed) as raised:
        await recorded.call(NOWHERE, "Peer", "o", {"n": 1})
    assert (raised.value.peer_status, raised.value.body, raised.value.call) == (status, body, "Peer.o")


async def test_arguments_are_checked_before_anything_is_answered(recorded: RecordedIntegrations) -> None:
    recorded.mock("Peer", "o", False, {"id": "x"})
    with pytest.raises(InvalidFields):
        await recorded.call(NOWHERE, "Peer", "o", {"n": 0})
    assert recorded.calls == []


async def test_without_an_answer_the_operation_is_named(recorded: RecordedIntegrations) -> None:
    with pytest.raises(EvaluationError, match=r"mock Peer\.o returns"):
        await recorded.call(NOWHERE, "Peer", "o", {"n": 1})
    assert recorded.missing == ["Peer.o"]
