"""Profiles of the whole instance: each process looks at itself, one puts the answers together (acceptance T19)."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from codeai.observability.processes import Processes
from codeai.observability.profiling.cpu import sample_cpu
from codeai.observability.profiling.goroutines import Goroutine, Goroutines
from codeai.observability.profiling.heap import HeapTracer, collect
from codeai.observability.profiling.stacks import Sample, encode, merged
from codeai.observability.profiling.symbols import Symbols

_PATIENCE: Final = 20.0


class ProfilingBusy(Exception):
    """A processor profile is being taken already."""


class InstanceProfiler:
    """Asks all processes, this one included.

    :param stopping: whether the server is about to end: a profile that is being taken ends, too
    """

    def __init__(self, processes: Processes, heap: HeapTracer, stopping: Callable[[], bool]) -> None:
        self._processes = processes
        self._heap = heap
        self._stopping = stopping
        self._sampling = threading.Lock()
        self.symbols = Symbols()
        self.local = Goroutines()
        self.loop_on_main = False
        processes.answer("cpu", self._sampled)
        processes.answer("heap", lambda asked: encode(self._heap_samples(*asked)))
        processes.answer("goroutines", lambda asked: msgspec.msgpack.encode(self.local.dump()))
        processes.answer("symbols", self._named)

    def _sampled(self, seconds: float) -> bytes:
        if not self._sampling.acquire(blocking=False):
            return b""
        try:
            return encode(sample_cpu(seconds, self._stopping, self._on_main))
        finally:
            self._sampling.release()

    def _on_main(self, work: Callable[[], None]) -> bool:
        """Does something on the main thread by its event loop; False where there is none, or it is stuck."""
        loop, done = self.local.loop, threading.Event()
        if loop is None or not self.loop_on_main:
            return False

        def run() -> None:
            work()
            done.set()

        try:
            loop.call_soon_threadsafe(run)
        except RuntimeError:  # it has ended
            return False
        return done.wait(1.0)

    def _heap_samples(self, wait: float, garbage: str, trace: bool) -> list[Sample]:
        remark = collect(garbage == "full") if garbage in ("1", "full") else ""
        return self._heap.samples(wait, trace=trace, remark=remark)

    def _named(self, addresses: Sequence[int]) -> bytes:
        found = {address: name for address in addresses if (name := self.symbols.name(address)) is not None}
        return msgspec.msgpack.encode(found)

    def begin(self) -> None:
        """Notes the event loop that runs."""
        self.local.loop = asyncio.get_running_loop()
        self.loop_on_main = threading.current_thread() is threading.main_thread()

    async def cpu(self, seconds: float, process: str | None = None) -> list[Sample]:
        """The processor's time by stack.

        :raises ProfilingBusy: somebody else is taking one
        """
        answers = await self._ask("cpu", seconds, seconds, process)
        if not all(answers.values()):
            raise ProfilingBusy
        return merged(answers)

    async def heap(self, wait: float, process: str | None = None, *, garbage: str = "0", trace: bool = True) -> list[Sample]:
        """The memory by stack.

        :param garbage: ``1`` collects it first, if that takes no longer than a moment, ``full`` however long it takes
        """
        return merged(await self._ask("heap", (wait, garbage, trace), wait, process))

    async def goroutines(self, process: str | None = None) -> list[Goroutine]:
        """All threads and tasks; the numbers of each process begin at a thousand of their own."""
        found: list[Goroutine] = []
        answers = await self._ask("goroutines", None, 0.0, process)
        for place, (name, content) in enumerate(sorted(answers.items())):
            for goroutine in msgspec.msgpack.decode(content, type=list[Goroutine]):
                found.append(msgspec.structs.replace(goroutine, process=name, number=goroutine.number + place * 1_000_000))
        return found

    async def names(self, addresses: Sequence[int]) -> dict[int, str]:
        """The functions at addresses that any process has given out."""
        found: dict[int, str] = {}
        for content in (await self._ask("symbols", addresses, 0.0, None)).values():
            found |= msgspec.msgpack.decode(content, type=dict[int, str])
        return found

    def command_line(self) -> list[str]:
        """How this process was started."""
        return sys.orig_argv

    async def _ask(self, question: str, arguments: Any, takes: float, process: str | None) -> dict[str, bytes]:
        return dict(await self._processes.ask(question, arguments, timeout=takes + _PATIENCE, only=process))
