"""Values that are kept: the same suite in memory and in Redis."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from codeai.cache.entries import CacheStore
from codeai.cache.flights import Cache, Computed
from codeai.cache.memory import MemoryStore
from codeai.cache.shared import RedisStore
from codeai.storage.redis import Redis
from services.redis import RedisServer


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, time: Time) -> AsyncIterator[CacheStore]:
    if request.param == "memory":
        yield MemoryStore(time)
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    redis = Redis(server.url, timeout=60)
    yield RedisStore(redis, f"{uuid.uuid4().hex}:")
    await redis.close()


class Source:
    """Computes values and counts how often."""

    def __init__(self, tables: tuple[str, ...] = ("products",), ttl: float = 60) -> None:
        self.asked = 0
        self.tables = tables
        self.ttl = ttl
        self.gate: asyncio.Event | None = None
        self.fails = False

    async def __call__(self) -> Computed:
        self.asked += 1
        mine = self.asked
        if self.gate is not None:
            await self.gate.wait()
        if self.fails:
            raise ValueError("the database is down")
        return Computed(f"value {mine}".encode(), self.tables, self.ttl)


async def test_a_value_is_computed_once_and_then_kept(store: CacheStore) -> None:
    cache, source = Cache(store), Source()
    assert [await cache.get("k", source) for _ in range(3)] == [(b"value 1", False), (b"value 1", True), (b"value 1", True)]
    assert (await cache.get("other", source))[0] == b"value 2"
    shown = cache.statistics()
    assert (shown.hits, shown.misses, shown.stored, shown.failures) == (2, 2, 2, 0)


async def test_a_write_to_one_of_its_tables_makes_a_value_old_and_a_write_to_others_does_not(store: CacheStore) -> None:
    cache, source = Cache(store), Source(("products", "categories"))
    await cache.get("k", source)
    await cache.written(["orders"])
    assert (await cache.get("k", source)) == (b"value 1", True)
    await cache.written(["categories", "orders"])
    assert (await cache.get("k", source)) == (b"value 2", False)
    assert (await cache.get("k", source)) == (b"value 2", True)


async def test_a_write_while_a_value_is_computed_makes_it_old(store: CacheStore) -> None:
    cache, source = Cache(store), Source()
    source.gate = asyncio.Event()
    task = asyncio.create_task(cache.get("k", source))
    while not source.asked:  # noqa: ASYNC110  # the task has no event of its own
        await asyncio.sleep(0)
    await cache.written(["products"])
    source.gate.set()
    assert (await task)[0] == b"value 1"
    assert (await cache.get("k", source)) == (b"value 2", False)


async def test_many_that_ask_at_once_cost_one_computation(store: CacheStore) -> None:
    cache, source = Cache(store), Source()
    source.gate = asyncio.Event()
    tasks = [asyncio.create_task(cache.get("k", source)) for _ in range(50)]
    while not source.asked:  # noqa: ASYNC110  # as above
        await asyncio.sleep(0)
    source.gate.set()
    assert {value for value, _ in await asyncio.gather(*tasks)} == {b"value 1"}
    assert source.asked == 1


async def test_a_failure_is_not_shared_and_not_kept(store: CacheStore) -> None:
    cache, source = Cache(store), Source()
    source.fails = True
    found = await asyncio.gather(*(cache.get("k", source) for _ in range(3)), return_exceptions=True)
    assert all(isinstance(error, ValueError) for error in found)
    assert source.asked == 3
    source.fails = False
    assert (await cache.get("k", source)) == (b"value 4", False)


async def test_after_a_failure_nobody_waits_for_the_others(store: CacheStore) -> None:
    cache, source = Cache(store), Source()
    source.fails = True
    source.gate = asyncio.Event()
    tasks = [asyncio.create_task(cache.get("k", source)) for _ in range(5)]
    while not source.asked:  # noqa: ASYNC110  # as above
        await asyncio.sleep(0)
    source.gate.set()
    source.gate = second = asyncio.Event()
    while source.asked < 5:  # noqa: ASYNC110  # all of them compute at the same time
        await asyncio.sleep(0)
    second.set()
    assert all(isinstance(error, ValueError) for error in await asyncio.gather(*tasks, return_exceptions=True))


async def test_when_the_first_is_cancelled_the_next_one_computes(store: CacheStore) -> None:
    cache, source = Cache(store), Source()
    source.gate = asyncio.Event()
    first = asyncio.create_task(cache.get("k", source))
    while not source.asked:  # noqa: ASYNC110  # as above
        await asyncio.sleep(0)
    second = asyncio.create_task(cache.get("k", source))
    await asyncio.sleep(0)
    first.cancel()
    source.gate.set()
    assert await second == (b"value 2", False)
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_what_is_not_to_be_kept_is_computed_each_time(store: CacheStore) -> None:
    cache, source = Cache(store), Source(ttl=0)
    assert [(await cache.get("k", source))[0] for _ in range(2)] == [b"value 1", b"value 2"]


async def test_a_value_lives_as_long_as_it_may(time: Time) -> None:
    cache, source = Cache(MemoryStore(time)), Source(ttl=60)
    await cache.get("k", source)
    time.now = 59.9
    assert (await cache.get("k", source))[1]
    time.now = 60
    assert (await cache.get("k", source)) == (b"value 2", False)


async def test_redis_is_told_how_long_a_value_lives(redis_server: RedisServer) -> None:
    redis = Redis(redis_server.url, timeout=60)
    await Cache(RedisStore(redis, "ttl:")).get("k", Source(ttl=60))
    assert 30_000 < int(redis_server.cli("PTTL", "ttl:cache:k")) <= 60_000
    await redis.close()


@pytest.mark.parametrize(("items", "size", "kept"), [(3, 1_000_000, 3), (1_000, 2_400, 11)])
async def test_memory_is_bounded_by_items_and_bytes_and_forgets_what_nobody_asked_for(time: Time, items: int, size: int, kept: int) -> None:
    store = MemoryStore(time, items=items, size=size)
    cache = Cache(store)
    for number in range(50):
        await cache.get(f"k{number:02}", Source())
        await cache.get("k00", Source())
    assert store.items <= kept
    assert store.size <= size
    assert (await cache.get("k00", Source()))[1]
    assert store.evicted >= 39


async def test_what_is_too_large_for_memory_is_not_kept(time: Time) -> None:
    store = MemoryStore(time, size=10_000)

    async def large() -> Computed:
        return Computed(b"x" * 2_000, (), 60)

    await Cache(store).get("k", large)
    assert (store.items, store.size) == (0, 0)


# -- several processes ----------------------------------------------------------------------------------------------------


async def test_processes_share_values_and_writes(redis_server: RedisServer) -> None:
    connections = [Redis(redis_server.url, timeout=60) for _ in range(2)]
    one, two = (Cache(RedisStore(redis, "share:")) for redis in connections)
    source = Source()
    await one.get("k", source)
    assert await two.get("k", source) == (b"value 1", True)
    await two.written(["products"])
    assert await one.get("k", source) == (b"value 2", False)
    for redis in connections:
        await redis.close()


async def test_processes_that_ask_at_once_cost_one_computation(redis_server: RedisServer) -> None:
    connections = [Redis(redis_server.url, timeout=60) for _ in range(4)]
    source = Source()
    source.gate = asyncio.Event()
    caches = [Cache(RedisStore(redis, "flight:"), patience=30) for redis in connections]
    tasks = [asyncio.create_task(cache.get("k", source)) for cache in caches for _ in range(5)]
    while not source.asked:  # noqa: ASYNC110  # as above
        await asyncio.sleep(0.001)
    source.gate.set()
    assert {value for value, _ in await asyncio.gather(*tasks)} == {b"value 1"}
    assert source.asked == 1
    for redis in connections:
        await redis.close()


async def test_a_process_that_never_finishes_does_not_keep_the_others(redis_server: RedisServer) -> None:
    redis = Redis(redis_server.url, timeout=60)
    lost = RedisStore(redis, "lost:")
    assert await lost.lead("k", 60)
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    cache = Cache(RedisStore(redis, "lost:"), patience=0.1, sleep=wait)
    assert await cache.get("k", Source()) == (b"value 1", False)
    assert sum(waits) == pytest.approx(0.1)
    await redis.close()


# -- outages --------------------------------------------------------------------------------------------------------------

Fault = Callable[[RedisServer], None]


@pytest.mark.parametrize("fault", [RedisServer.stop, RedisServer.kill, RedisServer.pause], ids=["stopped", "killed", "hanging"])
async def test_s36_an_outage_costs_a_moment_and_never_a_value(
    own_redis: RedisServer, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Time()
    redis = Redis(own_redis.url, timeout=0.3, monotonic=clock)
    cache, source = Cache(RedisStore(redis, "")), Source()
    await cache.get("k", source)
    fault(own_redis)
    assert await cache.get("k", source) == (b"value 2", False)
    assert not redis.available
    asked: list[object] = []
    monkeypatch.setattr(redis, "_opened", lambda: asked.append("somebody"))
    values = [(await cache.get("k", source))[0] for _ in range(200)]
    assert values == [f"value {number}".encode() for number in range(3, 203)]
    assert asked == []
    monkeypatch.undo()
    await redis.close()


async def test_after_an_outage_nothing_is_served_that_may_have_missed_a_write(own_redis: RedisServer) -> None:
    clock = Time()
    redis = Redis(own_redis.url, timeout=0.3, monotonic=clock)
    cache, source = Cache(RedisStore(redis, "")), Source()
    await cache.get("k", source)
    own_redis.pause()
    await cache.written(["products"])
    own_redis.resume()
    redis.timeout = 60  # a busy machine
    clock.now = 100
    assert await cache.get("k", source) == (b"value 2", False)
    assert await cache.get("k", source) == (b"value 2", True)
    assert redis.available
    await redis.close()


async def test_while_redis_is_away_one_request_at_a_time_looks_again(own_redis: RedisServer) -> None:
    clock = Time()
    redis = Redis(own_redis.url, timeout=0.3, monotonic=clock)
    store = RedisStore(redis, "")
    own_redis.stop()
    assert await store.get("k") is None
    looked: list[object] = []

    async def look() -> None:
        looked.append(1)
        raise ConnectionError

    async def counting(*arguments: object) -> Awaitable[None]:
        await look()
        raise AssertionError("unreachable")

    clock.now = 10
    client = redis._opened()
    client.ping = counting  # type: ignore[assignment,method-assign]
    await asyncio.gather(*(store.get("k") for _ in range(20)))
    assert len(looked) == 1
    await redis.close()


async def test_a_redis_that_is_full_still_gives_what_it_has(own_redis: RedisServer) -> None:
    redis = Redis(own_redis.url, timeout=60)
    cache, source = Cache(RedisStore(redis, "")), Source()
    await cache.get("k", source)
    own_redis.cli("CONFIG", "SET", "maxmemory-policy", "noeviction")
    own_redis.cli("CONFIG", "SET", "maxmemory", "1")
    assert await cache.get("k", source) == (b"value 1", True)
    assert (await cache.get("new", source))[0] == b"value 2"
    assert (await cache.get("new", source))[0] == b"value 3"
    assert redis.available
    await redis.close()


# -- a Redis that gives and takes nothing -----------------------------------------------------------------------------------


def refuse_writes(server: RedisServer, refuse: bool) -> None:
    """As a replica does, or a Redis that cannot save to its disk: reads are answered."""
    server.cli("CONFIG", "SET", "min-replicas-to-write", "1" if refuse else "0")


async def test_while_redis_refuses_writes_nothing_is_given_and_afterwards_nothing_old(own_redis: RedisServer) -> None:
    clock = Time()
    connections = [Redis(own_redis.url, timeout=60) for _ in range(2)]
    stores = [RedisStore(redis, "", monotonic=clock) for redis in connections]
    writer, reader = (Cache(store) for store in stores)
    source = Source()
    await writer.get("k", source)
    assert await reader.get("k", source) == (b"value 1", True)
    refuse_writes(own_redis, True)
    await writer.written(["products"])
    assert await writer.get("k", source) == (b"value 2", False)  # its own at once
    clock.now += 1
    assert await reader.get("k", source) == (b"value 3", False)  # the other's within a second
    refuse_writes(own_redis, False)
    async with asyncio.timeout(60):
        while not (found := await reader.get("k", source))[1]:  # noqa: ASYNC110  # what it waits for is in Redis
            await asyncio.sleep(0.01)
    assert found[0] != b"value 1"
    for store, redis in zip(stores, connections, strict=True):
        await store.stop()
        await redis.close()


async def test_a_process_that_could_not_tell_of_a_write_does_when_it_can_also_when_nobody_asks_it(own_redis: RedisServer) -> None:
    clock = Time()
    cut_off, other = Redis(own_redis.url, timeout=0.3), Redis(own_redis.url, timeout=60)
    store = RedisStore(cut_off, "")
    reader, source = Cache(RedisStore(other, "", monotonic=clock)), Source()
    await reader.get("k", source)
    own_redis.pause()
    await store.written(["products"])
    own_redis.resume()
    async with asyncio.timeout(60):
        while (found := await reader.get("k", source))[1]:  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.01)
    assert found[0] == b"value 2"
    await store.stop()
    for redis in (cut_off, other):
        await redis.close()


async def test_a_process_that_begins_forgets_what_one_that_died_may_have_left(redis_server: RedisServer) -> None:
    redis = Redis(redis_server.url, timeout=60)
    store = RedisStore(redis, "begins:")
    cache, source = Cache(store), Source()
    await cache.get("k", source)
    await RedisStore(redis, "begins:").start()
    assert await cache.get("k", source) == (b"value 2", False)
    await redis.close()


async def test_versions_of_a_program_keep_answers_apart_and_hear_of_each_others_writes(redis_server: RedisServer) -> None:
    redis = Redis(redis_server.url, timeout=60)
    old, new = (Cache(RedisStore(redis, "versions:", version=version)) for version in ("1", "2"))
    source = Source()
    assert [(await cache.get("k", source))[0] for cache in (old, new, old)] == [b"value 1", b"value 2", b"value 1"]
    await old.written(["products"])
    assert [(await cache.get("k", source))[0] for cache in (old, new)] == [b"value 3", b"value 4"]
    await redis.close()
