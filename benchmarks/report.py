"""Figures as the page RESULTS.md."""

import datetime
import os
import re
import statistics
import sys
from pathlib import Path

from comparing import ENOUGH, QUIET, Compared, Window

BARS = {"ping": 0.85, "one row": 0.85, "one row, JWT and policy": 0.75, "list of 20": 0.85, "create": 0.80, "do block": 0.80}
FASTAPI_BARS = {"ping": 3, "one row": 9, "one row, JWT and policy": 12, "list of 20": 8, "create": 10}
SPREAD_BAR = 3
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
    bar, rates = BARS.get(case, _SQLITE_BAR), found.rates()
    low, _, high = statistics.quantiles(rates, n=4) if len(rates) > 1 else rates * 3
    return row(
        case,
        bar,
        _deciding(found.by_rate(), bar, found.decided),
        f"{low:.2f} to {high:.2f}",
        _deciding(found.by_processor(), bar, not found.decided),
        f"{sum(found.quiet)} of {len(found.quiet)}",
        *(f"{found.median(name, lambda window: window.seen.rate):,.0f}" for name in ("floor", "ours")),
        *(f"{found.median(name, lambda window: window.processor):.1f}" for name in ("floor", "ours")),
    )


def _deciding(figure: float, bar: float, decides: bool) -> str:
    """In bold, and marked when it is below its bar, if it decides."""
    return f"**{at_least(figure, bar)}**" if decides else f"{figure:.2f}"


def _rest(case: str, found: Compared) -> str:
    bar = FASTAPI_BARS.get(case)
    spread = found.median("ours", _spread)
    return row(
        case,
        _times(found, "litestar", None),
        _times(found, "fastapi", bar),
        bar or "-",
        *(f"{found.median('ours', of):.2f}" for of in (lambda window: window.seen.p50, lambda window: window.seen.p99)),
        at_most(spread, SPREAD_BAR) if found.decided else f"{spread:.1f} (not quiet; floor {found.median('floor', _spread):.1f})",
        SPREAD_BAR,
    )


def _times(found: Compared, peer: str, bar: float | None) -> str:
    """How many times a peer ours is: by requests per second, and by processor time."""
    if peer not in found.windows:
        return "-"
    by_rate, by_processor = found.by_rate(peer), found.by_processor(peer)
    if found.decided or bar is None:
        return f"{at_least(by_rate, bar or 0, 1)}, {by_processor:.1f}"
    return f"{by_rate:.1f}, {at_least(by_processor, bar, 1)}"


def _spread(window: Window) -> float:
    """How far the slowest answers are behind."""
    return window.seen.p99 / window.seen.p50


def write(page: Path, found: list[Rows], how: str) -> None:
    """Writes the page; what stands behind its mark for notes is left as it is."""
    notes = page.read_text().partition(_NOTES)[2] if page.exists() else ""
    rows = {table: [line for part in found for line in part.get(table, [])] for table in _TABLES}
    missed = dict.fromkeys(line.split("|")[1].strip() for lines in rows.values() for line in lines if "(missed)" in line)
    lines = [
        *("# Results", ""),
        f"`make bench`, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {sys.version.split()[0]}; {how}.",
        f"A round is quiet when others used at most {QUIET} of a core. Where there were {ENOUGH} quiet rounds, their requests per second",
        "decide; elsewhere processor time per request does, since others change it less. What decides is set in bold.",
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
