"""Memory by the place that allocated it, from ``tracemalloc``, which costs nothing until somebody asks.

The first question begins the tracing; it ends by itself some time after the last one. What was there before has no place: it is one
entry, ``[before tracing began]``, the same in all profiles of one tracing, so that it vanishes when two are compared.

To look at what is traced stops all threads, for half a microsecond per allocation that is in use. So tracing also ends when there are too
many of them: the next answer has what was known then, and says so by an entry of its own.
"""

from __future__ import annotations

import gc
import linecache
import re
import sys
import threading
import time
import tracemalloc
from _tracemalloc import _get_traces
from collections.abc import Callable, Sequence
from typing import Final

from codeai.observability.profiling.stacks import Frame, Sample, Stack, module_name, synthetic

_DEPTH: Final = 12
_LOOK: Final = 5.0
_GLANCE: Final = 0.25
MOST: Final = 20 * 1024 * 1024  # of the tracer's own memory: some 350,000 allocations in use
_DEFINITION: Final = re.compile(r"(?:async )?(def|class) (\w+)")
_Trace = tuple[int, int, Sequence[tuple[str, int]], int]  # domain, size, traceback with the innermost first, its whole depth
_HIDDEN: Final = (tracemalloc.__file__, __file__)
_BEFORE: Final = "before tracing began"
_FULL: Final = "tracing ended here: too many allocations in use; the next question begins anew"
_AT_ONCE: Final = 5_000_000
_NANOSECONDS: Final = 50


class HeapTracer:
    """Traces the allocations of this process while somebody is interested.

    :param keep: seconds after the last question until tracing ends; 0 never begins it, None never ends it
    :param memory: bytes of the process
    :param most: bytes that the tracer may need for itself
    """

    def __init__(self, keep: float | None, memory: Callable[[], float | None], most: int = MOST) -> None:
        self.keep = keep
        self._memory = memory
        self._most = most
        self._full = False
        self._lock = threading.Lock()
        self._ends = 0.0
        self._before = (0, 0)
        self._totals: dict[Stack, list[int]] = {}
        self._last: dict[Stack, tuple[int, int]] = {}
        self._functions = _Functions()

    def samples(self, wait: float = 0.0, *, trace: bool = True, remark: str = "") -> list[Sample]:
        """The heap.

        :param wait: seconds to trace before looking
        :param trace: whether tracing may begin
        :param remark: an entry that says something of all of it
        """
        said = [_nowhere(remark, (1, 1))] if remark else []
        if trace and self.keep != 0:
            self.trace()
        if wait:
            time.sleep(wait)
        with self._lock:
            tracing = tracemalloc.is_tracing()
            if not tracing and not self._full:
                return [_nowhere(_BEFORE, self._present()), *said]
            if tracing:
                self._look()
            found = [_nowhere(_BEFORE, self._before), *said]
            if self._full:
                self._full = False
                found.append(_nowhere(_FULL, (1, 1)))
            return found + [Sample(stack, (*total, *self._last.get(stack, (0, 0)))) for stack, total in self._totals.items()]

    def _present(self) -> tuple[int, int]:
        return sys.getallocatedblocks(), int(self._memory() or 0)

    def trace(self) -> None:
        """Begins to trace, or goes on for longer; what a tracing has found that came to its bound is told first."""
        with self._lock:
            self._ends = time.monotonic() + (self.keep if self.keep is not None else 1e9)
            if self._full or tracemalloc.is_tracing():
                return
            self._before = self._present()
            self._totals.clear()
            self._last = {}
            tracemalloc.start(_DEPTH)
            threading.Thread(target=self._watch, name="codeai-heap", daemon=True).start()

    def _watch(self) -> None:
        """Adds up what was allocated, look by look, until nobody is interested or it becomes too much."""
        due = time.monotonic() + _LOOK
        while True:
            time.sleep(_GLANCE)
            with self._lock:
                now = time.monotonic()
                if now > self._ends:
                    tracemalloc.stop()
                if not tracemalloc.is_tracing():
                    return
                if now >= due or self._is_too_much():
                    self._look()
                    due = now + max(_LOOK, (time.monotonic() - now) * 50)  # at most 2 % of the time

    def _is_too_much(self) -> bool:
        return tracemalloc.get_tracemalloc_memory() > self._most

    def _look(self) -> None:
        full = self._is_too_much()
        traces: Sequence[_Trace] = _get_traces()  # type: ignore[assignment]  # typeshed has the form before Python 3.9
        if full:  # to add up is many times faster when nobody traces that, too
            tracemalloc.stop()
            self._full = True
        now = self._added_up(traces)
        for stack, (count, size) in now.items():
            known = self._last.get(stack, (0, 0))
            total = self._totals.setdefault(stack, [0, 0])
            total[0] += max(count - known[0], 0)
            total[1] += max(size - known[1], 0)
        self._last = now

    def _added_up(self, traces: Sequence[_Trace]) -> dict[Stack, tuple[int, int]]:
        """Number and bytes of what is in use, by stack.

        Equal tracebacks are one object within a snapshot; the statistics of ``tracemalloc`` compare them all, for twenty times the time.
        """
        by_identity: dict[int, list[int]] = {}
        tracebacks: dict[int, Sequence[tuple[str, int]]] = {}
        for _, size, traceback, _ in traces:
            known = by_identity.get(id(traceback))
            if known is None:
                tracebacks[id(traceback)] = traceback
                by_identity[id(traceback)] = [1, size]
            else:
                known[0] += 1
                known[1] += size
        found: dict[Stack, tuple[int, int]] = {}
        for identity, places in tracebacks.items():
            if places[0][0] in _HIDDEN:
                continue
            stack = tuple(self._functions.frame(file, line) for file, line in places)
            count, size = found.get(stack, (0, 0))
            found[stack] = (count + by_identity[identity][0], size + by_identity[identity][1])
        return found


def _nowhere(text: str, values: tuple[int, int]) -> Sample:
    return Sample(synthetic(text), (*values, *values))


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


def collect(everything: bool, at_once: int = _AT_ONCE) -> str:
    """Collects garbage, as Go does for ``heap?gc=1``; returns what there is to say of it, mostly nothing.

    A full collection stops all threads for some 50 ns per block of memory in use (measured with small objects, lists and maps). Where
    that is more than a quarter of a second, only what is young is collected, unless ``everything`` is asked for.
    """
    blocks = sys.getallocatedblocks()
    if everything or blocks <= at_once:
        gc.collect()
        return ""
    gc.collect(1)
    seconds = blocks * _NANOSECONDS / 1e9
    return f"old garbage may be in this: {blocks:,} blocks in use; gc=full collects it, and stops the process for some {seconds:.1f} s"
