"""Who uses the processor: some processes with all that they have started, and everybody else on the machine."""

import os
import resource
from pathlib import Path

import psutil

_BUSY = (0, 1, 2, 5, 6, 7)  # user, nice, system, irq, softirq, steal: see proc(5)
_TICK = os.sysconf("SC_CLK_TCK")


def processor(process: psutil.Process) -> float:
    """Seconds of processor time that a process and its living descendants have used: of all their threads, by the scheduler's account,
    which counts nanoseconds where utime and stime count ticks of 10 ms.
    """
    tree = (process, *process.children(recursive=True))
    return sum(_thread(file) for each in tree for file in Path(f"/proc/{each.pid}/task").glob("*/schedstat"))


def _thread(file: Path) -> float:
    try:
        return int(file.read_text().split()[0]) / 1e9
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return 0.0


def others() -> float:
    """Seconds of processor time that went to anything but this process and what it has started (to other guests of the host, too)."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    busy = sum(int(fields[at]) for at in _BUSY) / _TICK
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return busy - processor(psutil.Process()) - ended.ru_utime - ended.ru_stime
