"""Worlds on both databases."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from world import Lasting, Opening, World

from codeai.server.database import synchronise_here
from codeai.storage.opening import open_database
from codeai.storage.settings import from_url
from services.programs import analysis_of


@pytest.fixture(params=["sqlite", "postgresql"])
async def world_of(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opening]:
    """A function that gives a program its empty database."""
    opened: list[Any] = []

    async def open_(program: str) -> World:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path}/app{len(opened)}.db"
        else:
            url = request.getfixturevalue("postgres").create_database()
        analysis = analysis_of(program)
        settings = from_url(url)
        await asyncio.to_thread(synchronise_here, settings, analysis.application, development=True)
        database = open_database(settings)
        await database.start()
        opened.append(database)
        return World(analysis, database)

    yield open_
    for database in opened:
        await database.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lasting_world_of(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Lasting]]:
    """Worlds for a whole module, with a loop of their own: for property tests."""
    runner = asyncio.Runner()
    opened: dict[str, Lasting] = {}

    def open_(program: str) -> Lasting:
        if program not in opened:
            if request.param == "sqlite":
                url = f"sqlite:///{tmp_path_factory.mktemp('world')}/app.db"
            else:
                url = request.getfixturevalue("postgres").create_database()
            analysis = analysis_of(program)
            settings = from_url(url)
            synchronise_here(settings, analysis.application, development=True)
            database = open_database(settings)
            runner.run(database.start())
            opened[program] = Lasting(World(analysis, database), runner)
        return opened[program]

    yield open_
    for lasting in opened.values():
        runner.run(lasting.world.database.close())
    runner.close()
