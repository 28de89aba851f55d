"""Two real versions of a program on one PostgreSQL, in both directions, with kill -9 in between: nothing lost, nothing doubled."""

import os
import subprocess
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.process import ServerProcess

HEAD = """
config { name: "shop"  default_auth: public }
entity Order { id: uuid, primary, auto  number: int, required, unique }
entity Note { id: uuid, primary, auto  text: string, required }
event Placed { payload { number: int, required } }
endpoint POST /orders { body: Order.create  returns: Order  on_success: emit(Placed) }
"""
KEPT = 'on Placed { create Note { text: "kept {event.number}" } }\n'
DROPPED = 'on Placed { create Note { text: "dropped {event.number}" } }\n'
ADDED = """
on Placed { create Note { text: "added {event.number}" } }
workflow Count { trigger: Placed  steps { count { do { create Note { text: "counted {trigger.number}" } } } } }
"""
OLD, NEW = HEAD + KEPT + DROPPED, HEAD + ADDED + KEPT
Start = Callable[..., ServerProcess]


class Orders:
    """Orders that are placed, by what they should lead to."""

    def __init__(self, postgres: Any, name: str) -> None:
        self._postgres, self._name = postgres, name
        self.number = 0

    def place(self, server: ServerProcess, count: int) -> list[int]:
        placed = []
        for _ in range(count):
            self.number += 1
            answer = httpx.post(server.base_url + "/orders", json={"number": self.number})
            assert answer.status_code == 201, answer.text
            placed.append(self.number)
        return placed

    def rows(self, statement: str) -> list[str]:
        return self._postgres.sql(statement, self._name).splitlines()

    def notes(self) -> list[str]:
        return sorted(self.rows("SELECT text FROM notes"))

    def until(self, statement: str, expected: list[str], seconds: float = 100) -> None:
        deadline, found = time.monotonic() + seconds, None
        while found != expected:
            assert time.monotonic() < deadline, found
            with suppress(subprocess.CalledProcessError):
                found = self.rows(statement)
            time.sleep(0.1)


UNSETTLED = (
    "SELECT (SELECT count(*) FROM codeai_events WHERE relayed = 0), (SELECT count(*) FROM codeai_deliveries WHERE status = 'pending'),"
    " (SELECT count(*) FROM executions WHERE status <> 'completed')"
)


def expected(**numbers: list[int]) -> list[str]:
    return sorted(f"{kind} {number}" for kind, found in numbers.items() for number in found)


POINTS = ["before-relay:2", *(["after-relay:2", "before-delivered:3"] if os.environ.get("FAULTS") == "all" else [])]


@pytest.mark.parametrize("point", POINTS)
def test_a_rolling_deploy_and_its_roll_back_lose_and_double_nothing(start_server: Start, tmp_path: Path, postgres: Any, point: str) -> None:
    name = f"r{uuid.uuid4().hex[:16]}"
    environment = {"DATABASE_URL": postgres.create_database(name)}
    for folder, text in (("old", OLD), ("new", NEW)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "app.cai").write_text(text)
    orders = Orders(postgres, name)

    old = start_server(tmp_path / "old" / "app.cai", wait=False, env=environment)
    old.wait_until_ready()
    before = orders.place(old, 2)
    orders.until(UNSETTLED, ["0|0|0"])
    # The new version comes as an API alone, so that the old one relays and meets deliveries for handlers that it lacks.
    api = start_server(tmp_path / "new" / "app.cai", wait=False, env=environment, arguments=("--role", "api"))
    api.wait_until_ready()
    during = [number for _ in range(3) for server in (old, api) for number in orders.place(server, 1)]
    orders.until("SELECT count(*) FROM codeai_events WHERE relayed = 0", ["0"])
    assert not [text for text in orders.notes() if text.startswith(("added", "counted"))]
    assert orders.rows("SELECT count(*) FROM codeai_deliveries WHERE status <> 'delivered' AND (attempts > 0 OR status = 'dead')") == ["0"]

    # A worker of the new version comes, and dies at work.
    worker = start_server(
        tmp_path / "new" / "app.cai", wait=False, env={**environment, "CODEAI_FAULT_POINT": point}, arguments=("--role", "worker")
    )
    deadline = time.monotonic() + 110
    while "died" not in worker.output and worker.process is not None and worker.process.poll() is None:
        during += orders.place(api, 1)
        assert time.monotonic() < deadline, worker.output
        time.sleep(0.3)
    worker.kill()
    old.kill()
    # The leases of the dead end after ten seconds, their versions count for a minute; the test waits for neither.
    orders.rows("UPDATE codeai_activations SET ready_ms = 1 WHERE state <> 0")
    orders.rows("UPDATE codeai_processes SET seen_ms = 1")
    second = start_server(tmp_path / "new" / "app.cai", wait=False, env=environment, arguments=("--role", "worker"))
    orders.until(UNSETTLED, ["0|0|0"])
    assert orders.notes() == expected(kept=before + during, dropped=before, added=during, counted=during)

    # And back: the new version leaves in good order, from then on the old one counts.
    again = start_server(tmp_path / "old" / "app.cai", wait=False, env=environment)
    again.wait_until_ready()
    both = orders.place(again, 2) + orders.place(api, 2)
    orders.until(UNSETTLED, ["0|0|0"])
    assert second.terminate() == 0
    assert api.terminate() == 0
    after = orders.place(again, 2)
    orders.until(UNSETTLED, ["0|0|0"])
    assert orders.notes() == expected(
        kept=before + during + both + after, dropped=before + after, added=during + both, counted=during + both
    )
    assert orders.rows("SELECT status FROM codeai_deliveries WHERE status <> 'delivered'") == []
