"""PostgreSQL that is down, slow, exhausted, or ends its sessions, seen by an operator of a real server."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from faultpage import Observed
from faultshop import until

from services.network import Network
from services.postgres import PostgresServer
from services.process import ServerProcess

Start = Callable[..., ServerProcess]
PROGRAM = """
config { name: "desk"  default_auth: public }
entity Ticket { id: uuid, primary, auto  title: string, required }
resource Ticket at /tickets { auth: public  create { auth: public } }
entity Price { id: uuid, primary, auto  amount: int, required }
resource Price at /prices { auth: public  cache: 1h  create { auth: public } }
"""


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@contextmanager
def locked(postgres: PostgresServer) -> Iterator[None]:
    """Nobody else gets at the tickets."""
    lock = subprocess.Popen(
        ["psql", postgres.dsn("desk"), "-qc", "BEGIN; LOCK TABLE tickets IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'tickets'::regclass"
    assert until(lambda: postgres.sql(held, "desk") == "1")
    try:
        yield
    finally:
        postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)' AND pid <> pg_backend_pid()")
        lock.wait()


class Price:
    """An answer that the server keeps."""

    def __init__(self, observed: Observed) -> None:
        self._observed = observed
        self.amount = 0

    def status(self) -> str:
        """How the cache took part, or the code of a problem."""
        answer = self._observed.ask("GET", "/prices")
        if answer.status_code != 200:
            return str(answer.json()["code"])
        self.amount = answer.json()["data"][0]["amount"]
        return answer.headers["cache-status"].removeprefix("codeai; ")


def asking(server: ServerProcess, ended: threading.Event) -> None:
    """A client that asks again and again."""
    with httpx.Client(timeout=60) as client:
        while not ended.is_set():
            client.get(f"{server.base_url}/tickets")


@pytest.fixture
def network(own_postgres: PostgresServer) -> Iterator[Network]:
    """What lies between the server and its database."""
    with Network(own_postgres.port) as found:
        yield found


def test_a_database_in_trouble_is_said_by_name_and_the_server_recovers(
    start_server: Start, tmp_path: Path, own_postgres: PostgresServer, network: Network
) -> None:
    (tmp_path / "app.cai").write_text(PROGRAM)
    env = {
        "DATABASE_URL": own_postgres.create_database("desk").replace(f":{own_postgres.port}", f":{network.port}"),
        "DB_STATEMENT_TIMEOUT": "3s",
        "DB_ACQUIRE_TIMEOUT": "2s",
        "DB_MAX_OPEN_CONNS": "4",
    }
    server = start_server(tmp_path / "app.cai", env=env)

    observed = Observed(server)
    observed.ask("POST", "/tickets", json={"title": "kept"})
    for _ in range(3):
        own_postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'desk' AND pid <> pg_backend_pid()")
        assert observed.ask("GET", "/tickets").status_code == 200
    assert observed.look().json()["status"] == "healthy"
    observed.shows("sessions terminated")

    observed = Observed(server)
    with locked(own_postgres):
        assert observed.ask("GET", "/tickets").json()["code"] == "statement_timeout"
        observed.look()
    observed.shows("database slow")

    observed = Observed(server)
    with locked(own_postgres):
        ended = threading.Event()
        clients = [threading.Thread(target=asking, args=(server, ended)) for _ in range(8)]
        for client in clients:
            client.start()
        try:
            assert until(lambda: observed.ask("GET", "/tickets").json()["code"] == "pool_exhausted")
            assert until(lambda: observed.look().json()["checks"]["database"]["status"] == "unhealthy")
        finally:
            ended.set()
            for client in clients:
                client.join()
    observed.shows("pool exhausted")
    assert until(lambda: observed.look().json()["status"] == "healthy")

    observed = Observed(server)
    own_postgres.stop()
    assert observed.ask("POST", "/tickets", json={"title": "lost"}).status_code == 503
    assert observed.look().status_code == 503
    observed.shows("database down")

    observed = Observed(server)
    own_postgres.start()
    assert until(lambda: observed.ask("GET", "/tickets").status_code == 200)
    assert until(lambda: observed.look().json()["status"] == "healthy")
    assert [row["title"] for row in observed.ask("GET", "/tickets").json()["data"]] == ["kept"]
    observed.shows("database back")

    observed = Observed(server)
    assert observed.ask("POST", "/prices", json={"amount": 1}).status_code == 201
    price = Price(observed)
    assert until(lambda: price.status() == "hit")
    network.silent()
    own_postgres.sql("UPDATE prices SET amount = 2", "desk")
    assert until(lambda: price.status() == "database_unavailable")  # what is kept counts no more: its changes cannot be heard
    assert observed.look().json()["status"] == "unhealthy"
    observed.shows("network to the database silent")
    network.whole()
    assert until(lambda: price.status() == "hit")
    assert price.amount == 2
    assert until(lambda: observed.look().json()["status"] == "healthy")
    assert server.terminate() == 0
