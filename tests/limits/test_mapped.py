"""The counts that processes of one server share in a file: together they let through what the limit says, whatever one of them does."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from codeai.limits.mapped import MappedLimits
from codeai.limits.rules import Rule

RULE = Rule(1_000, 3_600_000, "token_bucket")
TAKING = """
import sys
from pathlib import Path
from codeai.limits import mapped
from codeai.limits.mapped import MappedLimits
from codeai.limits.rules import Rule
mapped._PATIENCE = 60.0  # on a busy machine another one may have the lock and no processor
limits = MappedLimits(Path(sys.argv[1]), lambda: 1_764_072_000_000.0)
print("ready", flush=True)
sys.stdin.readline()
print(sum(limits.decide("limit", "me", Rule(1_000, 3_600_000, "token_bucket")).allowed for _ in range(700)))
"""
HOLDING = """
import sys, time
from pathlib import Path
from codeai.limits.mapped import MappedLimits
limits = MappedLimits(Path(sys.argv[1]), buckets=1)
assert limits._locked(0)
print("ready", flush=True)
time.sleep(600)
"""


def begun(code: str, path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@contextmanager
def opened(path: Path, buckets: int = 1, now: float = 1_764_072_000_000.0) -> Iterator[MappedLimits]:
    limits = MappedLimits(path, lambda: now, buckets)
    try:
        yield limits
    finally:
        limits.close()


def test_processes_that_take_at_the_same_time_get_no_more_than_the_limit(tmp_path: Path) -> None:
    processes = [begun(TAKING, tmp_path / "limits") for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    passed = [int(process.communicate(timeout=60)[0]) for process in processes]
    assert sum(passed) == 1_000  # of 2,100 that were asked for


def test_counts_outlive_the_process_that_counted(tmp_path: Path) -> None:
    rule = Rule(2, 60_000, "sliding_window")
    with opened(tmp_path / "limits") as first:
        assert [first.decide("limit", "me", rule).allowed for _ in range(3)] == [True, True, False]
    with opened(tmp_path / "limits") as second:
        assert not second.decide("limit", "me", rule).allowed
        assert second.decide("limit", "you", rule).allowed


def test_who_dies_with_a_lock_locks_nobody_out_and_who_stands_still_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rule, tries = Rule(1, 60_000, "fixed_window"), []
    with opened(tmp_path / "limits") as limits:
        holder = begun(HOLDING, tmp_path / "limits")
        holder.send_signal(signal.SIGSTOP)
        try:
            assert [limits.decide("limit", "me", rule).allowed for _ in range(2)] == [True, False]  # by counts of its own
            tried = limits._tried
            monkeypatch.setattr(limits, "_tried", lambda bucket: tries.append(bucket) or tried(bucket))
            assert sum(limits.decide("limit", "me", rule).allowed for _ in range(100)) == 0
            assert 100 <= len(tries) < 1_000  # mostly one try each: who waits for the lock is one of many
        finally:
            holder.kill()
            holder.wait(60)
        assert [limits.decide("limit", "me", rule).allowed for _ in range(2)] == [True, False]  # by those in the file


def test_a_full_bucket_forgets_who_runs_out_first(tmp_path: Path) -> None:
    with opened(tmp_path / "limits") as limits:
        long, short = Rule(1, 3_600_000, "fixed_window"), Rule(1, 1_000, "fixed_window")
        assert limits.decide("limit", "long", long).allowed
        for number in range(200):
            assert limits.decide("limit", f"short {number}", short).allowed
        assert not limits.decide("limit", "long", long).allowed
        assert limits.decide("limit", "short 0", short).allowed  # forgotten: nobody is kept out by others


def test_a_file_for_which_there_is_no_room_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"File too large|No space left"):
        MappedLimits(tmp_path / "limits", buckets=2**50 // 768)


@pytest.mark.parametrize("key", ["", "\0", "ü" * 10_000, "\udcff", "2001:db8::/64"])
def test_any_key_counts(tmp_path: Path, key: str) -> None:
    rule = Rule(1, 60_000, "leaky_bucket")
    with opened(tmp_path / "limits") as limits:
        assert [limits.decide("limit", key, rule).allowed for _ in range(2)] == [True, False]
