"""The clock of the machine jumps under a running server, hours on and hours back: the wall clock of the real process is moved."""

import datetime
import itertools
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from faultpage import Observed
from faultshop import until

from services.process import ServerProcess
from services.wallclock import WallClock

Start = Callable[..., ServerProcess]
HOUR = datetime.timedelta(hours=1)
PROGRAM = """
config { name: "clock"  default_auth: public }
entity Woken { id: uuid, primary, auto  number: int, required }
workflow Nap {
    input { number: int }
    steps { nap { sleep: 30m }  woke { do { create Woken { number: input.number } } } }
}
job Second { schedule: every 1s  overlap: allow  catch_up: latest  do { let nothing = 1 } }
endpoint POST /naps { body { number: int }  do { start Nap { number: body.number } return { ok: true } } }
endpoint GET /time { returns: timestamp  do { return now() } }
"""


def rows(file: Path, statement: str) -> list[Any]:
    connection = sqlite3.connect(file, timeout=10)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def test_a_clock_that_jumps_doubles_nothing_and_stops_nothing(start_server: Start, tmp_path: Path) -> None:
    (tmp_path / "app.cai").write_text(PROGRAM)
    clock, file = WallClock(tmp_path), tmp_path / "app.db"
    server = start_server(tmp_path / "app.cai", env={"DATABASE_URL": f"sqlite:///{file}", **clock.environment})
    observed = Observed(server)

    def shown() -> datetime.datetime:
        return datetime.datetime.fromisoformat(observed.ask("GET", "/time").json())

    def ticks() -> list[datetime.datetime]:
        found = rows(file, "SELECT scheduled_for FROM executions WHERE scheduled_for IS NOT NULL ORDER BY 1")
        return [datetime.datetime.fromisoformat(row[0]) for row in found]

    observed.ask("POST", "/naps", json={"number": 1})
    assert until(lambda: len(ticks()) >= 2)
    before = shown()
    clock.jump(2 * HOUR)
    assert shown() - before > HOUR
    assert until(lambda: rows(file, "SELECT number FROM wokens") == [(1,)]), server.output[-2000:]  # its time has come
    many = len(ticks())
    assert until(lambda: len(ticks()) >= many + 2)  # ticks go on
    observed.ask("POST", "/naps", json={"number": 2})
    assert until(lambda: rows(file, "SELECT count(*) FROM codeai_steps WHERE name = 'nap'") == [(2,)])  # it sleeps
    clock.jump(-5 * HOUR)
    assert before - shown() > HOUR
    assert observed.look().json()["status"] == "healthy"
    observed.shows("clock jumps")
    clock.jump(5 * HOUR)
    many = len(ticks())
    assert until(lambda: len(ticks()) >= many + 2), server.output[-2000:]
    found = ticks()
    assert len(set(found)) == len(found)  # no tick twice
    late = [gap for sooner, later in itertools.pairwise(found) if (gap := later - sooner) > datetime.timedelta(minutes=1)]
    assert len(late) == 1, late  # the jump forward is one gap: what it passed is caught up once
    assert rows(file, "SELECT number FROM wokens") == [(1,)]
    clock.jump(HOUR)
    assert until(lambda: rows(file, "SELECT number FROM wokens ORDER BY 1") == [(1,), (2,)]), server.output[-2000:]
    assert server.terminate() == 0
