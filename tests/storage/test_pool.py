"""The pool: never more connections than its size, whoever waits, fails or leaves while one is replaced."""

import asyncio

import pytest

from codeai.storage.errors import PoolExhausted, TooManyClients
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


class Full(Connections):
    """A server that takes ``limit`` connections and refuses more; several that ask at once may all be refused, as PostgreSQL does."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit, self.refused = limit, 0

    async def connect(self) -> object:
        self.open += 1
        await asyncio.sleep(0)
        if self.open > self.limit:
            self.refused += 1
            await asyncio.sleep(0)
            self.open -= 1
            raise TooManyClients("too many connections for role")
        self.most = max(self.most, self.open)
        return object()


async def test_who_is_refused_another_connection_waits_for_one_that_is_there() -> None:
    server = Full(2)
    pool = Pool(server.connect, 10, 5.0)
    held = [await pool.acquire() for _ in range(2)]
    waiting = [asyncio.ensure_future(pool.acquire()) for _ in range(5)]
    for _ in range(6):
        await asyncio.sleep(0)
    assert server.refused == 5
    late = asyncio.ensure_future(pool.acquire())
    for connection in held:
        pool.release(connection)
    for task in (*waiting, late):
        pool.release(await task)
    assert server.refused == 5  # whoever comes while the server is known to be full does not ask it again
    assert (server.most, pool.statistics().open_connections, pool.statistics().idle) == (2, 2, 2)


async def test_when_all_are_refused_at_once_nobody_waits_for_ever() -> None:
    server = Full(2)
    pool = Pool(server.connect, 10, 5.0)

    async def used() -> None:
        connection = await pool.acquire()
        await asyncio.sleep(0)
        pool.release(connection)

    found = await asyncio.gather(*(used() for _ in range(8)), return_exceptions=True)
    assert all(isinstance(result, TooManyClients | None) for result in found)
    assert found.count(None) >= 1
    assert pool.statistics().in_use == 0
    pool.release(await pool.acquire())


async def test_who_waits_in_vain_at_a_full_server_is_told_of_it() -> None:
    server = Full(1)
    pool = Pool(server.connect, 10, 0.01)
    held = await pool.acquire()
    with pytest.raises(PoolExhausted, match=r"became free .*too many connections for role"):
        await pool.acquire()
    pool.release(held)
    server.limit = 0
    for connection in pool.drain():
        del connection
    with pytest.raises(TooManyClients):
        await pool.acquire()
    assert pool.statistics().open_connections == 0
