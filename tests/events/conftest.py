"""Programs with events in this process, on both databases: the real composition, its dispatcher running."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from emitting import ENVIRONMENT, Running

from codeai.control.registering import ProgramTexts
from codeai.events.schedule import Schedule
from codeai.server.composition import Composition
from codeai.server.database import synchronise_here
from codeai.server.settings import read_settings
from codeai.storage.opening import open_database
from codeai.storage.settings import from_url
from services.programs import application_of

Starting = Callable[..., Awaitable[Running]]


MINUTE = 60_000  # milliseconds


@pytest.fixture
def retried_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again a minute later than it is otherwise: not before a test has looked at it, however busy the machine is."""
    delay = Schedule.delay

    def later(self: Schedule, failures: int, **more: float) -> int | None:
        found = delay(self, failures, **more)
        return None if found is None else found + MINUTE

    monkeypatch.setattr(Schedule, "delay", later)


@pytest.fixture(params=["sqlite", "postgresql"])
async def run_program(request: pytest.FixtureRequest, tmp_path: Path, retried_late: None) -> AsyncIterator[Starting]:
    """A function that runs a program against an empty database (or a given one)."""
    running: list[Running] = []

    async def start(program: str, *, url: str | None = None, folder: Path | None = None, **environment: str) -> Running:
        if url is None and request.param == "sqlite":
            url = f"sqlite:///{tmp_path}/app{len(running)}.db"
        elif url is None:
            url = request.getfixturevalue("postgres").create_database()
        application = application_of(program)
        values = {**ENVIRONMENT, **environment}
        settings = from_url(url)
        await asyncio.to_thread(synchronise_here, settings, application, True)
        texts = ProgramTexts((("program.cai", program),))
        composition = Composition(
            application, read_settings(values, {}), open_database(settings), values, folder=folder or tmp_path, texts=texts
        )
        found = Running(composition, url)
        running.append(found)
        await composition.start()
        return found

    yield start
    for one in running:
        await one.close()
