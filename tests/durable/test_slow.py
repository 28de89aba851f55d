"""Steps that hang are seen while they do, and say afterwards how long somebody waited."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from programs import Process

from codeai.evaluate.context import Context

PROGRAM = """
entity Note { id: uuid, primary, auto   text: string, required }
integration Peer { base_url: "https://peer.example.com"  operation get { method: GET path: "/" returns json } }
workflow Hangs { steps { first { do { create Note { text: "first" } } }  hang { call: Peer.get { } } } }
workflow Times { steps { hang { call: Peer.get { }  timeout: 50ms  retry: 0 times } } }
workflow Late { timeout: 60ms  steps { hang { call: Peer.get { }  retry: 0 times } } }
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """DBOS changes nothing here."""
    return str(request.param)


@pytest.fixture
def gate(process: Process, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The peer answers once it is open."""
    opened = asyncio.Event()

    async def call(context: Context, integration: str, operation: str, values: Mapping[str, Any]) -> Any:
        await opened.wait()
        return "answer"

    monkeypatch.setattr(process.peer, "call", call)
    return opened


async def test_a_step_that_hangs_is_seen(process: Process, gate: asyncio.Event) -> None:
    id_ = await process.start("Hangs")
    running = asyncio.create_task(process.run())
    async with asyncio.timeout(60):
        while "hang" not in (await process.show(id_))[1]:  # noqa: ASYNC110  # the database tells nobody
            await asyncio.sleep(0.02)
    _, records = await process.show(id_)
    assert (records["hang"].status, records["hang"].attempt, records["hang"].output) == ("running", 0, None)
    gate.set()
    await running
    execution, records = await process.show(id_)
    assert (execution.status, records["hang"].status, records["hang"].output) == ("completed", "done", "answer")


@pytest.mark.parametrize(("name", "message"), [("Times", "it took longer than 0.05 s"), ("Late", "the workflow took too long")])
async def test_a_step_that_took_too_long_says_how_long_that_is(
    process: Process, gate: asyncio.Event, name: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "codeai.durable"):
        id_ = await process.start(name)
        await process.run()
    execution, _ = await process.show(id_)
    assert execution.error is not None
    assert (execution.status, execution.error["code"], execution.error["message"]) == ("failed", "timeout", message)
    [line] = [record for record in caplog.records if record.message == "execution failed"]
    assert (line.execution, line.workflow, line.step, line.cause) == (id_, name, "hang", message)  # type: ignore[attr-defined]
