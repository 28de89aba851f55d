"""What cannot be kept fails its step, what cannot be written fails its execution in the end, and neither keeps others waiting."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from dispatching import Worker
from programs import Process

from codeai.durable.dispatch.protocol import Claim
from codeai.durable.engine import POISONED
from codeai.evaluate.context import Context
from codeai.storage.errors import DatabaseUnavailable, StorageFailure

PROGRAM = """
integration Peer { base_url: "https://peer.example.com"  operation get { method: GET path: "/" returns json } }
workflow Fetch { steps { get { call: Peer.get { }  retry: 0 times } } }
workflow Kept { input { n: int }  steps { a { do { return input.n } } } }
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """DBOS changes nothing here."""
    return str(request.param)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("a\0b", "a text must not contain the null character"),
        ({"deep": [{"a\0": 1}]}, "a text must not contain the null character"),
        ("a\ud800", "a text must be valid Unicode"),
        (Decimal("1e200000"), "a number has too many digits"),
        (Decimal("1e4200"), "a number has too many digits"),
        (10**4200, "a number has too many digits"),
    ],
    ids=["null character", "null character in a name", "half a character", "too many digits", "a few too many", "of a whole number"],
)
async def test_an_answer_that_no_database_keeps_fails_its_step_and_is_asked_for_once(process: Process, answer: Any, message: str) -> None:
    process.peer.answer["Peer.get"] = answer
    execution, records = await process.complete("Fetch")
    assert (execution.status, execution.error and execution.error["code"]) == ("failed", "value_out_of_range")
    assert records["get"].error is not None
    assert records["get"].error["message"] == message
    assert process.peer.names() == ["Peer.get"]


async def test_an_error_whose_text_no_database_keeps_is_kept_as_far_as_it_goes(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(Exception):
        body = {"said\0": ["\ud800"]}

    async def call(context: Context, integration: str, operation: str, values: Mapping[str, Any]) -> Any:
        raise Refused("no\0thing")

    monkeypatch.setattr(process.peer, "call", call)
    execution, _ = await process.complete("Fetch")
    assert execution.error is not None
    found = (execution.status, execution.error["message"], execution.error["body"])
    assert found == ("failed", "no\ufffdthing", {"said\ufffd": ["\ufffd"]})


class Unwritable:
    """A part of the recorder that fails for one execution."""

    def __init__(self, process: Process, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
        self._error = error
        self._real = process.durable.store.step_values
        self.execution = ""
        monkeypatch.setattr(process.durable.store, "step_values", self._values)

    def _values(self, execution: str, record: Any) -> Any:
        if execution == self.execution:
            raise self._error
        return self._real(execution, record)


@pytest.mark.parametrize("error", [StorageFailure("out of order"), ValueError("no such value")], ids=["database", "program"])
async def test_what_cannot_be_written_is_given_up_in_the_end_and_says_why(
    process: Process, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    unwritable = Unwritable(process, monkeypatch, error)
    unwritable.execution = await process.start("Kept", {"n": 1})
    others = [await process.start("Kept", {"n": number}) for number in range(5)]
    await process.run()
    assert {(await process.show(other))[0].status for other in others} == {"completed"}  # though they were written together
    trouble = await process.durable.control.trouble(unwritable.execution)
    assert trouble is not None
    assert (trouble.attempts, trouble.refusals, trouble.cause) == (1, 0, f"not recorded: {error}")
    assert trouble.next_at is not None
    for _ in range(POISONED + 1):
        await process.advance(minutes=1)
    execution, _ = await process.show(unwritable.execution)
    assert execution.error is not None
    assert execution.status == "failed"
    assert execution.error["message"] == f"given up: {POISONED} attempts to work on it failed, the last with: not recorded: {error}"
    assert await process.durable.control.trouble(unwritable.execution) is None


async def test_what_cannot_be_read_keeps_nobody_else_from_being_loaded(process: Process) -> None:
    ids = [await process.start("Kept", {"n": number}) for number in range(5)]
    long = "1" * 5_000
    changed = f"UPDATE executions SET input = '{{\"n\": {long}}}' WHERE id = '{ids[2]}'"  # as nobody writes it
    await process.database.writing().execute(changed, ())
    await process.run()
    states = await process.rows("SELECT status, count(*) FROM executions GROUP BY status ORDER BY status")
    assert ("pending", 1) in states
    assert await process.rows("SELECT attempts FROM codeai_activations") == [(1,)]
    for _ in range(POISONED + 1):
        await process.advance(minutes=1)
    head = await process.durable.control.head(ids[2])
    assert head.status == "failed"
    assert await process.rows("SELECT count(*) FROM codeai_activations") == [(0,)]
    ((error,),) = await process.rows(f"SELECT error FROM executions WHERE id = '{ids[2]}'")
    assert f"given up: {POISONED} attempts to read it failed, the last with: " in str(error)


async def test_what_cannot_be_read_can_be_cancelled_at_once(process: Process) -> None:
    id_ = await process.start("Kept", {"n": 1})
    await process.database.writing().execute(f"UPDATE executions SET input = '{{\"n\": {'1' * 5_000}}}' WHERE id = '{id_}'", ())
    await process.run()
    assert (await process.durable.control.cancel(id_)).status == "cancelling"
    await process.run()
    assert (await process.durable.control.head(id_)).status == "cancelled"
    assert await process.rows("SELECT count(*) FROM codeai_activations") == [(0,)]


async def test_what_the_database_does_to_everybody_is_no_attempt_and_waits_longer_each_time(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    unwritable = Unwritable(process, monkeypatch, DatabaseUnavailable("away"))
    unwritable.execution = id_ = await process.start("Kept", {"n": 1})
    waits = []
    for number in range(1, 13):
        await process.run()
        trouble = await process.durable.control.trouble(id_)
        assert trouble is not None
        assert trouble.next_at is not None
        assert process.time is not None
        assert (trouble.attempts, trouble.refusals, trouble.cause) == (0, number, "not recorded: away")
        waits.append((trouble.next_at - process.time.now).total_seconds())
        process.time.now = trouble.next_at
    for number, wait in enumerate(waits):  # an outage is over soon
        longest = 2 ** min(max(number - 3, 0), 6)
        assert longest / 2 - 0.01 <= wait <= longest
    unwritable.execution = ""
    await process.run()
    assert (await process.show(id_))[0].status == "completed"


async def test_news_of_what_failed_count_anew(worker: Worker) -> None:
    async def fail(claim: Claim) -> None:
        raise ValueError("no\0thing")

    worker.action = fail
    await worker.offer("a")
    await worker.dispatcher.run_due()
    failing = "SELECT attempts, refused, cause FROM codeai_activations"
    assert [tuple(row) for row in await worker.database.fetch(failing, ())] == [(1, None, "no\ufffdthing")]

    async def wait(claim: Claim) -> bool:
        await worker.dispatcher.later(worker.database.writing(), claim, 0)
        worker.action = None
        return True

    worker.action = wait
    await worker.database.writing().execute("UPDATE codeai_activations SET ready_ms = 1", ())
    await worker.dispatcher.run_due()
    assert [tuple(row) for row in await worker.database.fetch(failing, ())] == []
    assert len(worker.seen) == 3
