"""``/debug/pprof/*``: profiles of all processes of the instance, as ``go tool pprof`` asks for them (acceptance S54 to S64)."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qs

from codeai.http.application import Page
from codeai.http.deadlines import Deadlines
from codeai.http.messages import Request, Response
from codeai.http.operators import OperatorRoutes
from codeai.http.problems import Problem
from codeai.language.suggestions import suggest
from codeai.observability.profiling.flamegraph import flame_graph
from codeai.observability.profiling.goroutines import as_samples, as_text
from codeai.observability.profiling.instance import InstanceProfiler, ProfilingBusy
from codeai.observability.profiling.pprof import profile
from codeai.observability.profiling.stacks import CPU, GOROUTINE, HEAP, Kind, Sample

_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_HTML: Final = (b"content-type", b"text/html; charset=utf-8")
_SVG: Final = (b"content-type", b"image/svg+xml")
_LONGEST: Final = 600.0
_INDEX: Final = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>profiles</title>
<h1>Profiles</h1><p>For <code>go tool pprof</code>, or as a flame graph:</p>
<ul>
<li><a href="profile?seconds=30">profile</a>: the processor's time, for <code>seconds</code>;
<a href="flamegraph?seconds=10">flame graph</a></li>
<li><a href="heap">heap</a>: memory in use; <a href="allocs">allocs</a>: memory allocated; <a href="flamegraph?of=heap">flame graph</a></li>
<li><a href="goroutine?debug=2">goroutine</a>: what every thread and task does; <a href="goroutine?debug=1">summary</a></li>
</ul></html>"""


class _Query:
    """The parameters of a request; a name that is none of them would make somebody wait for what was not asked for."""

    def __init__(self, request: Request, *known: str) -> None:
        self._values = parse_qs(request.query_string.decode("latin-1"), keep_blank_values=True)
        for name in self._values:
            if name not in known:
                near = suggest(name, known)
                hint = f"did you mean '{near}'?" if near else f"known are {', '.join(known)}"
                raise Problem(400, f"unknown parameter '{name[:60]}'", "invalid", hint=hint)

    def text(self, name: str) -> str | None:
        return self._values.get(name, [None])[-1]

    def word(self, name: str, *known: str) -> str:
        """One of the known words; the first when it is missing."""
        found = self.text(name)
        if found is not None and found not in known:
            raise Problem(400, f"{name} must be one of {', '.join(known)}", "invalid")
        return found or known[0]

    def seconds(self, otherwise: float) -> float:
        text = self.text("seconds")
        try:
            found = otherwise if text is None else float(text)
        except ValueError:
            found = -1.0
        if not 0 <= found <= _LONGEST:
            raise Problem(400, f"seconds must be a number from 0 to {_LONGEST:g}", "invalid")
        return found


class Profiling:
    """The pages. ``?process=http-1`` asks one process alone."""

    def __init__(self, profiler: InstanceProfiler) -> None:
        self._profiler = profiler
        self._deadlines = Deadlines()

    def put_on(self, routes: OperatorRoutes) -> None:
        """Adds the routes."""
        pages: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "profile": self._cpu,
            "heap": self._heap,
            "allocs": self._heap,
            "goroutine": self._goroutines,
            "symbol": self._symbol,
            "cmdline": self._command_line,
            "flamegraph": self._flame_graph,
        }
        for name, answer in pages.items():
            routes.add("GET", f"/debug/pprof/{name}", Page(f"/debug/pprof/{name}", answer))
        routes.add("POST", "/debug/pprof/symbol", Page("/debug/pprof/symbol", self._symbol))
        for path in ("/debug/pprof", "/debug/pprof/"):
            routes.add("GET", path, Page(path, self._index))

    async def _index(self, request: Request) -> Response:
        if request.path.endswith("/"):
            return Response(200, _INDEX, (_HTML,))
        return Response(308, b"", ((b"location", b"/debug/pprof/"),))

    async def _cpu(self, request: Request) -> Response:
        query, began = _Query(request, "seconds", "process"), time.time_ns()
        seconds = query.seconds(30.0) or 30.0
        samples = await self._sampled(seconds, query.text("process"))
        return _profile("profile", CPU, samples, began, int(seconds * 1e9))

    async def _sampled(self, seconds: float, process: str | None) -> list[Sample]:
        try:
            return await self._profiler.cpu(seconds, process)
        except ProfilingBusy:
            raise Problem(409, "a processor profile is being taken already", "profiling_busy", hint="try again when it is done") from None

    async def _heap(self, request: Request) -> Response:
        query, began = _Query(request, "seconds", "process", "gc", "trace", "debug"), time.time_ns()
        samples = await self._profiler.heap(
            query.seconds(0.0), query.text("process"), garbage=query.word("gc", "0", "1", "full"), trace=query.text("trace") != "false"
        )
        kind = HEAP if request.template.endswith("heap") else Kind(HEAP.types, "alloc_space", HEAP.period_type, HEAP.period)
        return _profile("heap", kind, samples, began)

    async def _goroutines(self, request: Request) -> Response:
        query = _Query(request, "debug", "process", "seconds")
        found = await self._profiler.goroutines(query.text("process"))
        debug = query.text("debug")
        if debug is None:
            return _profile("goroutine", GOROUTINE, as_samples(found), time.time_ns())
        if debug == "2":
            return Response(200, as_text(found).encode("utf-8", "backslashreplace"), (_TEXT,))
        text = self._profiler.symbols.goroutine_text(found, detailed=debug == "1")
        return Response(200, text.encode("utf-8", "backslashreplace"), (_TEXT,))

    async def _symbol(self, request: Request) -> Response:
        """``num_symbols: 1``, then a line ``0xaddress name`` for each address of the body ``0x…+0x…``."""
        asked = await request.body(1_000_000, 10.0, self._deadlines) if request.method == "POST" else request.query_string
        addresses = [
            int(part, 16) for part in asked.decode("latin-1").split("+") if part.startswith("0x") and len(part) < 20 and _hex(part)
        ]
        names = await self._profiler.names(addresses)
        lines = [f"{address:#x} {names[address]}" for address in addresses if address in names]
        return Response(200, "\n".join(["num_symbols: 1", *lines, ""]).encode("utf-8", "backslashreplace"), (_TEXT,))

    async def _command_line(self, request: Request) -> Response:
        return Response(200, "\0".join(self._profiler.command_line()).encode("utf-8", "backslashreplace"), (_TEXT,))

    async def _flame_graph(self, request: Request) -> Response:
        query = _Query(request, "of", "seconds", "process")
        if query.text("of") == "heap":
            samples = await self._profiler.heap(query.seconds(0.0), query.text("process"))
            return Response(200, flame_graph(samples, 3, "bytes", "memory in use"), (_SVG,))
        seconds = query.seconds(10.0) or 10.0
        samples = await self._sampled(seconds, query.text("process"))
        return Response(200, flame_graph(samples, 1, "nanoseconds", f"processor time in {seconds:g} s"), (_SVG,))


def _hex(text: str) -> bool:
    return all(letter in "0123456789abcdefABCDEF" for letter in text[2:]) and len(text) > 2


def _profile(name: str, kind: Kind, samples: list[Sample], began: int, duration: int = 0) -> Response:
    content = profile(kind, samples, began=began, duration=duration)
    disposition = f'attachment; filename="{name}.pb.gz"'.encode()
    return Response(200, content, ((b"content-type", b"application/octet-stream"), (b"content-disposition", disposition)))
