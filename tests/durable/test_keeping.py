"""How long executions, definitions and ties to traces are kept, and what keeps them longer."""

import datetime
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from programs import Process, unique

from codeai.durable.retention import DefinitionRetention, ExecutionRetention
from codeai.durable.traces import TraceRetention
from codeai.storage.interface import Session

PROGRAM = """
entity Note { id: uuid, primary, auto   text: string, required }
workflow Noted {
    input { text: string, fails: bool, default(false) }
    steps {
        note { do { create Note { text: input.text } }  compensate { delete Note where text == input.text } }
        test { check: not input.fails }
    }
}
"""
MONTH = datetime.timedelta(days=31)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Between(ExecutionRetention):
    """Has something done between the look for what is past its time and its deletion."""

    def __init__(self, process: Process, work: Callable[[], Awaitable[None]]) -> None:
        super().__init__(process.durable.store)
        self._work = work

    async def purge(self, before: datetime.datetime) -> int:
        self._once = True
        return await super().purge(before)

    async def _deleted(self, session: Session, ids: list[str], before: datetime.datetime) -> int:
        if self._once:
            self._once = False
            await self._work()
        return await super()._deleted(session, ids, before)


async def ended_long_ago(process: Process, **values: Any) -> str:
    assert process.time is not None
    execution, _ = await process.complete("Noted", {"text": unique(), **values})
    process.time.now += MONTH
    return execution.id


def kept_for_a_day(process: Process) -> datetime.datetime:
    assert process.time is not None
    return process.time.now - datetime.timedelta(days=1)


async def there(process: Process, id_: str) -> bool:
    return bool(await process.rows(f"SELECT id FROM executions WHERE id = '{id_}'"))


@pytest.mark.parametrize("ends", [True, False])
async def test_one_that_is_retried_while_others_are_deleted_is_kept_also_when_it_has_ended_again(process: Process, ends: bool) -> None:
    if process.database.dialect == "sqlite":
        pytest.skip("one writer: nothing happens between")
    old, retried = await ended_long_ago(process), await ended_long_ago(process, fails=True)
    assert process.time is not None
    process.time.now += MONTH

    async def retry() -> None:
        await process.durable.control.retry(retried)
        if ends:
            await process.run()

    assert await Between(process, retry).purge(kept_for_a_day(process)) >= 1
    assert (await there(process, old), await there(process, retried)) == (False, True)
    await process.run()
    execution, records = await process.show(retried)
    assert (execution.status, execution.attempt, sorted(records)) == ("failed", 2, ["note", "test"])


async def test_a_fork_that_is_made_while_its_source_is_deleted_has_all_that_it_needs(process: Process) -> None:
    if process.database.dialect == "sqlite":
        pytest.skip("one writer: nothing happens between")
    source, forks = await ended_long_ago(process, fails=True), list[str]()

    async def fork() -> None:
        forks.append((await process.durable.control.fork(source, "test")).id)

    await Between(process, fork).purge(kept_for_a_day(process))
    await process.run()
    _, records = await process.show(forks[0])
    assert (await there(process, source), records["note"].status, records["test"].status) == (False, "done", "failed")


class Definitions:
    """The definitions of the database beside the one of the program."""

    def __init__(self, process: Process, *, accompanied: bool = False) -> None:
        async def answer() -> bool:
            return accompanied

        self.process = process
        kept: Callable[[], Sequence[str]] = lambda: [found.version for found in process.durable.definitions.all()]  # noqa: E731
        self.retention = DefinitionRetention(process.durable.store, kept, answer)

    async def add(self, version: str) -> None:
        store = self.process.durable.store
        at = store.instant(self.process.durable.parts.clock())
        await self.process.database.writing().execute(store.sql.define, (version, "Noted", "workflow", "{}", at, at))

    async def purge(self) -> int:
        return await self.retention.purge(kept_for_a_day(self.process))

    async def versions(self) -> set[str]:
        return {str(row[0]) for row in await self.process.rows("SELECT version FROM codeai_definitions")}


async def test_a_definition_goes_when_no_execution_needs_it_and_nobody_begins_with_it(process: Process) -> None:
    definitions = Definitions(process)
    current = process.durable.definitions.current("workflow", "Noted").version
    await definitions.add("old")
    execution = await ended_long_ago(process)
    await process.database.writing().execute(f"UPDATE executions SET version = 'old' WHERE id = '{execution}'", ())
    await definitions.purge()
    assert "old" in await definitions.versions()  # its execution might be retried, forked, undone
    await ExecutionRetention(process.durable.store).purge(kept_for_a_day(process))
    await definitions.add("new")  # a process that has it has just begun
    assert await definitions.purge() >= 1
    assert await definitions.versions() == {current, "new"}


async def test_definitions_are_kept_while_other_versions_of_the_program_run(process: Process) -> None:
    definitions = Definitions(process, accompanied=True)
    await definitions.add("of another")
    assert process.time is not None
    process.time.now += MONTH
    assert await definitions.purge() == 0
    assert "of another" in await definitions.versions()
    await Definitions(process).purge()
    assert "of another" not in await definitions.versions()


async def test_a_process_that_begins_with_a_definition_keeps_it(process: Process) -> None:
    """It was there long before: the process that comes back to it says so."""
    assert process.time is not None
    definitions = Definitions(process)
    await definitions.add("again")
    process.time.now += MONTH
    store, now = process.durable.store, process.time.now
    values = ("again", "Noted", "workflow", "{}", store.instant(now), store.instant(now - datetime.timedelta(days=1)))
    await process.database.writing().execute(store.sql.define, values)
    await definitions.purge()
    assert "again" in await definitions.versions()


async def test_ties_to_traces_go_also_when_nobody_traces(process: Process) -> None:
    store = process.durable.store
    old, new = str(uuid.uuid4()), str(uuid.uuid4())
    place = "?1, 'c', ?2" if store.dialect == "sqlite" else "$1, 'c', $2"
    for subject, at in ((old, 1_000), (new, 3_000)):
        values = (store.uuid(subject), at)
        await process.database.writing().execute(f"INSERT INTO codeai_traces (subject, context, at_ms) VALUES ({place})", values)
    assert await TraceRetention(process.database).purge(datetime.datetime.fromtimestamp(2, datetime.UTC)) == 1
    assert [str(row[0]) for row in await process.rows("SELECT subject FROM codeai_traces")] == [new]
