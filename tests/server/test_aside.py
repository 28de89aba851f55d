"""Work in a process of its own has its result, its error, and its end."""

import os
import signal
import subprocess
import sys

import pytest

from codeai.server.aside import AsideDied, aside
from codeai.storage.errors import SchemaMismatch
from services.polling import until

# Ctrl-C while the work is under way, and in the moment before it is handed over.
INTERRUPTED = """
import os, signal, sys, threading, time
from codeai.server.aside import aside
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts in the background ignores it
    interrupt = threading.Timer(float(sys.argv[1]), os.kill, (os.getpid(), signal.SIGINT))
    try:
        interrupt.start()
        aside(time.sleep, 600)
    except KeyboardInterrupt:
        print("interrupted")
"""


def test_the_result_comes_back() -> None:
    assert aside(divmod, 7, 2) == (3, 1)


def test_an_error_is_raised_with_what_it_says() -> None:
    with pytest.raises(SchemaMismatch) as caught:
        aside(_differ)
    assert caught.value.differences == ("a", "b")


def test_a_process_that_is_killed_is_said() -> None:
    with pytest.raises(AsideDied, match="'_die' ended before it was done \\(exit code -9\\)"):
        aside(_die)


@pytest.mark.parametrize("seconds", ["0", "0.02", "0.5"])
def test_who_is_interrupted_ends_and_leaves_no_process(seconds: str, tmp_path) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    with subprocess.Popen([sys.executable, str(script), seconds], stdout=subprocess.PIPE, start_new_session=True) as process:
        answer, _ = process.communicate(timeout=60)
        assert answer == b"interrupted\n"
    until(lambda: not _lives(process.pid), explain=lambda: "a process of the group still runs")


def _lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _differ() -> None:
    raise SchemaMismatch(("a", "b"))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
