"""Workers that die or find no database: when the next begins, and that the end of the server does not wait for it (acceptance S106)."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from codeai.server.deaths import FIRST_PAUSE, LONGEST_PAUSE, TOO_MANY, WINDOW, Deaths
from codeai.server.supervisor import AWAY
from services.polling import eventually

SUPERVISED = """
import logging, sys
from codeai.server.deaths import Deaths
from codeai.server import supervisor
logging.basicConfig(level="INFO")
supervisor._AWAY_PAUSE = 0.0
own = [sys.executable, "-c", sys.argv[1]]
sys.exit(supervisor.Supervisor(own, ["1"], {}, 5.0, lambda: None, deaths=Deaths(float(sys.argv[2]))).run())
"""


def test_pauses_grow_with_deaths_in_a_row_and_are_short_again_after_quiet_times() -> None:
    deaths = Deaths()
    assert [deaths.pause(at) for at in (0.0, 1.0, 2.0)] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert deaths.pause(2.0 + WINDOW) == FIRST_PAUSE
    assert deaths.pause(3.0 + WINDOW) == 2 * FIRST_PAUSE


def test_pauses_stay_bearable_and_too_many_deaths_end_it() -> None:
    deaths = Deaths()
    rare = WINDOW / (TOO_MANY - 1) + 0.1
    assert max(deaths.pause(number * rare) or 0 for number in range(50)) == LONGEST_PAUSE
    hasty = Deaths()
    assert [hasty.pause(number) is None for number in range(TOO_MANY)] == [False] * (TOO_MANY - 1) + [True]


def supervised(worker: str, first_pause: float, log: Path) -> subprocess.Popen[bytes]:
    """A supervisor of one worker that runs a text."""
    with log.open("wb") as file:
        return subprocess.Popen([sys.executable, "-c", SUPERVISED, worker, str(first_pause)], stderr=file)


async def test_the_end_does_not_wait_for_the_next_start(tmp_path: Path) -> None:
    log = tmp_path / "log"
    server = supervised("import os; os._exit(9)", 600.0, log)
    await eventually(lambda: "worker died" in log.read_text())
    server.send_signal(signal.SIGTERM)
    try:
        assert server.wait(30) == 0
    finally:
        server.kill()


@pytest.mark.parametrize("before", [2, TOO_MANY + 2])
def test_however_often_a_worker_finds_no_database_the_server_waits(tmp_path: Path, before: int) -> None:
    starts = tmp_path / "starts"
    text = f"""
import os
with open({str(starts)!r}, "a") as file:
    file.write("x")
os._exit({AWAY} if os.path.getsize({str(starts)!r}) <= {before} else 0)"""
    assert supervised(text, 0.0, tmp_path / "log").wait(30) == 0
    assert starts.stat().st_size == before + 1
