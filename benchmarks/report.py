"""Figures as the page RESULTS.md."""

import datetime
import os
import re
import sys
from pathlib import Path

from load import Measured

BARS = {"ping": 0.85, "one row": 0.85, "one row, JWT and policy": 0.75, "list of 20": 0.85, "create": 0.80, "do block": 0.80}
FASTAPI_BARS = {"ping": 3, "one row": 9, "one row, JWT and policy": 12, "list of 20": 8, "create": 10}
SPREAD_BAR = 3
_SQLITE_BAR = 0.70
_HTTP = (
    (
        "| case | floor, req/s | ours, req/s | ours to floor | bar | Litestar to floor | ours to FastAPI | bar "
        "| p50, ms | p99, ms | p99 to p50 | bar |"
    ),
    "|---|---|---|---|---|---|---|---|---|---|---|---|",
)
_OWN = ("| what | measured | bar |", "|---|---|---|")
_LANGUAGE = ("| program | lines | parse and check, ms per 1,000 lines | bar |", "|---|---|---|---|")
_SECTIONS = (
    ("HTTP on PostgreSQL", _HTTP, ("ping", "reads", "writes")),
    ("One row on SQLite", _HTTP, ("sqlite",)),
    ("Memory and start", _OWN, ("start", "endurance")),
    ("Language", _LANGUAGE, ("language",)),
)
_NOTES = "<!-- notes -->"


def median(values: list[Measured]) -> Measured:
    """The run of the middle rate."""
    return sorted(values, key=lambda value: value.rate)[len(values) // 2]


def rows_of(found: dict[str, dict[str, list[Measured]]]) -> list[str]:
    """The rows of HTTP cases; a figure below its bar is marked."""
    lines = []
    for case, by_name in found.items():
        rates = {name: median(values).rate for name, values in by_name.items() if values}
        ours, floor = median(by_name["ours"]), rates.get("floor", rates.get("floor_sqlite", 1.0))
        bar = BARS.get(case, _SQLITE_BAR)
        litestar = f"{rates['litestar'] / floor:.2f}" if "litestar" in rates else "-"
        fastapi = _above(ours.rate / rates["fastapi"], FASTAPI_BARS[case], 1) if "fastapi" in rates else "-"
        spread = ours.p99 / ours.p50
        lines.append(
            f"| {case} | {floor:,.0f} | {ours.rate:,.0f} | **{_above(ours.rate / floor, bar, 2)}** | {bar} | {litestar} "
            f"| {fastapi} | {FASTAPI_BARS.get(case, '-')} | {ours.p50:.2f} | {ours.p99:.2f} "
            f"| {spread:.1f}{' (missed)' if spread > SPREAD_BAR else ''} | {SPREAD_BAR} |"
        )
    return lines


def _above(value: float, bar: float, places: int) -> str:
    return f"{value:.{places}f}{' (missed)' if round(value, places) < bar else ''}"


def write(page: Path, found: dict[str, list[str]], how: str) -> None:
    """Writes the page; what stands behind its mark for notes is left as it is."""
    notes = page.read_text().partition(_NOTES)[2] if page.exists() else ""
    lines = [
        *("# Results", ""),
        f"`make bench`, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {sys.version.split()[0]}; {how} in",
        "mixed order, of which the medians count. The machine is shared: read the ratios, not the rates.",
        "",
    ]
    missed = [f"{line.split('|')[1].strip()}" for part in found.values() for line in part if "(missed)" in line]
    lines += [f"Bars that are missed here: {'; '.join(missed) if missed else 'none'}.", ""]
    for title, head, parts in _SECTIONS:
        rows = [line for part in parts for line in found.get(part, [])]
        if rows:
            lines += [f"## {title}", "", *head, *rows, ""]
    text = "\n".join([*lines, _NOTES]) + (notes or "\n")
    page.write_text(re.sub(r"\n{3,}", "\n\n", text))
    print(text)
