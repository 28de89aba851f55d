"""Two servers on one PostgreSQL database: every tick runs once, also when one of them dies without a word."""

import datetime
import itertools
import uuid
from pathlib import Path
from typing import Any

from services.polling import until
from services.postgres import PostgresServer

PROGRAM = """
config { name: "ticks"  default_auth: public }
entity Note { id: uuid, primary, auto  text: string, required }
job Second { schedule: every 1s  overlap: allow  catch_up: all  do { create Note { text: "tick" } } }
"""


def test_each_tick_of_two_servers_runs_once_though_one_is_killed(postgres: PostgresServer, start_server: Any, tmp_path: Path) -> None:
    name = f"t{uuid.uuid4().hex[:16]}"
    env = {"DATABASE_URL": postgres.create_database(name)}
    program = tmp_path / "ticks.cai"
    program.write_text(PROGRAM)

    def count() -> int:
        return int(postgres.sql("SELECT count(*) FROM executions WHERE status = 'completed'", name))

    first = start_server(program, env=env, wait=False)
    first.wait_until_ready()
    second = start_server(program, env=env, wait=False)
    second.wait_until_ready()
    until(lambda: count() >= 4)
    first.kill()
    killed = count()
    until(lambda: count() >= killed + 14)  # the lease of the dead one ends after ten seconds, and what it missed is made up for
    second.terminate()
    rows = postgres.sql("SELECT scheduled_for, count(*) FROM executions GROUP BY 1 ORDER BY 1", name).splitlines()
    instants = [datetime.datetime.fromisoformat(row.split("|")[0]) for row in rows]
    assert {row.split("|")[1] for row in rows} == {"1"}
    assert {later - sooner for sooner, later in itertools.pairwise(instants)} == {datetime.timedelta(seconds=1)}
    notes = int(postgres.sql("SELECT count(*) FROM notes", name))
    assert notes == count()
