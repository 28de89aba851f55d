"""Two servers on one PostgreSQL are replaced one after the other while clients order and a schedule ticks: no request fails, all agrees."""

import datetime
import itertools
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from extent import ALL, SECONDS
from faultload import Load
from faultshop import PROGRAM, Books, environment, until

from services.peer import Peer, Reply
from services.process import ServerProcess

Start = Callable[..., ServerProcess]
TICKING = PROGRAM + 'job Second { schedule: every 1s  overlap: allow  catch_up: all  do { create Tick { text: "tick" } } }\n'
TICKING += "entity Tick { id: uuid, primary, auto  text: string, required }\n"


class Balancer:
    """Sends requests to servers that are ready, as a load balancer does that asks them ten times a second."""

    def __init__(self, servers: list[ServerProcess]) -> None:
        self.servers = list(servers)
        self.ready = [server.base_url for server in servers]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._probe)

    def _probe(self) -> None:
        with httpx.Client(timeout=2) as client:
            while not self._ended.wait(0.1):
                for server in list(self.servers):
                    self._seen(server.base_url, self._answers(client, server.base_url))

    @staticmethod
    def _answers(client: httpx.Client, url: str) -> bool:
        with suppress(httpx.HTTPError):
            return client.get(url + "/health/ready").status_code == 200
        return False

    def _seen(self, url: str, ready: bool) -> None:
        """Counts at once, not when the others have answered, too: one that begins may take its time, one that ends waits for nobody."""
        known = {server.base_url for server in self.servers} - {url}
        others = [other for other in self.ready if other in known]
        self.ready = [*others, url] if ready else others or self.ready

    def __enter__(self) -> "Balancer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


@pytest.mark.timeout(300 + 3 * SECONDS)
def test_s109_servers_are_replaced_and_no_request_fails(start_server: Start, tmp_path: Path, postgres: Any) -> None:
    (tmp_path / "app.cai").write_text(TICKING)
    url = postgres.create_database()
    books = Books(url, postgres)
    with Peer(lambda seen: Reply(200)) as partner:
        env = {**environment(url, partner.url), "CODEAI_DRAIN_DELAY": "5s", "LOG_LEVEL": "warn"}

        def begun() -> ServerProcess:
            return start_server(tmp_path / "app.cai", env=env)

        with Balancer([begun(), begun()]) as balancer, Load(lambda: balancer.ready, pause=0.1 if ALL else 0.3).running() as load:
            time.sleep(1)  # both work
            ends = time.monotonic() + (SECONDS if ALL else 0)
            while True:
                for old in list(balancer.servers):
                    fresh = begun()
                    balancer.servers.append(fresh)
                    assert until(lambda fresh=fresh: fresh.base_url in balancer.ready)
                    assert old.terminate() == 0
                    balancer.servers.remove(old)
                if time.monotonic() > ends:
                    break
        print(f"{len(load.accepted)} orders, refused: {dict(load.refused)}")
        assert load.refused == {}
        assert len(load.accepted) > 20
        orders = "SELECT (SELECT count(*) FROM executions WHERE origin NOT LIKE 'schedule%'), (SELECT count(*) FROM executions)"
        assert until(lambda: int(books.rows("SELECT count(*) FROM runs")[0][0]) == len(load.accepted)), books.rows(orders)
        assert until(lambda: {str(number) for number in load.accepted} == set(books.numbers("SELECT number FROM notes")))
        for table in ("orders", "notes", "runs"):
            assert books.numbers(f"SELECT number FROM {table}") == {str(number): 1 for number in load.accepted}
        # Two schedulers, four in the course of it: each second has its tick, none has two.
        ticks = [
            datetime.datetime.fromisoformat(row[0].replace("+00", "+00:00"))
            for row in books.rows("SELECT scheduled_for FROM executions WHERE scheduled_for IS NOT NULL ORDER BY 1")
        ]
        assert len(ticks) > 5
        assert {later - sooner for sooner, later in itertools.pairwise(ticks)} == {datetime.timedelta(seconds=1)}
