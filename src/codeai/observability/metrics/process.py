"""The process as metrics: memory, processor time, open files, threads, the lag of the event loop."""

from __future__ import annotations

import asyncio
import os
import platform
import resource
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from codeai.observability.metrics.instruments import Histogram, Metrics, Reading

_PAUSE: Final = 0.5
_PAGE: Final = resource.getpagesize()
_LAGS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


def add_process_metrics(metrics: Metrics, process: str, versions: dict[str, str]) -> Histogram:
    """Adds the gauges of this process; returns the histogram that ``watch_loop`` feeds.

    :param versions: what ``codeai_build_info`` says beside the versions of Python and the platform
    """
    labels = ("process",)
    began = time.time()

    def here(value: float | None) -> Iterable[Reading]:
        return [((process,), value)] if value is not None else []

    metrics.gauge("process_resident_memory_bytes", "Memory in use.", lambda: here(resident_memory()), labels)
    metrics.gauge("process_cpu_seconds", "Processor time since the start.", lambda: here(time.process_time()), labels)
    metrics.gauge("process_open_fds", "Open file descriptors.", lambda: here(_descriptors()), labels)
    metrics.gauge("process_threads", "Threads.", lambda: here(float(threading.active_count())), labels)
    metrics.gauge("process_start_time_seconds", "Start, in seconds since the epoch.", lambda: here(began), labels)
    facts = {**versions, "python": platform.python_version(), "platform": sys.platform}
    metrics.gauge("codeai_build_info", "What runs here.", lambda: [(tuple(facts.values()), 1.0)], tuple(facts), merge="max")
    return metrics.histogram("event_loop_lag_seconds", "How late the event loop comes to what is due.", buckets=_LAGS)


async def watch_loop(lag: Histogram) -> None:
    """Measures until cancelled, twice a second, how late a timer comes."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _PAUSE
        await asyncio.sleep(_PAUSE)
        lag.observe(max(loop.time() - due, 0.0))


def resident_memory() -> float | None:
    """The bytes of this process in memory; None where the system does not say."""
    try:
        return float(int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE)
    except OSError:
        return None


def _descriptors() -> float | None:
    try:
        return float(len(os.listdir("/proc/self/fd")))  # noqa: PTH208  # counted, not opened
    except OSError:
        return None
