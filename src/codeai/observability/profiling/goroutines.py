"""What runs and what waits: every thread and every asyncio task, in the form of Go's goroutine dumps (acceptance S60 to S64)."""

from __future__ import annotations

import asyncio
import itertools
import sys
import threading
import time
import weakref
from collections.abc import Iterable
from typing import Any

import msgspec

from codeai.observability.profiling.stacks import Frame, Sample, Stack, frame_of, stack_of
from codeai.observability.profiling.waits import state_of_task, state_of_thread


class Goroutine(msgspec.Struct, frozen=True, array_like=True):
    """A thread or a task. ``number`` stays the same as long as it lives; ``seen`` is for how many minutes it has been known."""

    number: int
    kind: str
    name: str
    state: str
    stack: Stack
    created: Frame | None = None
    seen: int = 0
    process: str = ""


class Goroutines:
    """The threads and tasks of this process; gives each a number when it is first seen."""

    def __init__(self) -> None:
        self._numbers: weakref.WeakKeyDictionary[Any, tuple[int, float]] = weakref.WeakKeyDictionary()
        self._next = itertools.count(1)
        self._number(threading.main_thread())
        self.loop: asyncio.AbstractEventLoop | None = None

    def _number(self, thing: Any) -> tuple[int, int]:
        found = self._numbers.get(thing)
        if found is None:
            found = self._numbers[thing] = (next(self._next), time.monotonic())
        return found[0], int((time.monotonic() - found[1]) / 60)

    def dump(self) -> list[Goroutine]:
        """All of them, now; may be called from any thread."""
        return sorted([*self._threads(), *self._tasks()], key=lambda found: found.number)

    def _threads(self) -> Iterable[Goroutine]:
        frames = sys._current_frames()
        for thread in threading.enumerate():
            frame = frames.get(thread.ident or 0)
            if frame is None:
                continue
            number, seen = self._number(thread)
            state = "running" if thread is threading.current_thread() else state_of_thread(frame)
            created = frame_of(type(thread).run.__code__, type(thread).run.__code__.co_firstlineno)
            yield Goroutine(number, "thread", thread.name, state, stack_of(frame), created, seen)

    def _tasks(self) -> Iterable[Goroutine]:
        loop = self.loop
        if loop is None or loop.is_closed():
            return
        current = asyncio.current_task(loop)
        for task in asyncio.all_tasks(loop):
            number, seen = self._number(task)
            stack = task_stack(task)
            state = state_of_task(task, stack, task is current)
            yield Goroutine(number, "task", task.get_name(), state, stack, _origin(task), seen)


def task_stack(task: asyncio.Task[Any]) -> Stack:
    """The frames of a task's coroutine and of those that it awaits, the innermost first."""
    found: list[Frame] = []
    awaited: Any = task.get_coro()
    while awaited is not None and len(found) < 100:
        frame = getattr(awaited, "cr_frame", None) or getattr(awaited, "gi_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is not None:
            found.append(frame_of(frame.f_code, frame.f_lineno or frame.f_code.co_firstlineno))
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "gi_yieldfrom", None) or getattr(awaited, "ag_await", None)
    return tuple(reversed(found))


def _origin(task: asyncio.Task[Any]) -> Frame | None:
    """Where a task was created, if Python was told to remember (``PYTHONASYNCIODEBUG=1``), else where its coroutine begins."""
    coroutine: Any = task.get_coro()
    origin = getattr(coroutine, "cr_origin", None)
    if origin:
        file, line, function = origin[0]
        return Frame(function, file, line, line)
    code = getattr(coroutine, "cr_code", None) or getattr(coroutine, "gi_code", None)
    return frame_of(code, code.co_firstlineno) if code is not None else None


def as_samples(goroutines: Iterable[Goroutine]) -> list[Sample]:
    """For pprof: how many stand at each stack."""
    counts: dict[tuple[Stack, str, str, str], int] = {}
    for found in goroutines:
        key = (found.stack, found.state, found.kind, found.process)
        counts[key] = counts.get(key, 0) + 1
    return [
        Sample(stack, (count,), {"state": state, "kind": kind, "process": process})
        for (stack, state, kind, process), count in counts.items()
    ]


def as_text(goroutines: Iterable[Goroutine]) -> str:
    """One block per goroutine (``debug=2``)."""
    blocks: list[str] = []
    for found in goroutines:
        minutes = f", {found.seen} minutes" if found.seen else ""
        lines = [f"goroutine {found.number} [{found.state}{minutes}]:", f"# {found.kind} {found.name!r} of process {found.process}"]
        for frame in found.stack:
            lines += [f"{frame.function}(...)", f"\t{frame.file}:{frame.line}"]
        if found.created is not None:
            lines += [f"created by {found.created.function}", f"\t{found.created.file}:{found.created.line}"]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)
