"""PostgreSQL ends and begins again while clients order, in good order and without: nothing is lost, nothing doubled, service returns."""

import itertools
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from extent import ALL, SECONDS
from faultload import Load
from faultshop import PROGRAM, Books, environment, until

from services.peer import Peer, Reply
from services.postgres import PostgresServer
from services.process import ServerProcess

Start = Callable[..., ServerProcess]


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


def runs(books: Books) -> int:
    return int(books.rows("SELECT count(*) FROM runs")[0][0])


@pytest.mark.timeout(180 + 3 * SECONDS)
@pytest.mark.parametrize("dispatcher", ["local", "dbos"] if ALL else ["local"])
def test_a_database_that_comes_and_goes_loses_and_doubles_nothing(
    start_server: Start, tmp_path: Path, own_postgres: PostgresServer, dispatcher: str
) -> None:
    (tmp_path / "app.cai").write_text(PROGRAM)
    url = own_postgres.create_database("shop")
    own_postgres.sql("ALTER DATABASE shop SET synchronous_commit = on")  # else PostgreSQL itself loses what it has confirmed
    chance, returns, books = random.Random(5), [], Books(url, own_postgres)
    with Peer(lambda seen: Reply(200)) as partner:
        server = start_server(tmp_path / "app.cai", env={**environment(url, partner.url), "CODEAI_DISPATCHER": dispatcher})
        with Load(lambda: [server.base_url], pause=0.1).running() as load:
            assert until(lambda: runs(books) > 0, 30), server.output[-3000:]  # the durable worker has begun
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
                assert until(lambda done=done: runs(books) > done, 15), books.left() + server.output[-3000:]  # the durable worker as well
                if time.monotonic() > ends:
                    break
        assert until(books.settled, 60), books.left() + server.output[-3000:]
        print(
            f"{len(load.accepted)} orders, {len(returns)} restarts, service back after at most {max(returns):.1f} s: {dict(load.refused)}"
        )
        assert set(load.refused) <= {"503 database_unavailable"}
        assert max(returns) < 5
        books.agree(load.accepted, partner.seen)
        assert server.terminate() == 0
