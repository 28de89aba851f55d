"""The folder that the processes of an instance share: gone with the instance, also when that was killed."""

import subprocess
import sys
from pathlib import Path

from codeai.observability.processes import instance_folder

HOLDING = """
import sys
from codeai.observability.processes import instance_folder
with instance_folder() as folder:
    (folder / "cells").write_bytes(b"x" * 1000)
    print(folder, flush=True)
    sys.stdin.readline()
"""


def begun() -> tuple["subprocess.Popen[str]", Path]:
    process = subprocess.Popen([sys.executable, "-c", HOLDING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_it_is_removed_at_the_end_and_what_killed_instances_left_at_the_next_start() -> None:
    (living, kept), (killed, left) = begun(), begun()
    try:
        assert kept.stat().st_mode & 0o777 == 0o700
        killed.kill()
        killed.wait(60)  # from now on every server that starts on this machine may remove what it has left
        with instance_folder() as own:
            assert not left.exists()
            assert (kept / "cells").exists()  # of one that lives
        assert not own.exists()
        living.communicate("end\n", timeout=60)
        assert not kept.exists()
    finally:
        living.kill()
        living.wait(60)
