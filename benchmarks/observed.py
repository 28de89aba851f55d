"""What observing costs: while it is off (bar: 2 %), and while it is on.

``python benchmarks/observed.py [ROUNDS [off|writes]]`` runs a program in this process, without a socket, on SQLite in memory
(``/dev/shm``: no disk is waited for), and compares processor times of variants that take turns in short blocks, in an order of chance, so
that a noisy machine disturbs all alike; with ``off`` only the first three, with ``writes`` the first two of the requests that write, whose
times scatter most. The last column counts instead: how many looks a request takes, and what part of its time they are at the time of one
look, measured alone.

* *off* is the program as it is served by default: no traces, no profile, nobody who asked for one.
* *absent* is the same with every look for somebody who observes taken out: the context variables that statements, steps and calls look
  into are constants.
* *profiled before* is *off* after a processor profile and a heap profile have been taken and have ended: what a profile leaves behind.
* *processor profile*, *heap tracing*, *traces* are what it costs while they run; traces go to an exporter that drops them.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import tempfile
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

import codeai.integrations.outbound as outbound
import codeai.observability.logs.configuration as configuration
import codeai.observability.spans as spans
import codeai.observability.tracing.otel as otel
from codeai.observability.profiling.cpu import sample_cpu
from codeai.server.composition import Composition
from codeai.server.database import synchronise_here
from codeai.server.loading import load_program
from codeai.server.settings import read_settings
from codeai.storage.opening import open_database
from codeai.storage.settings import from_url
from codeai.storage.sqlite import database, lines

PROGRAM = """
entity Post { id: uuid, primary, auto  title: string, required  views: int, default(0)  index: [views] }
event Viewed { payload { post: uuid, required } }
on Viewed { log debug "viewed" }
resource Post at /posts { auth: public  create, update { auth: public } }
endpoint GET /ping { auth: public  do { return { ok: true } } }
endpoint POST /view/{id} {
    auth: public
    path { id: uuid }
    do { let post = get Post(path.id)  update post { views: post.views + 1 }  emit Viewed { post: post.id }  return { views: post.views } }
}
"""


class Nobody:
    """A context variable that is always empty, as cheap as can be: the look is there, the search is not."""

    @staticmethod
    def get() -> None:
        return None


class Dropping(SpanExporter):
    """A collector that costs nothing."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


class Served:
    """The program in this process."""

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        file = folder / "app.cai"
        file.write_text(PROGRAM)
        program = load_program(file)
        assert program.executable, program.diagnostics
        wanted = from_url(f"sqlite:///{folder}/app.db")
        synchronise_here(wanted, program.application, True)
        given = {"JWT_SECRET": "x" * 48, "LOG_LEVEL": "error", **(environment or {})}
        self.composition = Composition(program.application, read_settings(given, {}), open_database(wanted), given, folder=folder)

    async def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        """One request, by ASGI."""
        headers = [(b"host", b"localhost")]
        if body:
            headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
            "scheme": "http",
        }
        answer: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            answer.append(message)

        await self.composition.asgi(scope, receive, send)
        assert answer[0]["status"] < 300, answer
        return bytes(answer[1]["body"])


class Counting:
    """A context variable that counts the looks into it."""

    def __init__(self) -> None:
        self.looks = 0

    def get(self) -> None:
        self.looks += 1


@asynccontextmanager
async def instead(variable: object) -> AsyncIterator[None]:
    """Puts something in the place of the variables that are looked into."""
    places = [(database, "WATCHER"), (lines, "WATCHER"), (spans, "SPANS"), (outbound, "SPANS"), (configuration, "SPANS")]
    before = [(module, name, getattr(module, name)) for module, name in places]
    for module, name in places:
        setattr(module, name, variable)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


@asynccontextmanager
async def absent() -> AsyncIterator[None]:
    """Takes the looks out."""
    async with instead(Nobody):
        yield


def one_look() -> float:
    """Processor seconds of a look into a variable that is empty, with what calls it: the least of several measurements."""
    variable, times = spans.SPANS, []
    for _ in range(20):
        began = time.process_time()
        for _ in range(100_000):
            variable.get()
        times.append((time.process_time() - began) / 100_000)
    return min(times)


async def counted(served: Served, case: Case, micro: float, look: float) -> str:
    """The looks of a request, handlers that follow it included, and their part of its time."""
    counting = Counting()
    async with instead(counting):
        for _ in range(20):
            await case(served)
    looks = counting.looks / 20
    return f"{looks:.1f} looks, {looks * look * 1e6 / micro:.3%}"


