"""Memory by the place that allocated it, from ``tracemalloc``, which costs nothing until somebody asks.

The first question begins the tracing; it ends by itself some time after the last one. What was there before has no place: it is one
entry, ``[before tracing began]``, the same in all profiles of one tracing, so that it vanishes when two are compared.
"""

from __future__ import annotations

import gc
import linecache
import sys
import threading
import time
import tracemalloc
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Final

from codeai.observability.profiling.stacks import Frame, Sample, Stack, frame_of, synthetic

_DEPTH: Final = 12
_LOOK: Final = 5.0
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
    """The function at a line of a file: tracemalloc knows lines only."""

    def __init__(self) -> None:
        self._files: dict[str, tuple[list[int], list[CodeType]]] = {}
        self._frames: dict[tuple[str, int], Frame] = {}

    def frame(self, file: str, line: int) -> Frame:
        """The frame of a place."""
        found = self._frames.get((file, line))
        if found is None:
            found = self._frames[file, line] = self._found(file, line)
        return found

    def _found(self, file: str, line: int) -> Frame:
        if file not in self._files:
            self._files[file] = self._compiled(file)
        begins, codes = self._files[file]
        at = bisect_right(begins, line) - 1
        while at >= 0 and _last_line(codes[at]) < line:
            at -= 1
        if at < 0:
            return Frame(Path(file).stem, file, 0, line)
        return frame_of(codes[at], line)

    def _compiled(self, file: str) -> tuple[list[int], list[CodeType]]:
        source = "".join(linecache.getlines(file))
        try:
            module = compile(source, file, "exec", dont_inherit=True) if source else None
        except (SyntaxError, ValueError):
            module = None
        # Of comprehensions and lambdas a line does not say whether it runs inside or around them.
        named = (code for code in _nested(module) if code.co_name == "<module>" or code.co_name[0] != "<") if module else ()
        codes = sorted(named, key=lambda code: code.co_firstlineno)
        return [code.co_firstlineno for code in codes], codes


def _nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _nested(constant)


def _last_line(code: CodeType) -> int:
    return max((line for _, _, line in code.co_lines() if line), default=code.co_firstlineno)


def collect() -> int:
    """Collects garbage, as Go does for ``heap?gc=1``; returns how many objects were unreachable."""
    return gc.collect()
