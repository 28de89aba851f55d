"""Memory by the place that allocated it, from ``tracemalloc``, which costs nothing until somebody asks.

The first question begins the tracing; it ends by itself some time after the last one. What was there before has no place: it is one
entry, ``[before tracing began]``, the same in all profiles of one tracing, so that it vanishes when two are compared.
"""

from __future__ import annotations

import gc
import linecache
import re
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Final

from codeai.observability.profiling.stacks import Frame, Sample, Stack, module_name, synthetic

_DEPTH: Final = 12
_LOOK: Final = 5.0
_DEFINITION: Final = re.compile(r"(?:async )?(def|class) (\w+)")
_HIDDEN: Final = (tracemalloc.__file__, __file__)


class HeapTracer:
    """Traces the allocations of this process while somebody is interested.

    :param keep: seconds after the last question until tracing ends; 0 never begins it, None never ends it
    :param memory: bytes of the process
    """

    def __init__(self, keep: float | None, memory: Callable[[], float | None]) -> None:
        self.keep = keep
        self._memory = memory
        self._lock = threading.Lock()
        self._ends = 0.0
        self._before = (0, 0)
        self._totals: dict[Stack, list[int]] = {}
        self._last: dict[Stack, tuple[int, int]] = {}
        self._functions = _Functions()

    def samples(self, wait: float = 0.0, *, trace: bool = True) -> list[Sample]:
        """The heap.

        :param wait: seconds to trace before looking
        :param trace: whether tracing may begin
        """
        if trace and self.keep != 0:
            self.trace()
        if wait:
            time.sleep(wait)
        with self._lock:
            before = self._before if tracemalloc.is_tracing() else self._present()
            found = [Sample(synthetic("before tracing began"), (*before, *before))]
            if not tracemalloc.is_tracing():
                return found
            self._look()
            for stack, total in self._totals.items():
                found.append(Sample(stack, (*total, *self._last.get(stack, (0, 0)))))
            return found

    def _present(self) -> tuple[int, int]:
        return sys.getallocatedblocks(), int(self._memory() or 0)

    def trace(self) -> None:
        """Begins to trace, or goes on for longer."""
        with self._lock:
            self._ends = time.monotonic() + (self.keep if self.keep is not None else 1e9)
            if tracemalloc.is_tracing():
                return
            self._before = self._present()
            self._totals.clear()
            self._last = {}
            tracemalloc.start(_DEPTH)
            threading.Thread(target=self._watch, name="codeai-heap", daemon=True).start()

    def _watch(self) -> None:
        """Adds up what was allocated, look by look, until nobody is interested any more."""
        pause = _LOOK
        while True:
            time.sleep(pause)
            with self._lock:
                if time.monotonic() > self._ends:
                    tracemalloc.stop()
                if not tracemalloc.is_tracing():
                    return
                began = time.monotonic()
                self._look()
                pause = max(_LOOK, (time.monotonic() - began) * 50)  # at most 2 % of the time

    def _look(self) -> None:
        now: dict[Stack, tuple[int, int]] = {}
        for stack, count, size in self._traces():
            known = now.get(stack, (0, 0))
            now[stack] = (known[0] + count, known[1] + size)
        for stack, (count, size) in now.items():
            known = self._last.get(stack, (0, 0))
            total = self._totals.setdefault(stack, [0, 0])
            total[0] += max(count - known[0], 0)
            total[1] += max(size - known[1], 0)
        self._last = now

    def _traces(self) -> Iterator[tuple[Stack, int, int]]:
        for statistic in tracemalloc.take_snapshot().statistics("traceback"):
            places = statistic.traceback
            if places[-1].filename not in _HIDDEN:
                stack = tuple(self._functions.frame(place.filename, place.lineno) for place in reversed(places))
                yield stack, statistic.count, statistic.size


class _Functions:
    """The function at a line of a file, by indentation: tracemalloc knows lines only, and compiling every file would take seconds."""

    def __init__(self) -> None:
        self._frames: dict[tuple[str, int], Frame] = {}

    def frame(self, file: str, line: int) -> Frame:
        """The frame of a place."""
        found = self._frames.get((file, line))
        if found is None:
            found = self._frames[file, line] = _frame(file, line)
        return found


def _frame(file: str, line: int) -> Frame:
    lines = linecache.getlines(file)
    name, begins, inside = "", 0, 1_000
    for number in range(min(line, len(lines)), 0, -1):
        text = lines[number - 1]
        stripped = text.lstrip()
        indent = len(text) - len(stripped)
        if not stripped or stripped[0] in "#)]}" or indent >= inside:
            continue
        found = _DEFINITION.match(stripped) if number != line else None
        if found is not None or inside == 1_000:
            inside = indent
        if found is None:
            continue
        inner = f".<locals>.{name}" if found.group(1) != "class" and name else f".{name}" if name else ""
        name = found.group(2) + inner
        begins = begins or number
        if indent == 0:
            break
    return Frame(f"{module_name(file)}.{name or '<module>'}", file, begins, line)


def collect() -> int:
    """Collects garbage, as Go does for ``heap?gc=1``; returns how many objects were unreachable."""
    return gc.collect()
