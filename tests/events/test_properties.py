"""Whatever fails in between: no event lost, no effect doubled, none into a workflow twice, the order of a key kept."""

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from emitting import ENVIRONMENT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codeai.events.deliveries import KIND
from codeai.server.composition import Composition
from codeai.server.database import synchronise_here
from codeai.server.settings import read_settings
from codeai.storage.opening import open_database
from codeai.storage.settings import from_url
from services.programs import application_of

PROGRAM = """
config { name: "shop"  default_auth: public }
entity Note { id: uuid, primary, auto  run: string, required  name: string, required  number: int, required }
entity Run { id: uuid, primary, auto  run: string, required  number: int, required }
event Placed { payload { run: string, required, name: string, required, number: int, required }  key: "{event.run}{event.name}" }
on Placed { create Note { run: event.run, name: event.name, number: event.number } }
workflow Count { trigger: Placed  steps { count { do { create Run { run: trigger.run, number: trigger.number } } } } }
endpoint POST /places {
    body { run: string, required, name: string, required, number: int, required, fails: bool }
    returns: void
    do {
        emit Placed { run: body.run, name: body.name, number: body.number }
        require not (body.fails ?? false) else fail 409
    }
}
"""
POINTS = ("before-relay", "after-relay", "before-handler", "before-delivered", "after-delivered")
EMIT = st.tuples(st.just("emit"), st.sampled_from("ab"), st.booleans())
BREAK = st.tuples(st.just("break"), st.sampled_from(POINTS), st.integers(1, 3))
STEPS = st.lists(st.one_of(EMIT, EMIT, BREAK, st.tuples(st.just("work"), st.just(""), st.just(0))), min_size=3, max_size=14)


class Broken(Exception):
    """Something fails at a point."""


class Shop:
    """A program whose background runs when the test says so, and fails where it says so."""

    def __init__(self, url: str, folder: Path) -> None:
        application = application_of(PROGRAM)
        where = from_url(url)
        synchronise_here(where, application, True)
        values = dict(ENVIRONMENT)
        self.composition = Composition(application, read_settings(values, {}), open_database(where), values, folder=folder, recording=True)
        self._breaks: dict[str, list[int]] = {}
        for part in (self.composition.eventing.relay, self.composition.dispatcher._handlers[KIND]):
            part._passed = self._passed  # type: ignore[union-attr]  # both have it
        transport = httpx.ASGITransport(self.composition.asgi)  # type: ignore[arg-type]
        self._http = httpx.AsyncClient(transport=transport, base_url="http://test")

    def _passed(self, point: str) -> None:
        waiting = self._breaks.get(point)
        if waiting:
            waiting[0] -= 1
            if waiting[0] == 0:
                waiting.pop(0)
                raise Broken

    def break_at(self, point: str, time: int) -> None:
        self._breaks.setdefault(point, []).append(time)

    async def place(self, run: str, name: str, number: int, fails: bool) -> bool:
        body = {"run": run, "name": name, "number": number, "fails": fails}
        return (await self._http.post("/places", json=body)).status_code == 204

    async def work(self) -> None:
        """Everything that is due now, and what waits for its next attempt."""
        await self.composition.eventing.settle()
        await self.composition.database.writing().execute("UPDATE codeai_activations SET ready_ms = 1 WHERE state = 2", ())

    async def rows(self, statement: str, run: str) -> list[tuple[Any, ...]]:
        mark = "$1" if self.composition.database.dialect == "postgresql" else "?1"
        return [tuple(row) for row in await self.composition.database.reading().fetch(statement.replace("$1", mark), (run,))]

    async def finish(self) -> None:
        self._breaks.clear()
        for _ in range(6):
            await self.work()


Play = Callable[[Callable[[Shop], Coroutine[Any, Any, None]]], None]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def play(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Plays something with a shop that all examples share, in a loop that outlives them."""
    folder = tmp_path_factory.mktemp("shop")
    url = f"sqlite:///{folder}/app.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").create_database()
    with asyncio.Runner() as runner:
        shop = Shop(url, folder)
        runner.run(shop.composition.start())
        yield lambda what: runner.run(what(shop))
        runner.run(shop.composition.stop())


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_every_event_has_its_effects_once_and_in_order(play: Play, steps: list[tuple[str, str, Any]]) -> None:
    async def example(shop: Shop) -> None:
        run = uuid.uuid4().hex
        placed: dict[str, list[int]] = {"a": [], "b": []}
        for number, (what, name, value) in enumerate(steps):
            if what == "emit":
                if await shop.place(run, name, number, fails=value):
                    placed[name].append(number)
            elif what == "break":
                shop.break_at(name, value)
            else:
                await shop.work()
        await shop.finish()

        kept = await shop.rows("SELECT key FROM codeai_events WHERE key LIKE $1 || '%'", run)
        assert len(kept) == sum(map(len, placed.values()))
        for name, numbers in placed.items():
            notes = await shop.rows(f"SELECT number FROM notes WHERE run = $1 AND name = '{name}' ORDER BY id", run)
            assert [row[0] for row in notes] == numbers
        runs = await shop.rows("SELECT number FROM runs WHERE run = $1 ORDER BY number", run)
        assert [row[0] for row in runs] == sorted(placed["a"] + placed["b"])

    play(example)
