"""What the DBOS dispatcher does beyond ``test_dispatch`` and ``test_leases``: hand-overs that get lost, doubled or left lying."""

import ast
import asyncio
import importlib.metadata
import itertools
import ssl
import threading
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from shared_engine import SharedEngine

from codeai.durable.dispatch.dbos.dispatcher import DbosDispatcher
from codeai.durable.dispatch.dbos.engine import VERSION, Looks, Unusable, arguments, check_installed
from codeai.durable.dispatch.dbos.statements import pair_of, statements, workflow_id
from codeai.durable.dispatch.local import LocalDispatcher
from codeai.durable.dispatch.protocol import Claim, Queues
from codeai.storage.errors import DatabaseUnavailable
from codeai.storage.interface import Database
from codeai.storage.settings import DatabaseSettings
from services.polling import eventually, until

SOURCES = Path(__file__).parents[2] / "src" / "codeai"


@pytest.fixture(scope="module", params=["dbos"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Seen:
    """A handler that remembers, and waits while its gate is shut."""

    def __init__(self, dispatcher: LocalDispatcher, database: Database) -> None:
        self.dispatcher = dispatcher
        self.database = database
        self.claims: list[Claim] = []
        self.gate = asyncio.Event()
        self.gate.set()
        dispatcher.register("work", self._handle)

    async def _handle(self, claim: Claim) -> None:
        self.claims.append(claim)
        await self.gate.wait()
        async with self.database.transaction() as session:
            await self.dispatcher.done(session, claim)

    async def offer(self) -> None:
        async with self.database.transaction() as session:
            await self.dispatcher.offer(session, "work", uuid.uuid4().hex)

    async def known(self) -> list[str]:
        """What DBOS knows of."""
        rows = await self.database.fetch("SELECT workflow_uuid FROM dbos.workflow_status ORDER BY created_at", ())
        return [str(row[0]) for row in rows]


class SeenOnDbos(Seen):
    dispatcher: DbosDispatcher


@pytest.fixture
async def seen(database: Database, engine: SharedEngine) -> AsyncIterator[SeenOnDbos]:
    dispatcher = DbosDispatcher(database, engine.share())
    await dispatcher._open()
    await database.writing().execute("DELETE FROM dbos.workflow_status", ())
    yield SeenOnDbos(dispatcher, database)
    await dispatcher.stop(5)


async def test_a_workflow_that_runs_again_begins_nothing(seen: SeenOnDbos) -> None:
    """Conductor, or a person, may recover what another process works on."""
    seen.gate.clear()
    await seen.offer()
    await seen.dispatcher._fill()
    await eventually(lambda: len(seen.claims) == 1)
    again = seen.dispatcher.receive(seen.claims[0].id, seen.claims[0].fence - 1)
    await asyncio.wait_for(asyncio.wrap_future(again), 60)
    seen.gate.set()
    await seen.dispatcher.run_due()
    after = seen.dispatcher.receive(seen.claims[0].id, seen.claims[0].fence - 1)
    await asyncio.wait_for(asyncio.wrap_future(after), 60)
    assert len(seen.claims) == 1


async def test_an_offer_that_is_rolled_back_is_not_handed_over(seen: SeenOnDbos) -> None:
    with pytest.raises(ZeroDivisionError):
        async with seen.database.transaction() as session:
            await seen.dispatcher.offer(session, "work", "never")
            raise ZeroDivisionError
    assert (await seen.dispatcher._fill(), await seen.known()) == (0, [])


async def test_what_nobody_begins_is_handed_over_anew_and_begins_once(seen: SeenOnDbos, engine: SharedEngine) -> None:
    engine.receivers.clear()  # whatever DBOS delivers now is lost, as in a process that died
    before = engine.lost
    await seen.offer()
    await seen.dispatcher._fill()
    await eventually(lambda: engine.lost > before)
    (number, (fence, _)) = next(iter(seen.dispatcher._handed.items()))
    seen.dispatcher._handed[number] = (fence, time.monotonic() - 60)
    engine.receivers.append(seen.dispatcher)
    assert await seen.dispatcher.run_due() == 1
    assert [claim.fence for claim in seen.claims] == [fence + 3]  # taken back, handed over, begun
    assert seen.claims[0].attempts == 0


class Mute:
    """A database that loses its first answer to a statement: what was written is written."""

    def __init__(self, database: Database, statement: str) -> None:
        self._database = database
        self._statement = statement

    def __getattr__(self, name: str) -> object:
        return getattr(self._database, name)

    def writing(self) -> "Mute":
        return self

    async def fetch(self, statement: str, values: Sequence[Any]) -> object:
        found = await self._database.writing().fetch(statement, values)
        if statement == self._statement:
            self._statement = ""
            raise DatabaseUnavailable("gone")
        return found

    async def execute(self, statement: str, values: Sequence[Any]) -> int:
        return await self._database.writing().execute(statement, values)


async def test_what_was_taken_over_without_an_answer_is_given_back_at_once(database: Database, engine: SharedEngine) -> None:
    mute = Mute(database, statements().begin)
    now = 1_000_000_000_000  # time stands still: no lease ends by itself
    dispatcher = DbosDispatcher(mute, engine.share(), clock=lambda: now)  # type: ignore[arg-type]  # all that it uses
    seen = Seen(dispatcher, database)
    await seen.offer()
    assert await dispatcher.run_due() == 2
    assert len(seen.claims) == 1
    await dispatcher.stop(5)


async def test_a_process_that_is_full_hands_nothing_over(database: Database, engine: SharedEngine) -> None:
    dispatcher = DbosDispatcher(database, engine.share(), Queues(concurrency=3))
    few = Seen(dispatcher, database)
    few.gate.clear()
    await dispatcher._open()
    for _ in range(9):
        await few.offer()
    await dispatcher._fill()
    await eventually(lambda: len(few.claims) == 3)
    assert await dispatcher._fill() == 0
    states = await database.fetch("SELECT state, count(*) FROM codeai_activations GROUP BY state ORDER BY state", ())
    assert [tuple(row) for row in states] == [(0, 6), (1, 3)]
    few.gate.set()
    await dispatcher.run_due()
    assert len(few.claims) == 9
    await dispatcher.stop(5)


async def test_servers_with_either_dispatcher_share_the_work_while_one_is_exchanged_for_the_other(seen: SeenOnDbos) -> None:
    local = LocalDispatcher(seen.database, Queues(concurrency=5))
    other = Seen(local, seen.database)
    async with seen.database.transaction() as session:
        for number in range(150):
            await local.offer(session, "work", str(number))
    await seen.dispatcher.start()
    await local.start()
    await eventually(lambda: len(seen.claims) + len(other.claims) >= 150)
    await local.stop(5)
    found = [claim.subject for claim in (*seen.claims, *other.claims)]
    assert sorted(found, key=int) == [str(number) for number in range(150)]
    assert seen.claims and other.claims


async def test_what_has_ended_is_deleted_from_dbos(seen: SeenOnDbos) -> None:
    for _ in range(5):
        await seen.offer()
    await seen.dispatcher.run_due()
    assert len(await seen.known()) == 5
    seen.dispatcher._over.extend([(0.0, name) for _, name in seen.dispatcher._over])
    seen.dispatcher._over.rotate(5)
    await seen.dispatcher._clean()
    assert await seen.known() == []


async def test_what_dead_processes_have_left_is_deleted_and_what_runs_is_not(seen: SeenOnDbos) -> None:
    seen.gate.clear()
    await seen.offer()
    await seen.dispatcher._fill()
    await eventually(lambda: len(seen.claims) == 1)
    running = await seen.known()
    copy = "INSERT INTO dbos.workflow_status SELECT (jsonb_populate_record(s, $1::jsonb)).* FROM dbos.workflow_status AS s"
    for number in range(3):
        await seen.database.writing().execute(copy, (f'{{"workflow_uuid": "{workflow_id((9_000_000 + number, 1))}"}}',))
        copy += " LIMIT 1" if number == 0 else ""
    await seen.database.writing().execute("UPDATE dbos.workflow_status SET created_at = 1, executor_id = 'dead'", ())
    await seen.dispatcher._clean_left()
    assert await seen.known() == running
    seen.gate.set()
    await seen.dispatcher.run_due()


def test_a_look_at_the_queue_comes_with_word_or_in_time_and_never_too_often() -> None:
    looks, seen = Looks(), list[float]()

    def look() -> None:
        while not looks.wait(60):
            seen.append(looks._last)  # when it was to look; a busy machine lets the thread go on later

    looking = threading.Thread(target=look)
    looking.start()
    until(lambda: looks.wake() or len(seen) > 3, 30)  # long before a minute is over
    looks.set()
    looking.join(10)
    assert not looking.is_alive()
    assert all(later - earlier > 0.01 for earlier, later in itertools.pairwise(seen))


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, {"sslmode": "prefer", "options": "-c idle_in_transaction_session_timeout=60000"}),
        ({"user": "ann", "password": "p@ss"}, {"user": "ann", "password": "p@ss"}),
        ({"pooler": "transaction"}, {"prepare_threshold": None, "options": None}),
        ({"ssl_mode": "require"}, {"sslmode": "require", "sslrootcert": None}),
        ({"ssl_mode": "verify-full"}, {"sslmode": "verify-full", "sslrootcert": ssl.get_default_verify_paths().cafile or "system"}),
        ({"host": "/run/postgresql", "connect_timeout": 0.2}, {"host": "/run/postgresql", "connect_timeout": 1}),
    ],
)
def test_its_driver_is_told_what_ours_is(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    found = arguments(DatabaseSettings(dialect="postgresql", **given))
    assert {name: found.get(name) for name in wanted} == wanted


def test_the_name_of_a_workflow_says_what_was_handed_over() -> None:
    assert pair_of(workflow_id((7, 12))) == (7, 12)
    assert [pair_of(name) for name in ("codeai-7", "somebody-else", "codeai-x-1", "")] == [None] * 4


def test_dbos_is_imported_in_one_place() -> None:
    found = set()
    for file in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if any(name.split(".")[0] == "dbos" for name in names):
                found.add(file.relative_to(SOURCES).as_posix())
    assert found == {"durable/dispatch/dbos/engine.py"}


def test_a_missing_extra_and_another_version_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    check_installed()

    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    for version, said in ((missing, "needs the extra"), (lambda name: "9.9.9", f"needs DBOS {VERSION}, and 9.9.9 is installed")):
        monkeypatch.setattr(importlib.metadata, "version", version)
        with pytest.raises(Unusable, match=r"pip install 'codeai\[dbos\]'") as raised:
            check_installed()
        assert str(raised.value).startswith(said)


def test_the_pin_is_the_one_of_the_extra() -> None:
    requirements = importlib.metadata.requires("codeai") or []
    assert [text for text in requirements if text.startswith("dbos")] == [f"dbos=={VERSION}; extra == 'dbos'"]
