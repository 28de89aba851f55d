"""A program of everything that is durable, composed as a server composes it, and the process that works on it."""

import asyncio
import datetime
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from witness import named

from codeai.durable.faults import VARIABLE
from codeai.durable.refusals import WrongState
from codeai.server.composition import Composition
from codeai.server.loading import Loaded, load_source
from codeai.server.settings import read_settings
from codeai.storage.errors import StorageError
from codeai.storage.opening import open_database
from codeai.storage.settings import DatabaseSettings
from services.peer import Peer, Reply, Seen
from services.service import SECRET, Answer, exchange, scope_of

PROGRAM = """
config { name: "whole"  default_auth: public }
entity Order { id: uuid, primary, auto  number: int, required, unique }
entity Payment { id: uuid, primary, auto  number: int, required, unique }
entity Effect { id: int, primary, auto  number: int, required  what: string, required }
event Placed { payload { number: int, required } }
event Paid { payload { number: int, required } }
event Approved { payload { } }
event Shipped { payload { number: int, required } }
integration Bank {
    base_url: env(PEER_URL)
    operation charge { method: POST  path: "/charge"  body { number: int }  returns { id: string }  idempotent: true }
    operation refund { method: POST  path: "/refund"  body { charge: string }  returns { id: string }  idempotent: true }
}
webhook partner { events: [Placed, Shipped]  url: env(PEER_URL) }
on Placed { create Effect { number: event.number  what: "noted" } }
on Shipped { create Effect { number: event.number  what: "heard" } }
endpoint POST /orders { body: Order.create  returns: Order  on_success: emit(Placed) }
endpoint POST /payments { body: Payment.create  returns: Payment  on_success: emit(Paid) }
job Tick { schedule: every 10s  overlap: allow  catch_up: all  do { create Effect { number: 0  what: "tick" } } }
workflow Pack { input { number: int }  steps { pack { do { create Effect { number: input.number  what: "packed" } } } } }
workflow Fulfil {
    trigger: Placed
    steps {
        reserve {
            do { create Effect { number: trigger.number  what: "reserve" } }
            compensate { create Effect { number: trigger.number  what: "undo reserve" } }
        }
        items for_each i in [0, 1, 2] parallel 2 {
            do { create Effect { number: trigger.number  what: "item {i}" } }
            compensate { create Effect { number: trigger.number  what: "undo item {i}" } }
        }
        charge { call: Bank.charge { number: trigger.number }  compensate: call Bank.refund { charge: result.id } }
        pack { start: Pack { number: trigger.number }  await: true }
        parallel {
            label { do { create Effect { number: trigger.number  what: "label" } } }
            insure { call: Bank.charge { number: trigger.number } }
        }
        paid { wait: Paid where event.number == trigger.number }
        approved { wait: Approved }
        nap { sleep: 20ms }
        fits { check: trigger.number % 3 != 0  on_fail: rollback }
        ship { emit Shipped { number: trigger.number } }
    }
    on_complete { create Effect { number: trigger.number  what: "VERSION" } }
    on_fail { create Effect { number: trigger.number  what: "failed" } }
}
"""
VERSIONS = ("one", "two")
# To whom events must be told, as their deliveries name them.
TARGETS = {"placed": {"handler", "workflow", "webhook"}, "shipped": {"handler", "webhook"}, "paid": set[str](), "approved": set[str]()}


def programs() -> list[Loaded]:
    """Two versions of the program, as a rolling deploy has them at once."""
    found = [load_source(PROGRAM.replace("VERSION", version).encode()) for version in VERSIONS]
    assert all(program.valid for program in found), found[0].diagnostics
    return found


def environment(peer: str, more: dict[str, str]) -> dict[str, str]:
    """What a process of the world is told; its Redis is gone."""
    point = {VARIABLE: os.environ[VARIABLE]} if VARIABLE in os.environ else {}
    return {
        **point,
        "PEER_URL": peer,
        "CODEAI_OUTBOUND_ALLOW": "127.0.0.1",
        "JWT_SECRET": SECRET,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        **more,
    }


