"""The processor's time by stack.

While a profile is taken, the kernel interrupts the process after every ten milliseconds of processor time that it has used
(``SIGPROF``). Python handles the signal on the main thread, right where that thread is: this is what makes short requests
visible, of which a sampling thread would only ever see the pauses in between, because it has to wait for the interpreter's lock.
Each thread is then charged with what it has used since the last interruption, by the kernel's count, so that a thread that
waits costs nothing. What is used outside of Python's threads (the HTTP server's own) is charged to a stack of its own.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Final

from codeai.observability.profiling.stacks import CPU, Sample, Stack, stack_of, synthetic
from codeai.observability.profiling.waits import waits

_INTERVAL: Final = CPU.period / 1e9
_PER_THREAD: Final = 0b110
"""Of a clock's id: one thread's (4), as the scheduler counts it (2)."""
OnMain = Callable[[Callable[[], None]], bool]
"""Does something on the main thread, soon; False when that thread does not come to it."""


class _Clock:
    """Nanoseconds of processor that a thread has used.

    By its clock (clock_getcpuclockid(3), built from the kernel's id of the thread as glibc does): exact at each reading, where
    ``/proc/self/task/*/schedstat`` is behind by what a running thread has used since it was last accounted for. An id whose
    thread has ended is an error here, not a crash as with :func:`time.pthread_getcpuclockid`.
    """

    def __init__(self, native: int) -> None:
        self._id = (~native << 3) | _PER_THREAD if native and sys.platform == "linux" else None
        self._last = self._read() or 0

    def _read(self) -> int | None:
        if self._id is None:
            return None
        try:
            return time.clock_gettime_ns(self._id)
        except OSError:
            return None

    def used(self, frame: FrameType) -> int:
        """What the thread has used since the last call; where the system does not say, a period unless it waits."""
        now = self._read()
        if now is None:
            return 0 if self._id is not None or waits(frame) else CPU.period
        used, self._last = now - self._last, now
        return used


class _Tally:
    """What was charged to which stack."""

    def __init__(self) -> None:
        self._clocks: dict[int, _Clock] = {}
        self._found: dict[Stack, list[int]] = {}
        self._charged = 0
        self._began = time.process_time_ns()
        self.look(sys._current_frames())

    def look(self, frames: Mapping[int, FrameType]) -> None:
        """Charges every thread with what it has used since the last look."""
        native: dict[int | None, int | None] = {}
        for ident, frame in frames.items():
            clock = self._clocks.get(ident)
            if clock is None:
                native = native or {thread.ident: thread.native_id for thread in threading.enumerate()}
                self._clocks[ident] = _Clock(native.get(ident) or 0)
                continue
            used = clock.used(frame)
            if used > 0:
                self._charged += used
                counts = self._found.setdefault(stack_of(frame), [0, 0])
                counts[0] += 1
                counts[1] += used

    def samples(self) -> list[Sample]:
        """Everything, with the rest of what the process has used."""
        found = [Sample(stack, (count, used)) for stack, (count, used) in self._found.items()]
        rest = time.process_time_ns() - self._began - self._charged
        if rest > CPU.period:
            found.append(Sample(synthetic("outside of Python: HTTP server, drivers"), (rest // CPU.period, rest)))
        return found


def sample_cpu(seconds: float, stopping: Callable[[], bool], on_main: OnMain) -> list[Sample]:
    """A profile of this process.

    :param seconds: for how long; the calling thread waits
    :param stopping: ends it early
    :param on_main: does something on the main thread
    """
    tally = _Tally()
    interruptions = _Interruptions(tally)
    ends = time.monotonic() + seconds
    if on_main(interruptions.begin):
        while time.monotonic() < ends and not stopping():
            time.sleep(min(0.1, max(ends - time.monotonic(), 0)))
        on_main(interruptions.end)
    else:  # it is stuck, and looking from here shows where
        while time.monotonic() < ends and not stopping():
            tally.look(sys._current_frames())
            time.sleep(_INTERVAL)
        tally.look(sys._current_frames())
    return tally.samples()


class _Interruptions:
    """Looks whenever the process has used another period."""

    def __init__(self, tally: _Tally) -> None:
        self._tally = tally
        self._main = threading.main_thread().ident or 0

    def begin(self) -> None:
        """To be called on the main thread."""
        signal.signal(signal.SIGPROF, self._interrupted)
        signal.siginterrupt(signal.SIGPROF, False)
        signal.setitimer(signal.ITIMER_PROF, _INTERVAL, _INTERVAL)

    def end(self) -> None:
        """To be called on the main thread. A signal that is still on its way is ignored: by default it would end the process."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        frames = dict(sys._current_frames())
        if frame is not None:
            frames[self._main] = frame
        self._tally.look(frames)
