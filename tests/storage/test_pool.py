"""The pool: never more connections than its size, whoever waits, fails or leaves while one is replaced."""

import asyncio

import pytest

from codeai.storage.errors import PoolExhausted
from codeai.storage.pool import Pool


class Connections:
    """Opens connections, slowly; ``most`` is how many there were at once."""

    def __init__(self) -> None:
        self.open = self.most = self.failures = 0

    async def connect(self) -> object:
        self.open += 1
        self.most = max(self.most, self.open)
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            self.open -= 1
            raise ConnectionError("refused")
        return object()

    def lost(self, pool: Pool[object]) -> None:
        self.open -= 1
        pool.discard()


@pytest.fixture
def connections() -> Connections:
    return Connections()


async def test_the_place_of_a_lost_connection_goes_to_who_waits_and_to_nobody_else(connections: Connections) -> None:
    pool = Pool(connections.connect, 1, 5.0)
    await pool.acquire()
    waiting = asyncio.ensure_future(pool.acquire())
    await asyncio.sleep(0)

    async def replace() -> None:
        connections.lost(pool)
        pool.release(await pool.acquire())  # asks before the one that waits has gone on

    replacing = asyncio.ensure_future(replace())
    pool.release(await waiting)
    await replacing
    assert (connections.most, pool.statistics().open_connections) == (1, 1)


async def test_who_leaves_while_a_place_is_passed_to_them_passes_it_on(connections: Connections) -> None:
    pool = Pool(connections.connect, 1, 5.0)
    await pool.acquire()
    leaving, staying = (asyncio.ensure_future(pool.acquire()) for _ in range(2))
    await asyncio.sleep(0)
    connections.lost(pool)
    leaving.cancel()
    pool.release(await staying)
    assert (connections.most, pool.statistics().open_connections) == (1, 1)


async def test_a_connection_that_cannot_be_opened_leaves_its_place_to_the_next(connections: Connections) -> None:
    pool = Pool(connections.connect, 1, 5.0)
    connections.failures = 1
    first, second = (asyncio.ensure_future(pool.acquire()) for _ in range(2))
    with pytest.raises(ConnectionError):
        await first
    pool.release(await second)
    assert (connections.most, pool.statistics().open_connections) == (1, 1)


async def test_nobody_waits_longer_than_is_allowed(connections: Connections) -> None:
    pool = Pool(connections.connect, 1, 0.01)
    held = await pool.acquire()
    with pytest.raises(PoolExhausted):
        await pool.acquire()
    pool.release(held)
    assert await pool.acquire() is held
