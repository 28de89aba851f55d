"""Durable work that is heavy, poisoned, or left behind by a deploy, on real servers."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from extent import ALL
from faultpage import Observed
from faultshop import Books, until

from services.peer import Peer, Reply
from services.process import ServerProcess

Start = Callable[..., ServerProcess]
QUEUED = 10_000 if ALL else 2_000
HEAVY = """
config { name: "heavy"  default_auth: public }
entity Done { id: uuid, primary, auto  what: string, required }
integration Bank { base_url: env(BANK_URL)  operation get { path: "/"  returns json } }
workflow Fetch { steps { get { call: Bank.get { }  retry: 0 times }  note { do { create Done { what: "fetched" } } } } }
workflow Tiny { steps { a { do { return 1 } } } }
endpoint POST /fetch { do { start Fetch { } return { ok: true } } }
endpoint POST /tiny { body { numbers: list(int) }  do { for number in body.numbers { start Tiny { } } return { ok: true } } }
"""


def test_ten_megabytes_and_thousands_of_executions_are_work_like_other_work(start_server: Start, tmp_path: Path) -> None:
    (tmp_path / "app.cai").write_text(HEAVY)
    with Peer(lambda seen: Reply(200, b'{"text":"' + b"x" * 10_000_000 + b'"}')) as bank:
        url = f"sqlite:///{tmp_path}/app.db"
        server = start_server(tmp_path / "app.cai", env={"DATABASE_URL": url, "BANK_URL": bank.url})
        books, observed = Books(url), Observed(server)
        observed.ask("POST", "/fetch")
        assert until(lambda: books.rows("SELECT what FROM dones") == [("fetched",)]), server.output[-2000:]
        [(status, size)] = books.rows("SELECT status, length(output) FROM codeai_steps WHERE name = 'get'")
        assert (status, int(size) > 10_000_000) == ("done", True)
        for _ in range(QUEUED // 500):
            assert observed.ask("POST", "/tiny", json={"numbers": list(range(500))}).status_code == 200
        assert observed.look().json()["status"] == "healthy"  # while thousands wait
        observed.shows("many executions wait")
        assert until(lambda: books.rows("SELECT status, count(*) FROM executions GROUP BY status") == [("completed", str(QUEUED + 1))], 120)
        assert server.terminate() == 0


POISON = """
config { name: "poison"  default_auth: public }
entity Done { id: uuid, primary, auto  what: string, required }
workflow Poison { steps { a { activity: bad.die {}  retry: 0 times } } }
workflow Nap { input { what: string }  steps { nap { sleep: 1s }  b { do { create Done { what: input.what } } } } }
endpoint POST /poison { do { start Poison { } return { ok: true } } }
endpoint POST /naps { body { what: string }  do { start Nap { what: body.what } return { ok: true } } }
"""
DIE = "import os\n\ndef die():\n    os._exit(9)\n"


@pytest.mark.timeout(900 if ALL else 240)
def test_work_that_kills_its_workers_takes_nobody_with_it_and_is_given_up(start_server: Start, tmp_path: Path, postgres: Any) -> None:
    (tmp_path / "activities").mkdir()
    (tmp_path / "app.cai").write_text(POISON)
    (tmp_path / "activities" / "bad.py").write_text(DIE)
    url = postgres.create_database()
    server = start_server(tmp_path, env={"DATABASE_URL": url})
    books, observed = Books(url, postgres), Observed(server)

    def deaths() -> int:
        return server.output.count('"msg":"worker died"')

    observed.ask("POST", "/naps", json={"what": "before"})
    observed.ask("POST", "/poison")
    assert until(lambda: deaths() == 1)
    assert observed.ask("POST", "/naps", json={"what": "after"}).status_code == 200
    assert until(lambda: len(books.rows("SELECT what FROM dones")) == 2), books.left()
    if not ALL:  # else it takes its twenty deaths, nine minutes
        # The lease of the dead has ended, for the twentieth time.
        books.rows("UPDATE codeai_activations SET attempts = 19, ready_ms = 1 WHERE kind = 'execution'")
    assert until(lambda: books.rows("SELECT status FROM executions WHERE workflow_id = 'Poison'") == [("failed",)], 750 if ALL else 60)
    observed.ask("GET", "/api/v1/executions?status=failed")
    assert observed.look().json()["status"] == "healthy"
    observed.shows("work kills its workers")
    assert server.terminate() == 0


CHANGING = """
config { name: "deploys"  default_auth: public }
entity Done { id: uuid, primary, auto  what: string, required }
endpoint GET /done { do { return select Done order by what } }
"""
WAITS = """
workflow Changing { steps { nap { wait: Go }  say { do { create Done { what: "VERSION" } } } } }
event Go { payload { } }
endpoint POST /start { do { start Changing { } return { ok: true } } }
endpoint POST /go { do { emit Go { } return { ok: true } } }
"""


def test_executions_end_on_the_definition_with_which_they_began(start_server: Start, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/app.db"
    books = Books(url)

    def deployed(version: str) -> tuple[ServerProcess, Observed]:
        (tmp_path / "app.cai").write_text(CHANGING + WAITS.replace("VERSION", version))
        server = start_server(tmp_path / "app.cai", env={"DATABASE_URL": url})
        return server, Observed(server)

    for version in ("one", "two"):
        server, observed = deployed(version)
        observed.ask("POST", "/start")
        wanted = [("waiting", "1" if version == "one" else "2")]
        statuses = "SELECT status, count(*) FROM executions GROUP BY status"
        assert until(lambda wanted=wanted, text=statuses: books.rows(text) == wanted), server.output[-2000:]
        if version == "one":
            assert server.process is not None
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait(10)
            assert not psutil.pid_exists(server.process.pid)
    observed.ask("POST", "/go")
    assert until(lambda: [row["what"] for row in observed.ask("GET", "/done").json()] == ["one", "two"]), server.output[-2000:]
    assert {row[0] for row in books.rows("SELECT status FROM executions")} == {"completed"}
