"""kill -9 around the outbox and around deliveries: no event lost, no effect doubled, none into a workflow twice."""

import json
import os
import sqlite3
import subprocess
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from services.peer import Peer, Reply, Seen
from services.process import ServerProcess

PROGRAM = """
config { name: "shop"  default_auth: public }
entity Order { id: uuid, primary, auto  number: int, required, unique }
entity Note { id: uuid, primary, auto  number: int, required }
entity Run { id: uuid, primary, auto  number: int, required }
event Placed { payload { number: int, required } }
event Noted { payload { number: int, required } }
on Placed { create Note { number: event.number }  emit Noted { number: event.number } }
workflow Count { trigger: Placed  steps { count { do { create Run { number: trigger.number } } } } }
webhook partners { events: [Placed, Noted]  url: env(PARTNER_URL) }
endpoint POST /orders { body: Order.create  returns: Order  on_success: emit(Placed) }
"""
ORDERS = 6
Start = Callable[..., ServerProcess]
OFTEN = [
    ("sqlite", "after-emit:3"),
    ("sqlite", "before-relay:2"),
    ("sqlite", "before-delivered:3"),
    ("sqlite", "after-send:3"),
    ("postgresql", "before-delivered:3"),
]
# Those that the others nearly imply; FAULTS=all runs them, too.
SELDOM = [
    ("sqlite", "after-relay:2"),
    ("sqlite", "before-handler:2"),
    ("sqlite", "after-delivered:3"),
    ("postgresql", "after-emit:3"),
    ("postgresql", "before-relay:2"),
    ("postgresql", "after-send:3"),
]
CASES = OFTEN + (SELDOM if os.environ.get("FAULTS") == "all" else [])


class Books:
    """The database as somebody outside sees it."""

    def __init__(self, url: str, postgres: Any) -> None:
        self._path = url.removeprefix("sqlite:///") if url.startswith("sqlite") else None
        self._postgres, self._name = postgres, url.rpartition("/")[2]

    def rows(self, statement: str) -> list[tuple[str, ...]]:
        if self._path is not None:
            with sqlite3.connect(self._path, timeout=10) as connection:
                found = [tuple(str(value) for value in row) for row in connection.execute(statement)]
            connection.close()
            return found
        text = self._postgres.sql(statement, self._name)
        return [tuple(line.split("|")) for line in text.splitlines()]

    def numbers(self, statement: str) -> Counter[str]:
        return Counter(row[0] for row in self.rows(statement))


@pytest.fixture
def partner() -> Iterator[Peer]:
    with Peer(lambda seen: Reply(200)) as peer:
        yield peer


def killed(server: ServerProcess) -> None:
    """Ends a server and all its processes without any farewell."""
    assert server.process is not None
    with suppress(psutil.NoSuchProcess):
        whole = psutil.Process(server.process.pid)
        for process in [whole, *whole.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
    server.process.wait(10)


def settled(books: Books) -> bool:
    [row] = books.rows(
        "SELECT (SELECT count(*) FROM codeai_events WHERE relayed = 0), (SELECT count(*) FROM codeai_deliveries WHERE status = 'pending'),"
        " (SELECT count(*) FROM executions WHERE status <> 'completed')"
    )
    return row == ("0", "0", "0")


def until(holds: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(subprocess.CalledProcessError, sqlite3.OperationalError):
            if holds():
                return True
        time.sleep(0.1)
    return False


def identifiers(seen: list[Seen], kind: str) -> list[int]:
    return [json.loads(one.body)["data"]["number"] for one in seen if json.loads(one.body)["type"] == kind]


@pytest.mark.parametrize(("dialect", "point"), CASES, ids=["-".join(case) for case in CASES])
def test_nothing_is_lost_and_nothing_doubled(
    start_server: Start, tmp_path: Path, request: pytest.FixtureRequest, partner: Peer, dialect: str, point: str
) -> None:
    postgres = request.getfixturevalue("postgres") if dialect == "postgresql" else None
    url = postgres.create_database(f"f{uuid.uuid4().hex[:16]}") if postgres is not None else f"sqlite:///{tmp_path}/data/app.db"
    (tmp_path / "app.cai").write_text(PROGRAM)
    environment = {"DATABASE_URL": url, "PARTNER_URL": partner.url, "CODEAI_OUTBOUND_ALLOW": "127.0.0.1"}
    books = Books(url, postgres)

    first = start_server(tmp_path / "app.cai", wait=False, env={**environment, "CODEAI_FAULT_POINT": point})
    first.wait_until_ready(90)
    accepted = 0
    for number in range(ORDERS):
        with suppress(httpx.HTTPError):
            accepted += httpx.post(first.base_url + "/orders", json={"number": number}, timeout=5).status_code == 201
    assert first.process is not None
    gone = first.process
    died = until(lambda: gone.poll() is not None or "died" in first.output, 8)
    assert died, f"the point was not passed:\n{first.output}"
    killed(first)

    # The leases of the dead end by themselves after ten seconds; the test does not wait for that.
    ended = "UPDATE codeai_activations SET ready_ms = 1 WHERE state <> 0"
    books.rows(ended)
    second = start_server(tmp_path / "app.cai", wait=False, env=environment)
    second.wait_until_ready(90)
    assert until(lambda: settled(books), 40), second.output
    assert second.terminate() == 0

    orders = books.numbers("SELECT number FROM orders")
    assert len(orders) >= accepted
    events = books.rows("SELECT payload FROM codeai_events WHERE name = 'placed'")
    assert Counter(str(json.loads(row[0])["number"]) for row in events) == orders
    assert books.numbers("SELECT number FROM notes") == orders
    assert books.numbers("SELECT number FROM runs") == orders
    assert books.rows("SELECT count(*), count(DISTINCT origin) FROM executions") == [(str(len(orders)), str(len(orders)))]
    assert {row[0] for row in books.rows("SELECT DISTINCT status FROM codeai_deliveries")} <= {"delivered"}
    for kind in ("placed", "noted"):
        assert {str(number) for number in identifiers(partner.seen, kind)} == set(orders)
    by_identifier = {seen.headers["webhook-id"]: seen.body for seen in partner.seen}
    assert len(by_identifier) == 2 * len(orders)
