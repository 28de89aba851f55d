"""``make bench``: ours beside the floor and the peers, in one run, as ratios.

The server has one core, the database and the load generator the other. Before anything is timed, all servers must give the
same answers. Each case runs three times in mixed order; the medians are printed.
"""

import argparse
import datetime
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

import httpx  # noqa: E402  # the folders must be known first
import jwt  # noqa: E402  # as above
from data import AUTHOR_KEYS, OWNER, POST_KEYS, fill_postgres, fill_sqlite, pin  # noqa: E402  # as above
from load import Load, Measured, measure  # noqa: E402  # as above
from servers import BIN, SECRET, Server  # noqa: E402  # as above

from services.postgres import PostgresServer  # noqa: E402  # as above

SERVER_CORE, OTHER_CORE = 0, 1
TOKEN = jwt.encode({"sub": OWNER, "exp": int(time.time()) + 86_400}, SECRET, "HS256")
_BEARER = (("Authorization", f"Bearer {TOKEN}"),)
_JSON = (("Content-Type", "application/json"),)
_NEW = json.dumps({"title": "A new post", "body": "y" * 200, "status": "draft", "author": str(AUTHOR_KEYS[3])})
SAMPLE = random.Random(2).sample(range(len(POST_KEYS)), 1000)
CHANGED = [at for at in range(0, len(POST_KEYS), 97) if at not in set(SAMPLE)]
CASES = {
    "ping": Load(("/ping",)),
    "one row": Load(tuple(f"/posts/{POST_KEYS[at]}" for at in SAMPLE)),
    "one row, JWT and policy": Load(tuple(f"/letters/{POST_KEYS[at | 1]}" for at in SAMPLE), headers=_BEARER),
    "list of 20": Load(("/posts?status=published&sort=-created_at",)),
    "create": Load(("/posts",), "POST", _JSON, _NEW),
    "do block": Load(tuple(f"/posts/{POST_KEYS[at]}/visits" for at in CHANGED), "POST", _JSON),
}
BARS = {"ping": 0.85, "one row": 0.85, "one row, JWT and policy": 0.75, "list of 20": 0.85, "create": 0.80, "do block": 0.80}
FASTAPI_BARS = {"ping": 3, "one row": 9, "one row, JWT and policy": 12, "list of 20": 8, "create": 10}
PEERS = ("floor", "ours", "litestar", "fastapi")


def answers(port: int, load: Load) -> object:
    """The answer to the first request of a case, without what differs in each: keys and times of new rows."""
    path = load.paths[0]
    body = load.body.encode() if load.body else None
    response = httpx.request(load.method, f"http://127.0.0.1:{port}{path}", content=body, headers=dict(load.headers), timeout=30)
    assert response.status_code in (200, 201), (path, response.status_code, response.text)
    found = response.json()
    if load.method == "POST":
        return sorted(found)
    return json.loads(json.dumps(found).replace("+00:00", "Z").replace(".000000Z", "Z"))


def supported(name: str, case: str) -> bool:
    """The peers leave out what is compared with the floor only."""
    return case != "do block" or name in ("floor", "ours")


def compare(url: str, names: tuple[str, ...], cases: dict[str, Load], rounds: int, seconds: float) -> dict[str, dict[str, list[Measured]]]:
    """All figures, by case and server."""
    found: dict[str, dict[str, list[Measured]]] = {case: {name: [] for name in names if supported(name, case)} for case in cases}
    same: dict[str, object] = {}
    for number in range(rounds):
        for name in random.Random(number).sample(names, len(names)):
            server = Server(name, url, SERVER_CORE)
            try:
                server.wait(next(iter(cases.values())).paths[0])
                for case, load in cases.items():
                    if not supported(name, case):
                        continue
                    answer = answers(server.port, load)
                    assert same.setdefault(case, answer) == answer, f"{name} answers otherwise to '{case}': {answer} != {same[case]}"
                    measure(load, server.port, 1, OTHER_CORE)
                    found[case][name].append(measure(load, server.port, seconds, OTHER_CORE))
                    print(f"  {name:13} {case:25} {found[case][name][-1].rate:9,.0f}/s", flush=True)
            finally:
                server.stop()
    return found