def keeping(file: int) -> Callable[[Seen], Reply]:
    """A bank and a partner in one, which write down each request at once."""

    def answer(seen: Seen) -> Reply:
        if seen.target in ("/charge", "/refund"):
            key = seen.headers["idempotency-key"]
            os.write(file, f"call {seen.target} {key}\n".encode())
            return Reply(200, msgspec.json.encode({"id": key}))
        kind, id_ = msgspec.json.decode(seen.body)["type"], seen.headers["webhook-id"]
        os.write(file, f"webhook {kind} {id_}\n".encode())
        return Reply(200)

    return answer


def peer_process(path: Path) -> tuple[int, str]:
    """Starts the peer as a process, so that nobody who is forked has a thread of it; its pid and address."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        with Peer(keeping(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY))) as peer:
            os.write(writing, peer.url.encode())
            os.close(writing)
            while True:
                time.sleep(60)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return pid, pipe.read()


class Shifted:
    """The real time, and some seconds more."""

    def __init__(self, seconds: float) -> None:
        self._shift = datetime.timedelta(seconds=seconds)

    def __call__(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC) + self._shift


class World:
    """One process."""

    def __init__(self, program: Loaded, settings: DatabaseSettings, env: dict[str, str], shift: float, name: str) -> None:
        named(name)
        self.database = open_database(settings)
        self._clock = Shifted(shift)
        self._composition = Composition(program.application, read_settings(env, {}), self.database, env, self._clock, folder=Path("/"))

    async def work(self, orders: range, seconds: float) -> None:
        """Does what clients do, and works until nothing is left or the time is over."""
        await self._composition.start()
        try:
            there = {row[0] for row in await self.database.fetch("SELECT number FROM orders", ())}
            for number in orders:
                if number not in there:
                    await self._ordered(number)
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline and not await self.settled(len(orders)):
                await self._pay()
                await self._approve()
                await asyncio.sleep(0.02)
        finally:
            await self._composition.stop()

    async def _ordered(self, number: int) -> None:
        for _ in range(1_000):
            if (await self._post("/orders", {"number": number})).status in (201, 409, 422):  # 422: it is there already
                return
            await asyncio.sleep(0.05)  # somebody else is about to write it, and may die of that

    async def _post(self, path: str, value: object) -> Answer:
        headers = [("content-type", "application/json")]
        return await exchange(self._composition.asgi, scope_of("POST", path, headers), [msgspec.json.encode(value)])

    async def _pay(self) -> None:
        """Pays what has begun."""
        begun = "SELECT number FROM effects WHERE what = 'reserve' AND number NOT IN (SELECT number FROM payments)"
        for row in await self.database.fetch(begun, ()):
            await self._post("/payments", {"number": row[0]})

    async def _approve(self) -> None:
        """Signals whoever waits for it."""
        waiting = "SELECT execution_id FROM codeai_waits WHERE event = 'approved'"
        with suppress(WrongState, StorageError):  # it has ended meanwhile
            for row in await self.database.fetch(waiting, ()):
                id_ = str(row[0])
                await self._composition.durable.control.signal(id_, "approved", {}, event_id=f"approval of {id_}")

    async def settled(self, orders: int) -> bool:
        """Whether everything has come of all orders that should, and of all ticks until now; the next one is some seconds away."""
        found = await self.database.fetch_row(_OPEN, ())
        last = found[4] if found is not None else None
        if last is None or found is None or tuple(found)[:4] != (0, 0, 0, orders):
            return False
        tick = last if isinstance(last, datetime.datetime) else datetime.datetime.fromisoformat(last)
        return self._clock() - tick < datetime.timedelta(seconds=7)


_OPEN = (
    "SELECT (SELECT count(*) FROM codeai_events WHERE relayed = 0), (SELECT count(*) FROM codeai_deliveries WHERE status = 'pending'),"
    " (SELECT count(*) FROM executions WHERE status NOT IN ('completed', 'compensated')),"
    " (SELECT count(*) FROM executions WHERE workflow_id = 'Fulfil'), (SELECT max(scheduled_for) FROM executions)"
)


def forked(work: Callable[[], Awaitable[Any]], point: str | None) -> int:
    """The pid of a process that does this, and dies at a point of it."""
    pid = os.fork()
    if pid == 0:
        if point is not None:
            os.environ[VARIABLE] = point
        try:
            asyncio.run(work())  # type: ignore[arg-type]  # a coroutine
        except BaseException as error:
            os.write(2, f"process failed: {error!r}\n".encode())
            os._exit(1)
        os._exit(0)
    return pid
