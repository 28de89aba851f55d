"""Lines on their way out: collected without waiting, written in batches by a thread, lost and counted rather than waited for."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

_MOST: Final = 50_000
_PAUSE: Final = 0.02


class Sink(Protocol):
    """Where bytes go."""

    def write(self, content: bytes) -> None:
        """Writes all of it; raises OSError."""

    def reopen(self) -> None:
        """Lets go of a file that was moved away."""


class Stream:
    """A file descriptor that was open before, as standard output."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, content: bytes) -> None:
        """See ``Sink``."""
        _write_all(self._descriptor, content)

    def reopen(self) -> None:
        """See ``Sink``."""


class LogFile:
    """A file that grows, and is opened anew when it was moved or removed (acceptance T12).

    :raises OSError: it cannot be opened; its folder is made where that is allowed
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = self._open()

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def write(self, content: bytes) -> None:
        """See ``Sink``."""
        if self._moved():
            self.reopen()
        _write_all(self._descriptor, content)

    def _moved(self) -> bool:
        try:
            there = self._path.stat()
        except OSError:
            return True
        here = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino) and stat.S_ISREG(here.st_mode)

    def reopen(self) -> None:
        """See ``Sink``; goes on with the old file while there can be no new one."""
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._open()
            os.close(self._descriptor)
            self._descriptor = fresh


def _write_all(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


class LineWriter:
    """Takes lines from any thread and never makes it wait. Order is kept; beyond a bound, lines are lost and counted.

    :param notice: the line that says how many were lost, written as soon as something can be written again
    :param most: the most lines of a kilobyte that wait
    """

    def __init__(self, sink: Sink, notice: Callable[[int], bytes], most: int = _MOST) -> None:
        self._sink = sink
        self._notice = notice
        self._lines: deque[bytes] = deque()
        self._most = most
        self.lost = 0
        self._untold = 0
        self._torn = False
        self._wake = threading.Event()
        self._ended = False
        self._reopen = False
        self._thread = threading.Thread(target=self._run, name="codeai-log", daemon=True)
        self._thread.start()

    def line(self, line: bytes) -> None:
        """Takes a line, which ends with a line feed."""
        if len(self._lines) * (1 + (len(line) >> 10)) >= self._most:  # a large one takes the place of as many as it has kilobytes
            self._count(1)
            return
        self._lines.append(line)
        if not self._wake.is_set():
            self._wake.set()

    def reopen(self) -> None:
        """Has the file opened anew before the next line."""
        self._reopen = True
        self._wake.set()

    def close(self, timeout: float = 2.0) -> None:
        """Writes what is left, within ``timeout`` seconds."""
        self._ended = True
        self._wake.set()
        self._thread.join(timeout)

    def flush(self, timeout: float = 2.0) -> None:
        """Waits until everything taken so far is written, at most ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while (self._lines or self._wake.is_set()) and time.monotonic() < deadline:
            time.sleep(0.005)

    def _run(self) -> None:
        while not (self._ended and not self._lines):
            self._wake.wait()
            if not self._ended:
                time.sleep(_PAUSE)  # lines come in bursts; one write for many, and few changes of thread
            if self._reopen:
                self._reopen = False
                self._sink.reopen()
            taken = [self._lines.popleft() for _ in range(min(len(self._lines), 5_000))]
            self._write(taken)
            if not self._lines and not self._ended:
                self._wake.clear()
                if self._lines:  # it came in between
                    self._wake.set()

    def _write(self, lines: list[bytes]) -> None:
        if not lines and not self._untold:
            return
        notice = self._notice(self._untold) if self._untold else b""
        try:
            self._sink.write((b"\n" if self._torn else b"") + notice + b"".join(lines))
        except OSError:
            self._torn = True  # perhaps the first half of a line is written
            self._count(len(lines))
            return
        self._torn = False
        if notice:
            self._untold = 0

    def _count(self, lines: int) -> None:
        self.lost += lines
        self._untold += lines
