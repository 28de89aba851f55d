"""A Redis that is slow, or full: no request fails, none is given old values, and operators see it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faultpage import Observed
from faultshop import until

from services.network import Network
from services.process import ServerProcess
from services.redis import RedisServer

Start = Callable[..., ServerProcess]
PROGRAM = """
config { name: "shop"  default_auth: public }
entity Product { id: uuid, primary, auto  name: string, required }
resource Product at /products { auth: public  cache: 5m  rate_limit: 10000 per 1m by ip  create { auth: public } }
"""


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.remove()


class Shop:
    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        self.names: set[str] = set()

    def grow(self) -> None:
        """Adds a product."""
        name = f"product {len(self.names)}"
        assert self._observed.ask("POST", "/products", json={"name": name}).status_code == 201
        self.names.add(name)

    def shown(self) -> str:
        """Asks for all products, which must be there, and says how the cache took part."""
        answer = self._observed.ask("GET", "/products")
        assert answer.status_code == 200
        assert {row["name"] for row in answer.json()["data"]} == self.names
        return answer.headers["cache-status"].removeprefix("codeai; ")

    def keeps(self) -> None:
        """What has changed is computed, and kept as soon as Redis is in time, which on a busy machine it may once not be."""
        assert self.shown() == "fwd=miss"
        assert until(lambda: self.shown() == "hit")


def _asked(redis: RedisServer) -> int:
    """How many commands it has been given."""
    return int(redis.cli("INFO", "stats").partition("total_commands_processed:")[2].split()[0])


def test_a_slow_redis_is_left_alone(start_server: Start, tmp_path: Path, redis: RedisServer) -> None:
    (tmp_path / "app.cai").write_text(PROGRAM)
    with Network(redis.port) as network:
        server = start_server(tmp_path / "app.cai", env={"REDIS_URL": f"redis://127.0.0.1:{network.port}/0"})
        observed = Observed(server)
        shop = Shop(observed)
        shop.grow()
        shop.keeps()
        network.whole(delay=0.3)  # there and back it is more than requests wait, also where they wait twice because the machine is busy
        shop.grow()
        before = _asked(redis)
        for _ in range(50):
            assert shop.shown() == "fwd=miss"
        assert _asked(redis) - before < 50  # not everybody waits for it: a look now and then, with longer and longer pauses
        network.whole(delay=0.09)  # health, which waits a second, has its answer; requests do not

        def slow() -> bool:
            health = observed.look()
            assert health.status_code == 200
            return health.json()["status"] == "degraded" and "within 150 ms" in health.json()["checks"]["cache"].get("reason", "")

        assert until(slow)
        shop.grow()
        observed.shows("Redis slow")
        network.whole()
        assert until(lambda: shop.shown() == "hit")
        assert until(lambda: observed.look().json()["status"] == "healthy")
        shop.grow()
        shop.shown()


def test_a_full_redis_gives_nobody_old_values(start_server: Start, tmp_path: Path, redis: RedisServer) -> None:
    (tmp_path / "app.cai").write_text(PROGRAM)
    server = start_server(tmp_path / "app.cai", env={"REDIS_URL": redis.url})
    observed = Observed(server)
    shop = Shop(observed)
    shop.grow()
    shop.keeps()
    redis.cli("CONFIG", "SET", "maxmemory-policy", "noeviction")
    redis.cli("CONFIG", "SET", "maxmemory", "1")
    assert until(lambda: shop.shown() == "hit")  # what it has is still good
    for _ in range(3):
        shop.grow()
        assert shop.shown() == "fwd=miss"
    health = observed.look()
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    observed.shows("Redis full")
    redis.cli("CONFIG", "SET", "maxmemory", "0")
    shop.keeps()
    shop.grow()
    shop.keeps()


def test_a_redis_that_refuses_writes_gives_nobody_old_values(start_server: Start, tmp_path: Path, redis: RedisServer) -> None:
    (tmp_path / "app.cai").write_text(PROGRAM)
    server = start_server(tmp_path / "app.cai", env={"REDIS_URL": redis.url})
    observed = Observed(server)
    shop = Shop(observed)
    shop.grow()
    shop.keeps()
    redis.cli("CONFIG", "SET", "min-replicas-to-write", "1")  # as a replica, or one that cannot save: it goes on answering reads
    for _ in range(3):
        shop.grow()
        assert shop.shown() == "fwd=miss"
    health = observed.look()
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    observed.shows("Redis refuses writes")
    redis.cli("CONFIG", "SET", "min-replicas-to-write", "0")
    assert until(lambda: shop.shown() == "hit")
    shop.grow()
    shop.keeps()


def test_a_redis_that_forgets_gives_nobody_old_values(start_server: Start, tmp_path: Path, redis: RedisServer) -> None:
    (tmp_path / "app.cai").write_text(PROGRAM)
    server = start_server(tmp_path / "app.cai", env={"REDIS_URL": redis.url})
    shop = Shop(Observed(server))
    for lost in ("shop:cache-clock", "shop:cache-writes"):
        shop.grow()
        shop.keeps()
        shop.grow()
        assert redis.cli("DEL", lost) == "1"  # as allkeys-lru does it
        shop.keeps()
        shop.grow()
        shop.shown()
