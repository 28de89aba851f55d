"""``make bench``: ours beside the floor and the peers, in one run, as ratios.

The server has one core, the database and the load generator the other. Before anything is timed, all servers must give the
same answers. Ours and the floor take turns in short windows (see ``comparing``); the medians of the ratios of neighbours are printed.

A part takes less than four minutes and keeps its figures in ``.dev/benchmarks``; ``--write`` makes RESULTS.md of those there are.
Without arguments all parts run, then the page is written.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from comparing import CASES, OTHER_CORE, PEERS, compare  # noqa: E402  # the folders must be known first
from data import fill_postgres, fill_sqlite, pin  # noqa: E402  # as above
from own import endurance, language, start_up  # noqa: E402  # as above
from report import Rows, rows_of, write  # noqa: E402  # as above
from rows import many_rows  # noqa: E402  # as above
from servers import Server  # noqa: E402  # as above

from services.postgres import PostgresServer  # noqa: E402  # as above

KEPT = HERE.parent / ".dev" / "benchmarks"


def prepared(url: str) -> None:
    """Lets our server create the tables."""
    first = Server("ours", url, None)
    first.wait("/ping")
    first.stop()


def postgres(names: tuple[str, ...], rounds: int, seconds: int) -> Rows:
    """Some cases on PostgreSQL."""
    cases = {name: CASES[name] for name in names}
    server = PostgresServer()
    server.start()
    try:
        pin(server, OTHER_CORE)
        url = server.create_database("blog")
        prepared(url)
        fill_postgres(url)
        pin(server, OTHER_CORE)
        return rows_of(compare(url, "floor", PEERS, cases, rounds, seconds))
    finally:
        server.remove()


def sqlite(rounds: int, seconds: int) -> Rows:
    """One row by id from SQLite, beside the floor in the loop."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "blog.db"
        prepared(f"sqlite:///{path}")
        fill_sqlite(path)
        case = {"one row, SQLite": CASES["one row"]}
        return rows_of(compare(f"sqlite:///{path}", "floor_sqlite", (), case, 2 * rounds, seconds))


PARTS: dict[str, Callable[[int, int], Rows]] = {
    "ping": lambda rounds, seconds: postgres(("ping", "one row"), rounds, seconds),
    "reads": lambda rounds, seconds: postgres(("one row, JWT and policy", "list of 20"), rounds, seconds),
    "writes": lambda rounds, seconds: postgres(("create", "do block"), rounds, seconds),
    "sqlite": sqlite,
    "rows": lambda rounds, seconds: {"data": many_rows(rounds // 2, seconds)},
    "endurance": lambda rounds, seconds: {"own": endurance()},
    "start": lambda rounds, seconds: {"own": start_up()},
    "language": lambda rounds, seconds: {"language": language()},
}


def main() -> None:
    """Runs what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, action="append", help="runs this part only; may be given several times")
    parser.add_argument("--parts", action="store_true", help="prints the names of all parts")
    parser.add_argument("--write", action="store_true", help="makes RESULTS.md of the figures there are, and runs nothing")
    parser.add_argument("--rounds", type=int, default=12, help="of ours and the floor, in each case")
    parser.add_argument("--seconds", type=int, default=1, help="of each window; wrk takes whole ones")
    given = parser.parse_args()
    if given.parts:
        print(*PARTS, sep="\n")
        return
    KEPT.mkdir(parents=True, exist_ok=True)
    for part in given.part or ([] if given.write else PARTS):
        print(f"{part}:", flush=True)
        rows = PARTS[part](given.rounds, given.seconds)
        (KEPT / f"{part}.json").write_text(json.dumps(rows))
        for lines in rows.values():
            print(*lines, sep="\n")
    if not given.part:
        found = [json.loads(file.read_text()) for part in PARTS if (file := KEPT / f"{part}.json").exists()]
        write(HERE / "RESULTS.md", found, f"windows of {given.seconds} s, as many rounds as the table says")


if __name__ == "__main__":
    main()