def median(values: list[Measured]) -> Measured:
    """The run of the middle rate."""
    return sorted(values, key=lambda value: value.rate)[len(values) // 2]


def table(found: dict[str, dict[str, list[Measured]]]) -> list[str]:
    """The table of HTTP cases in Markdown."""
    lines = [
        "| case | floor, req/s | ours, req/s | ours to floor | bar | Litestar to floor | ours to FastAPI | bar | p50, ms | p99, ms |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for case, by_name in found.items():
        rates = {name: median(values).rate for name, values in by_name.items() if values}
        ours, floor = median(by_name["ours"]), rates.get("floor", rates.get("floor_sqlite", 1.0))
        litestar = f"{rates['litestar'] / floor:.2f}" if "litestar" in rates else "-"
        fastapi = f"{ours.rate / rates['fastapi']:.1f}" if "fastapi" in rates else "-"
        bars = (BARS.get(case, 0.70), FASTAPI_BARS.get(case, "-"))
        lines.append(
            f"| {case} | {floor:,.0f} | {ours.rate:,.0f} | **{ours.rate / floor:.2f}** | {bars[0]} | {litestar} "
            f"| {fastapi} | {bars[1]} | {ours.p50:.2f} | {ours.p99:.2f} |"
        )
    return lines


def process_time(*arguments: str) -> float:
    """The median of five whole runs of a command, in milliseconds."""
    times = []
    for _ in range(5):
        begin = time.monotonic()
        subprocess.run([str(BIN / "codeai"), *arguments], check=True, capture_output=True)
        times.append((time.monotonic() - begin) * 1000)
    return statistics.median(times)


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

    lines = ["| program | lines | parse and check, ms per 1,000 lines | bar |", "|---|---|---|---|"]
    for endpoints in (400, 40_000):
        text = program_of(endpoints)
        count = text.count("\n") + 1
        best = float("inf")
        for _ in range(3 if endpoints < 1000 else 1):
            begin = time.monotonic()
            sources = Sources()
            analyse([parse_module(sources.add("a.cai", text)).module], sources)
            best = min(best, time.monotonic() - begin)
        lines.append(f"| {endpoints:,} endpoints | {count:,} | {best * 1e6 / count:.0f} | 60 |")
    return lines


def main() -> None:
    """Runs what is asked for and writes RESULTS.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--cases", default="", help="comma-separated beginnings of the names of HTTP cases")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--http-only", action="store_true")
    given = parser.parse_args()
    cases = {name: load for name, load in CASES.items() if not given.cases or name.startswith(tuple(given.cases.split(",")))}
    names = tuple(given.peers.split(","))

    postgres = PostgresServer()
    postgres.start()
    report: list[str] = []
    try:
        pin(postgres, OTHER_CORE)
        url = postgres.create_database("blog")
        first = Server("ours", url, None)
        first.wait("/ping")
        first.stop()
        fill_postgres(url)
        pin(postgres, OTHER_CORE)
        report += ["## HTTP on PostgreSQL", "", *table(compare(url, names, cases, given.rounds, given.seconds)), ""]
        if not given.http_only:
            report += ["## One row on SQLite", "", *sqlite(given.rounds, given.seconds), ""]
            report += ["## Memory and start", "", *start_up(url), ""]
            report += ["## Language", "", *language(), ""]
    finally:
        postgres.remove()
    head = [
        "# Results",
        "",
        (
            f"`{'make bench' if len(sys.argv) == 1 else 'python benchmarks/run.py ' + ' '.join(sys.argv[1:])}`, "
            f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {sys.version.split()[0]}; "
            "shared machine: read the ratios, not the rates."
        ),
        "",
    ]
    text = "\n".join([*head, *report])
    print(text)
    if len(sys.argv) == 1:
        (HERE / "RESULTS.md").write_text(text)


def sqlite(rounds: int, seconds: float) -> list[str]:
    """One row by id from SQLite, beside the floor in the loop."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "blog.db"
        first = Server("ours", f"sqlite:///{path}", None)
        first.wait("/ping")
        first.stop()
        fill_sqlite(path)
        case = {"one row, SQLite": CASES["one row"]}
        return table(compare(f"sqlite:///{path}", ("floor_sqlite", "ours"), case, rounds, seconds))


def start_up(url: str) -> list[str]:
    """Memory of a worker, time to the first answer, and whole commands."""
    lines = ["| what | measured | bar |", "|---|---|---|"]
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
            seconds = server.wait("/health/ready")
            measure(Load(("/health/live",)), server.port, 2, OTHER_CORE)
            lines.append(f"| memory of a worker, {name} | {server.memory():.0f} MB | {bars[0]} MB |")
            lines.append(f"| cold start to the first answer, {name} | {seconds:.2f} s | {bars[1]} s |")
            server.stop()
    lines.append(f"| `codeai version` | {process_time('version'):.0f} ms | 120 ms |")
    lines.append(
        f"| `codeai validate` of a small program | {process_time('validate', str(HERE / 'programs' / 'blog.cai')):.0f} ms | 250 ms |"
    )
    return lines


if __name__ == "__main__":
    main()
