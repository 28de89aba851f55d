"""A shop whose every order leads to rows, events, an execution and a delivery: what must agree after any fault."""

import json
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from services.peer import Seen

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
endpoint GET /orders/{number} { path { number: int }  returns: Order  do { return first Order where number == path.number } }
"""


def environment(url: str, partner: str) -> dict[str, str]:
    """What a server of the shop needs."""
    return {"DATABASE_URL": url, "PARTNER_URL": partner, "CODEAI_OUTBOUND_ALLOW": "127.0.0.1"}


class Books:
    """The database as somebody outside sees it."""

    def __init__(self, url: str, postgres: Any = None) -> None:
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

    def _open(self) -> tuple[str, ...]:
        [row] = self.rows(
            "SELECT (SELECT count(*) FROM codeai_events WHERE relayed = 0),"
            " (SELECT count(*) FROM codeai_deliveries WHERE status = 'pending'),"
            " (SELECT count(*) FROM executions WHERE status <> 'completed')"
        )
        return row

    def settled(self) -> bool:
        """Whether nothing is left to do."""
        return self._open() == ("0", "0", "0")

    def settled_in_the_end(self, still: float = 60.0) -> bool:
        """Waits until nothing is left to do, however much that is; False as soon as nothing has moved for so many seconds."""
        before = self._open()
        while before != ("0", "0", "0"):
            if not until(lambda before=before: self._open() != before, still):  # type: ignore[misc]  # its default is its value
                return False
            before = self._open()
        return True

    def left(self) -> str:
        """What is left to do, for the message of a test that failed."""
        return "\n".join(
            f"{statement}: {self.rows(statement)[:20]}"
            for statement in (
                "SELECT count(*) FROM codeai_events WHERE relayed = 0",
                "SELECT * FROM codeai_deliveries WHERE status = 'pending'",
                "SELECT id, status, error FROM executions WHERE status <> 'completed'",
                "SELECT * FROM codeai_activations",
            )
        )

    def agree(self, accepted: set[int], seen: list[Seen]) -> None:
        """Every accepted order is there once, with all that follows from it; of others all or nothing."""
        orders = self.numbers("SELECT number FROM orders")
        assert {str(number) for number in accepted} <= set(orders)
        assert set(orders.values()) <= {1}
        events = self.rows("SELECT payload FROM codeai_events WHERE name = 'placed'")
        assert Counter(str(json.loads(row[0])["number"]) for row in events) == orders
        assert self.numbers("SELECT number FROM notes") == orders
        assert self.numbers("SELECT number FROM runs") == orders
        assert self.rows("SELECT count(*), count(DISTINCT origin) FROM executions") == [(str(len(orders)), str(len(orders)))]
        assert {row[0] for row in self.rows("SELECT DISTINCT status FROM codeai_deliveries")} <= {"delivered"}
        for kind in ("placed", "noted"):
            assert {str(number) for number in identifiers(seen, kind)} == set(orders)
        assert len({one.headers["webhook-id"] for one in seen}) == 2 * len(orders)


def identifiers(seen: list[Seen], kind: str) -> list[int]:
    """The orders of which the partner was told."""
    return [json.loads(one.body)["data"]["number"] for one in seen if json.loads(one.body)["type"] == kind]


def until(holds: Callable[[], bool], seconds: float = 90) -> bool:
    """Whether something comes about in time; what a fault breaks for a moment while it is asked for may be asked again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(subprocess.CalledProcessError, sqlite3.OperationalError):
            if holds():
                return True
        time.sleep(0.1)
    return False
