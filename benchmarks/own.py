"""Ours alone: memory, time to the first answer, whole commands, parse and check."""

import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from comparing import CASES, OTHER_CORE, SERVER_CORE
from data import fill_sqlite
from load import Load, measure
from report import at_most, row
from servers import BIN, Server

HERE = Path(__file__).parent


def whole_command(*arguments: str) -> tuple[float, float]:
    """The medians of five whole runs of a command: seconds, and seconds of processor time."""
    times, processors = [], []
    for _ in range(5):
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([str(BIN / "codeai"), *arguments], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(time.monotonic() - began)
        processors.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(times), statistics.median(processors)


def program_of(endpoints: int) -> str:
    """A program with that many endpoints: five of each resource."""
    parts = ['config { name: "large"  default_auth: public }']
    for number in range(endpoints // 5):
        parts.append(
            f"entity Thing{number} {{\n    id: uuid, primary, auto\n    name: string(80), required\n    price: decimal(10,2), min(0)\n"
            f"    made: timestamp, auto\n    index: [name]\n}}\nresource Thing{number} at /things{number} {{\n"
            "    list { filter_by: [name, price]  sort_by: [made] }\n}"
        )
    return "\n".join(parts)


def language() -> list[str]:
    """Parse and check, per 1,000 lines, at two sizes."""
    from codeai.analysis.program import analyse
    from codeai.language.parser import parse_module
    from codeai.language.source import Sources

    lines: list[str] = []
    for endpoints in (400, 40_000):
        text = program_of(endpoints)
        count = text.count("\n") + 1
        best = float("inf")
        for _ in range(3 if endpoints < 1000 else 1):
            begin = time.process_time()
            sources = Sources()
            analyse([parse_module(sources.add("a.cai", text)).module], sources)
            best = min(best, time.process_time() - begin)
        lines.append(f"| {endpoints:,} endpoints | {count:,} | {best * 1e6 / count:.0f} | 60 |")
    return lines


def start_up() -> list[str]:
    """Memory of a worker, time to the first answer, and whole commands."""
    lines: list[str] = []
    bookshop = HERE.parent / "examples" / "bookshop"
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.cai"
        large.write_text(program_of(1000))
        for name, program, bars in (("bookshop", bookshop, (90, 0.8)), ("1,000 endpoints", large, (160, 3))):
            place = f"sqlite:///{folder}/{name[:4]}.db"
            warm = Server("ours", place, None, program=program)
            warm.wait("/health/ready")
            warm.stop()
            server = Server("ours", place, None, program=program)
            seconds, used = server.wait("/health/ready"), server.processor()
            measure(Load(("/health/live",)), server.port, 2, OTHER_CORE)
            lines.append(row(f"memory of a worker, {name}", f"{at_most(server.memory(), bars[0], 0)} MB", f"{bars[0]} MB"))
            lines.append(row(f"cold start to the first answer, {name}", _shown(seconds, used, bars[1], "s"), f"{bars[1]} s"))
            server.stop()
    blog = str(HERE / "programs" / "blog.cai")
    lines.append(row("`codeai version`", _shown(*whole_command("version"), 120, "ms"), "120 ms"))
    lines.append(row("`codeai validate` of a small program", _shown(*whole_command("validate", blog), 250, "ms"), "250 ms"))
    return lines


def _shown(seconds: float, processor: float, most: float, unit: str) -> str:
    """How long it took, and for how much of that a processor was at work: what is left others may have taken."""
    factor, places = (1000, 0) if unit == "ms" else (1, 2)
    return f"{at_most(seconds * factor, most, places)} {unit} ({processor * factor:.{places}f} of a processor)"


def endurance(requests: int = 1_000_000, steps: int = 10, most: float = 200.0) -> list[str]:
    """The resident memory of a worker while it answers a million requests, all of which read a row.

    They are sent ten at a time, and one by one for a while in between: both ways to read heads are used, and a million fits in the time of
    a part also where others use the machine.

    What the connections of the database keep of its pages fills within the first minutes, so what counts is the second half.

    :param most: seconds; what was answered until then is what is told
    """
    load, memory, answered, number = CASES["one row"], [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "blog.db"
        first = Server("ours", f"sqlite:///{path}", None)
        first.wait("/ping")
        first.stop()
        fill_sqlite(path)
        server = Server("ours", f"sqlite:///{path}", SERVER_CORE)
        began = time.monotonic()
        try:
            server.wait("/ping")
            while answered < requests and time.monotonic() - began < most:
                number += 1
                answered += measure(load, server.port, 2, OTHER_CORE, pipelined=10 if number % 8 else 1).requests
                if answered >= (len(memory) + 1) * requests / steps:
                    memory.append(server.memory())
                    print(f"  {answered:11,} requests {memory[-1]:7.1f} MB", flush=True)
        finally:
            server.stop()
    shown = ", ".join(f"{value:.1f}" for value in memory)
    whole = "" if answered >= requests else ", cut off"
    return [
        row(f"memory after each {requests // steps:,} of {answered:,} requests (one row, SQLite{whole})", f"{shown} MB", ""),
        row("growth over the second half of them", f"{at_most(memory[-1] - memory[len(memory) // 2], 2)} MB", "2 MB"),
    ]
