"""PostgreSQL ends and begins again while clients order, in good order and without: nothing is lost, nothing doubled, service returns."""

import itertools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from extent import ALL, SECONDS
from faultload import Load
from faultpage import Observed
from faultshop import PROGRAM, Books, environment, until

from services.peer import Peer, Reply
from services.postgres import PostgresServer
from services.process import ServerProcess

Start = Callable[..., ServerProcess]


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


def database(postgres: PostgresServer, name: str) -> str:
    """An empty database of which PostgreSQL itself loses nothing that it has confirmed."""
    url = postgres.create_database(name)
    postgres.sql(f"ALTER DATABASE {name} SET synchronous_commit = on")
    return url


def runs(books: Books) -> int:
    return int(books.rows("SELECT count(*) FROM runs")[0][0])


@pytest.mark.timeout(180 + 8 * SECONDS)  # the work of five minutes of orders takes longer than them; what stands still ends the test
@pytest.mark.parametrize("dispatcher", ["local", "dbos"] if ALL else ["local"])
def test_a_database_that_comes_and_goes_loses_and_doubles_nothing(
    start_server: Start, tmp_path: Path, own_postgres: PostgresServer, dispatcher: str
) -> None:
    (tmp_path / "app.cai").write_text(PROGRAM)
    url = database(own_postgres, f"shop_{dispatcher}")
    chance, returns, books = random.Random(5), [], Books(url, own_postgres)
    with Peer(lambda seen: Reply(200)) as partner:
        server = start_server(tmp_path / "app.cai", env={**environment(url, partner.url), "CODEAI_DISPATCHER": dispatcher})
        with Load(lambda: [server.base_url]).running() as load:
            assert until(lambda: runs(books) > 0), server.output[-3000:]  # the durable worker has begun
            ends = time.monotonic() + SECONDS
            for end in itertools.cycle((own_postgres.stop, own_postgres.kill)):
                time.sleep(chance.uniform(1, 2) if SECONDS < 60 else chance.uniform(3, 15))
                end()
                time.sleep(chance.uniform(0.2, 2))
                own_postgres.start()
                returned = load.served_again(time.monotonic(), 30)
                assert returned is not None, server.output[-3000:]
                returns.append(returned)
                done = runs(books)
                # The durable worker as well.
                assert until(lambda done=done: runs(books) > done, 5 if ALL else 90), books.left() + server.output[-3000:]
                if time.monotonic() > ends:
                    break
        assert books.settled_in_the_end(), books.left() + server.output[-3000:]
        print(
            f"{len(load.accepted)} orders, {len(returns)} restarts, service back after at most {max(returns):.1f} s: {dict(load.refused)}"
        )
        assert set(load.refused) <= {"503 database_unavailable"}
        assert max(returns) < (5 if ALL else 25)
        books.agree(load.accepted, partner.seen)
        assert server.terminate() == 0


def test_workers_that_begin_while_the_database_is_away_wait_for_it(
    start_server: Start, tmp_path: Path, own_postgres: PostgresServer
) -> None:
    (tmp_path / "app.cai").write_text(PROGRAM)
    url = database(own_postgres, "shop2")
    books = Books(url, own_postgres)
    with Peer(lambda seen: Reply(200)) as partner:
        server = start_server(tmp_path / "app.cai", env=environment(url, partner.url))
        observed = Observed(server)
        assert observed.ask("POST", "/orders", json={"number": 1}).status_code == 201
        own_postgres.kill()
        assert server.process is not None
        for worker in psutil.Process(server.process.pid).children():
            with suppress(psutil.NoSuchProcess):  # it has ended by itself
                worker.kill()
        # Each death and each failed start would count: five end a server.
        assert until(lambda: server.output.count("worker found no database") >= 3), server.output[-3000:]
        own_postgres.start()
        server.wait_until_ready()
        assert observed.ask("POST", "/orders", json={"number": 2}).status_code == 201
        assert until(lambda: runs(books) == 2 and books.settled()), books.left() + server.output[-3000:]
        books.agree({1, 2}, partner.seen)
        assert until(lambda: observed.look().json()["status"] == "healthy")
        observed.shows("worker begins while the database is down")
        assert server.terminate() == 0
