"""Figures as the page RESULTS.md."""

import datetime
import itertools
import os
import re
import statistics
import sys
from pathlib import Path

from comparing import Compared, Window

BARS = {"ping": 0.85, "one row": 0.85, "one row, JWT and policy": 0.75, "list of 20": 0.85, "create": 0.80, "do block": 0.80}
FASTAPI_BARS = {"ping": 3, "one row": 9, "one row, JWT and policy": 12, "list of 20": 8, "create": 10}
SPREAD_BAR = 3
_QUIET = 0.1  # of a core; where others use more than that, how fast a server is depends on whom they displace
_ENOUGH = 3
_SQLITE_BAR = 0.70
Rows = dict[str, list[str]]  # by table
_TABLES = {
    "floor": (
        "To the floor",
        "case | bar | by requests per second | middle half | by processor time | quiet rounds | req/s, floor | ours | µs, floor | ours",
    ),
    "peers": ("To the peers, and spread", "case | Litestar | FastAPI | bar | p50, ms | p99, ms | p99 to p50 | bar"),
    "own": ("Memory and start", "what | measured | bar"),
    "data": ("Many rows", "what | measured | bar"),
    "language": ("Language", "program | lines | parse and check, ms per 1,000 lines | bar"),
}
_NOTES = "<!-- notes -->"


def rows_of(found: dict[str, Compared]) -> Rows:
    """The rows of HTTP cases; a figure below its bar is marked."""
    return {"floor": [_to_floor(case, compared) for case, compared in found.items()], "peers": [_rest(*each) for each in found.items()]}


def row(*cells: object) -> str:
    """A row of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def at_least(value: float, bar: float, places: int = 2) -> str:
    """A figure, marked when it is below its bar."""
    return f"{value:.{places}f}{' (missed)' if round(value, places) < bar else ''}"


def at_most(value: float, bar: float, places: int = 1) -> str:
    """A figure, marked when it is above its bar."""
    return f"{value:.{places}f}{' (missed)' if round(value, places) > bar else ''}"


def _to_floor(case: str, found: Compared) -> str:
    """The figure that decides is set in bold: requests per second where enough rounds were quiet, else processor time."""
    bar = BARS.get(case, _SQLITE_BAR)
    rates, quiet = found.ratios(_by_rate), _quiet(found)
    decides = sum(quiet) >= _ENOUGH
    counted = list(itertools.compress(rates, quiet)) if decides else rates
    low, _, high = statistics.quantiles(counted, n=4) if len(counted) > 1 else counted * 3
    by_rate, by_processor = statistics.median(counted), statistics.median(found.ratios(_by_processor))
    return row(
        case,
        bar,
        f"**{at_least(by_rate, bar)}**" if decides else f"{by_rate:.2f}",
        f"{low:.2f} to {high:.2f}",
        f"{by_processor:.2f}" if decides else f"**{at_least(by_processor, bar)}**",
        f"{sum(quiet)} of {len(quiet)}",
        *(f"{found.median(name, lambda window: window.seen.rate):,.0f}" for name in ("floor", "ours")),
        *(f"{found.median(name, lambda window: window.processor):.1f}" for name in ("floor", "ours")),
    )


def _rest(case: str, found: Compared) -> str:
    bar = FASTAPI_BARS.get(case)
    return row(
        case,
        _times(found, "litestar", None),
        _times(found, "fastapi", bar),
        bar or "-",
        *(f"{found.median('ours', of):.2f}" for of in (lambda window: window.seen.p50, lambda window: window.seen.p99)),
        _spread(found),
        SPREAD_BAR,
    )


def _quiet(found: Compared) -> list[bool]:
    return [others <= _QUIET for others in found.ratios(lambda ours, floor: max(ours.others, floor.others))]


def _times(found: Compared, peer: str, bar: float | None) -> str:
    """How many times a peer ours is: by requests per second, and by processor time."""
    if peer not in found.windows:
        return "-"
    figures = (statistics.median(found.ratios(of, peer)) for of in (_by_rate, _by_processor))
    return ", ".join(at_least(figure, bar or 0, 1) for figure in figures)


def _spread(found: Compared) -> str:
    """How far the slowest answers are behind: a figure of ours where enough rounds were quiet, else shown beside the floor's."""
    spreads = {name: [window.seen.p99 / window.seen.p50 for window in found.windows[name]] for name in ("ours", "floor")}
    quiet = list(itertools.compress(spreads["ours"], _quiet(found)))
    if len(quiet) >= _ENOUGH:
        return at_most(statistics.median(quiet), SPREAD_BAR)
    return f"{statistics.median(spreads['ours']):.1f} (not quiet; floor {statistics.median(spreads['floor']):.1f})"


def _by_rate(ours: Window, other: Window) -> float:
    return ours.seen.rate / other.seen.rate


def _by_processor(ours: Window, other: Window) -> float:
    return other.processor / ours.processor


def write(page: Path, found: list[Rows], how: str) -> None:
    """Writes the page; what stands behind its mark for notes is left as it is."""
    notes = page.read_text().partition(_NOTES)[2] if page.exists() else ""
    rows = {table: [line for part in found for line in part.get(table, [])] for table in _TABLES}
    missed = [line.split("|")[1].strip() for lines in rows.values() for line in lines if "(missed)" in line]
    lines = [
        *("# Results", ""),
        f"`make bench`, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {sys.version.split()[0]}; {how}.",
        f"A round is quiet when others used at most {_QUIET} of a core. Where there were {_ENOUGH} quiet rounds, their requests per second",
        "decide; elsewhere processor time per request does, since others hardly change it. What decides is set in bold.",
        "",
        f"Bars that a figure misses here: {'; '.join(missed) if missed else 'none'}.",
        "",
    ]
    for table, (title, head) in _TABLES.items():
        if rows[table]:
            columns = head.split(" | ")
            lines += [f"## {title}", "", row(*columns), "|---" * len(columns) + "|", *rows[table], ""]
    text = "\n".join([*lines, _NOTES]) + (notes or "\n")
    page.write_text(re.sub(r"\n{3,}", "\n\n", text))
    print(text)