@asynccontextmanager
async def processor_profile() -> AsyncIterator[None]:
    """Samples while the block runs."""
    loop, ends = asyncio.get_running_loop(), threading.Event()

    def on_main(work: Callable[[], None]) -> bool:
        done = threading.Event()
        loop.call_soon_threadsafe(lambda: (work(), done.set()))
        return done.wait(5)

    sampling = asyncio.create_task(asyncio.to_thread(sample_cpu, 600.0, ends.is_set, on_main))
    await asyncio.sleep(0.2)
    try:
        yield
    finally:
        ends.set()
        await sampling


@asynccontextmanager
async def heap_tracing() -> AsyncIterator[None]:
    """Traces memory while the block runs, as deep as a heap profile does."""
    tracemalloc.start(12)
    try:
        yield
    finally:
        tracemalloc.stop()


@asynccontextmanager
async def nothing() -> AsyncIterator[None]:
    """As it is."""
    yield


Case = Callable[[Served], Awaitable[object]]
Variant = tuple[Served, Callable[[], Any]]


async def block(served: Served, case: Case, requests: int) -> float:
    """Processor seconds of a request."""
    began = time.process_time()
    for _ in range(requests):
        await case(served)
    return (time.process_time() - began) / requests


class Found(NamedTuple):
    """Medians of a variant: microseconds, the ratio to the first one in the same round, and how far that may be off (95 %)."""

    micro: float
    ratio: float
    error: float


async def compare(case: Case, requests: int, variants: dict[str, Variant], rounds: int) -> dict[str, Found]:
    """The variants of a case. Blocks are short, so that what else the machine does strikes all variants of a round alike."""
    times: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds + 1):  # the first one warms up
        for name, (served, around) in random.sample(list(variants.items()), len(variants)):
            async with around():
                times[name].append(await block(served, case, max(requests // 20, 2) if around is heap_tracing else requests))
    first = times[next(iter(variants))][1:]
    return {name: _found(found[1:], [one / other for one, other in zip(found[1:], first, strict=True)]) for name, found in times.items()}


def _found(times: Sequence[float], ratios: Sequence[float]) -> Found:
    middle = statistics.median(ratios)
    spread = statistics.median(abs(ratio - middle) for ratio in ratios) * 1.4826  # as a standard deviation, without the outliers
    return Found(statistics.median(times) * 1e6, middle, 1.96 * 1.2533 * spread / len(ratios) ** 0.5)


async def run(rounds: int, what: str) -> None:
    """Measures and prints a table."""
    look = one_look()
    print(f"one look: {look * 1e9:.0f} ns\n")
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: PTH112, ASYNC240  # asked once, before anything runs
    with (
        tempfile.TemporaryDirectory(dir=memory) as one,
        tempfile.TemporaryDirectory(dir=memory) as two,
        tempfile.TemporaryDirectory(dir=memory) as three,
    ):
        plain, profiled = Served(Path(one)), Served(Path(two))
        otel.exporter = lambda: BatchSpanProcessor(Dropping())
        traced = Served(Path(three), {"OTEL_TRACES_EXPORTER": "otlp"})
        for served in (plain, profiled, traced):
            await served.composition.start()
        async with processor_profile():
            await profiled.ask("GET", "/ping")
        async with heap_tracing():
            await profiled.ask("GET", "/ping")
        keys = {}
        for served in (plain, profiled, traced):
            made = await served.ask("POST", "/posts", b'{"title":"one"}')
            keys[served] = made.partition(b'"id":"')[2][:36].decode()
        cases: dict[str, tuple[Case, int]] = {
            "ping": (lambda served: served.ask("GET", "/ping"), 800),
            "one row": (lambda served: served.ask("GET", f"/posts/{keys[served]}"), 500),
            "update": (lambda served: served.ask("PATCH", f"/posts/{keys[served]}", b'{"title":"another"}'), 60),
            "do block with an event": (lambda served: served.ask("POST", f"/view/{keys[served]}"), 15),
        }
        variants: dict[str, Variant] = {
            "absent": (plain, absent),
            "off": (plain, nothing),
            "profiled before": (profiled, nothing),
            "processor profile": (plain, processor_profile),
            "heap tracing": (plain, heap_tracing),
            "traces": (traced, nothing),
        }
        if what in ("off", "writes"):
            variants = dict(list(variants.items())[: 3 if what == "off" else 2])
        if what == "writes":
            cases = dict(list(cases.items())[2:])
        print("| case | " + " | ".join(f"{name}" for name in variants) + " | counted |\n" + "|---" * (len(variants) + 2) + "|")
        for name, (case, requests) in cases.items():
            found = await compare(case, requests, variants, rounds)
            print(
                f"| {name} | "
                + " | ".join(f"{each.micro:.0f} µs, {each.ratio:.3f} ± {each.error:.3f}" for each in found.values())
                + f" | {await counted(plain, case, found['absent'].micro, look)} |",
                flush=True,
            )
        for served in (plain, profiled, traced):
            await served.composition.stop()


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]) if len(sys.argv) > 1 else 100, sys.argv[2] if len(sys.argv) > 2 else ""))
