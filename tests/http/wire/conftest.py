"""A server for the tests of this folder."""

from collections.abc import AsyncIterator

import pytest
from wireworld import Impatient, World, world_of

from codeai.http.wire.server import HttpServer


@pytest.fixture
async def world() -> AsyncIterator[World]:
    found = await world_of(HttpServer)
    yield found
    await found.close()


@pytest.fixture
async def impatient() -> AsyncIterator[World]:
    found = await world_of(Impatient)
    yield found
    await found.close()
