"""What a built-in or an operation gives is the same in SQL, on both databases, as in Python; what no database computes is refused."""

import datetime
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import Lasting, World

from codeai.analysis.builtins import BUILTINS
from codeai.model import expression as ir
from codeai.model.moments import UNITS
from codeai.model.traversal import rebuilt
from codeai.query.errors import CompilerError

PROGRAM = """
enum Size { small, large }
entity Sample {
    id: int, primary
    n: int
    m: int, required
    s: string
    d: decimal(12,2)
    w: decimal
    x: float
    f: bool
    at: timestamp
    day: date
    size: Size
    tags: list(string)
    data: json
}
"""
D = Decimal


def _at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


ROWS: list[dict[str, Any]] = [
    {"id": 1, "n": 7, "m": 2, "s": " Straße Ünïcode ", "d": D("2.50"), "w": D("2.675"), "x": 2.5, "f": True, "size": "small"},
    {"id": 2, "n": -7, "m": 2, "s": "a,b,,c", "d": D("-2.50"), "w": D("-0.005"), "x": -2.5, "f": False, "size": "large"},
    {"id": 3, "n": 0, "m": -3, "s": "", "d": D("0.01"), "w": D("12345678901234567890.125"), "x": 0.1, "tags": []},
    {"id": 4, "m": 5},
    {
        "id": 5,
        "n": 9007199254740993,
        "m": 1,
        "s": "\t\n x \r\u00a0",
        "d": D("9999999999.99"),
        "w": D("1E-9"),
        "x": 1e15,
        "tags": ["a", "ä"],
    },
    {
        "id": 6,
        "n": 1,
        "m": 7,
        "s": "it's 100%_\\ ok",
        "d": D("0.00"),
        "w": D("98765432109876543210987654321098765.5"),
        "x": -0.4,
        "tags": ["b"],
        "data": {"k": "v", "n": 1},
    },
    {"id": 7, "n": 2, "m": 3, "s": "İstanbul ẞ ﬁ σς ΑΣ", "d": D("3.50"), "w": D("100"), "x": 3.5},
]
_STAMPS = ["2024-01-31T23:59:59.999999", "2023-12-31T00:00:00", "2024-02-29T12:30:00", "", "1999-03-31T06:00:00.5", "2026-11-24T12:00:00"]
for row, text in zip(ROWS, _STAMPS):
    if text:
        row |= {"at": _at(text), "day": _at(text).date()}
ROWS = [dict.fromkeys(("n", "s", "d", "w", "x", "f", "at", "day", "size", "tags", "data")) | row for row in ROWS]

VALUES = [
    *("upper(s)", "lower(s)", "trim(s)", "trim_left(s)", "trim_right(s)", "length(s)", "length(tags)", "s.length", "replace(s, 'a', 'ö')"),
    *("replace(s, '%', '')", "replace(s, '', '-')", "replace(upper(s), 'A', s)", "s + '!'", "s ?? 'none'", "upper(trim(s))", "lower(size)"),
    *("abs(n)", "abs(d)", "abs(w)", "abs(x)", "-n", "-d", "-w", "-x"),
    *("ceil(d)", "ceil(w % 1000)", "ceil(x)", "ceil(n)", "floor(d)", "floor(w % 1000)", "floor(x)", "floor(n)"),
    *(
        "round(d)",
        "round(w)",
        "round(x)",
        "round(n)",
        "round(d, 1)",
        "round(w, 2)",
        "round(x, 1)",
        "round(n, 2)",
        "round(w, 0)",
        "round(d, 4)",
    ),
    *(
        "round(d, -1)",
        "round(w, -2)",
        "round(n, -1)",
        "round(n + 15, -1)",
        "round(m * 25, -1)",
        "round(x, -1)",
        "round(d / 3, 2)",
        "round(w * d, 3)",
    ),
    *("n + m", "n - m", "m * m", "n / m", "n % m", "m % 3", "(m - 10) % 3", "(m - 10) / 3"),
    *(
        "d + w",
        "d - w",
        "d * w",
        "d * m",
        "d / 3",
        "w / 7",
        "d / m",
        "d % 2",
        "d * 0 * m",
        "-(d - d)",
        "(0 - d) * 0",
        "w % 0.7",
        "d % m",
        "d + 1",
        "w - 0.5",
        "d + n",
        "n + 1.5",
    ),
    *("x + 1.5", "x * 2", "x / 3", "x - x / 2", "x + m", "d + d", "d * d", "w + w", "w * w", "1 / m", "1.0 / m", "m / 3.0"),
    *(
        "min(n, m)",
        "max(n, m)",
        "min(d, w)",
        "max(d, w)",
        "min(d, 1.5)",
        "max(n, 1.5)",
        "min(x, 1.5)",
        "max(day, day)",
        "min(at, at)",
        "min(s, 'b')",
    ),
    *("to_string(n)", "to_string(d)", "to_string(w)", "to_string(f)", "to_string(day)", "to_string(at)", "to_string(size)", "to_string(s)"),
    *('"{n}/{d}/{w}"', '"{s}: {day} {at}"', '"{f} {size}"', '"{d * 2} {w + 1}"', '"{d / 3}"', '"{round(w, 2)}"'),
    *("add_days(day, 1)", "add_days(day, -60)", "add_days(at, 30)", "add_hours(at, 25)", "add_hours(day, 25)", "add_hours(at, -1)"),
    *(
        "add_months(day, 1)",
        "add_months(day, -1)",
        "add_months(at, 13)",
        "add_months(at, -11)",
        "add_months(day, 12 * 4)",
        "add_months(day, m)",
    ),
    *("diff_days(day, day)", "diff_days(at, now())", "diff_days(now(), at)", "diff_days(day, today())", "diff_days(at, at)"),
    *(f"{name}({value}, '{unit}')" for name in ("start_of", "end_of") for value in ("at", "day") for unit in UNITS),
    *(
        "format_date(at, 'YYYY-MM-DD HH:mm:ss')",
        "format_date(day, 'DD.MM.YYYY')",
        """format_date(at, 'MMm "YYYY" \\\\ HH24 Q')""",
        "format_date(day, '')",
    ),
    *("at + 90m", "at - 1d", "at + 500ms", "day + 36h", "day - 1d", "now() - at", "at - now()", "1h + at"),
    *("n > 2 ? 'big' : s", "if f then d else w", "f ? n : null", "data.k", "data.k ?? 'x'"),
]


@pytest.fixture
def samples(lasting_world_of: Callable[[str], Lasting]) -> Lasting:
    lasting = lasting_world_of(PROGRAM)
    if not lasting.filled:
        lasting.run(lasting.world.insert("Sample", *ROWS))
        lasting.filled = True
    return lasting


def in_python(world: World, value: ir.Expression, rows: list[dict[str, Any]]) -> list[Any]:
    over_self = rebuilt(value, lambda node: msgspec.structs.replace(node, alias="self") if isinstance(node, ir.RangeRow) else node)
    compute = world.evaluator.row_value(over_self)
    return [compute(world.context(), row) for row in rows]


def same(left: Any, right: Any) -> bool:
    """Equal, of the same type; binary fractions up to their last bits. The evaluator gives the least or greatest number as it came."""
    if isinstance(left, float) and isinstance(right, float | Decimal):
        return math.isclose(left, right, rel_tol=1e-12, abs_tol=1e-12)
    widened = isinstance(left, Decimal) and type(right) is int
    return (type(left) is type(right) or widened) and left == right


def compared(samples: Lasting, text: str, rows: list[dict[str, Any]] = ROWS) -> None:
    world = samples.world
    query = world.query(f"select id, {text} as v from Sample order by id")
    assert query.columns is not None
    expected = in_python(world, query.columns[1].value, rows)
    found = [row["v"] for row in samples.run(world.run(query))]
    different = [(row["id"], there, here) for row, there, here in zip(rows, found, expected, strict=True) if not same(there, here)]
    assert not different, (text, "row, database, Python:", different)


@pytest.mark.parametrize("text", VALUES)
def test_a_value_is_the_same_in_python_and_in_sql(samples: Lasting, text: str) -> None:
    compared(samples, text)


ROUNDING = ["round(d, 1)", "round(w, 3)", "round(w, -2)", "round(n, -2)", "round(d * w, 2)", "round(w / m, 4)"]
NUMBERS = [
    "n + m",
    "n - m",
    "n % m",
    "n / m",
    "d + w",
    "d * w",
    "d - n",
    "w / 7",
    "w % m",
    "-w",
    "abs(d)",
    "ceil(d)",
    "floor(d / 3)",
    "max(d, w)",
]
NUMBERS += ["abs(d)", "ceil(d)", "floor(d / 3)", "max(d, w)"]
TIMES = ["add_months(day, m)", "add_days(at, m)", "add_hours(day, m)", "diff_days(at, now())", "at - now()", "at + 36h", "to_string(at)"]
TIMES += [
    "start_of(at, 'week')",
    "end_of(at, 'month')",
    "start_of(day, 'year')",
    "end_of(day, 'week')",
    "format_date(at, 'YYYYMMDDHHmmss')",
]
TEXTS = ["upper(s)", "lower(s)", "trim(s)", "length(s)", "replace(s, 'a', 'bb')", "to_string(w)", '"{d} {n}"']
EARLY, LATE = _at("1900-01-01").replace(tzinfo=None), _at("2200-01-01").replace(tzinfo=None)
SAMPLES = st.fixed_dictionaries(
    {
        "n": st.none() | st.integers(-(10**12), 10**12),
        "m": st.integers(1, 400) | st.integers(-400, -1),
        "d": st.none() | st.decimals(-(10**9), 10**9, places=2),
        "w": st.none() | st.decimals(-(10**15), 10**15, places=7),
        "at": st.none() | st.datetimes(EARLY, LATE, timezones=st.just(datetime.UTC)),
        "day": st.none() | st.dates(EARLY.date(), LATE.date()),
        "s": st.none() | st.text(st.characters(max_codepoint=0x24F, exclude_characters="\0"), max_size=12),
    }
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(sample=SAMPLES)
def test_any_values_give_the_same(lasting_world_of: Callable[[str], Lasting], sample: dict[str, Any]) -> None:
    samples = lasting_world_of(PROGRAM.replace("Sample", "Any"))
    world, row = samples.world, ROWS[3] | sample
    texts = [*ROUNDING, *NUMBERS, *TIMES, *TEXTS]
    query = world.query(f"select id, {', '.join(f'{text} as v{at}' for at, text in enumerate(texts))} from Any")
    assert query.columns is not None
    samples.run(world.run(ir.DeleteRows(type=query.type, entity="Any", alias="q", where=None)))
    samples.run(world.insert("Any", row))
    (found,) = samples.run(world.run(query))
    for at, text in enumerate(texts):
        here = in_python(world, query.columns[at + 1].value, [row])[0]
        assert same(found[f"v{at}"], here), (text, sample, found[f"v{at}"], here)


ARGUMENTS = {
    "split": "s, ','",
    "join": "tags, ','",
    "slug": "s",
    "parse_date": "s",
    "parse_int": "s",
    "parse_decimal": "s",
    "to_json": "data",
    "parse_json": "s",
    "hash": "s",
    "hmac": "s, 'k'",
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_what_no_database_computes_is_refused_when_it_depends_on_rows(samples: Lasting, name: str) -> None:
    assert name in BUILTINS
    with pytest.raises(CompilerError, match=f"'{name}' cannot be computed in a query") as refused:
        samples.run(samples.world.run(f"select id, {name}({ARGUMENTS[name]}) as v from Sample"))
    assert "let" in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("start_of(at, s)", "'start_of' with a unit that is not a constant"),
        ("format_date(day, s)", "'format_date' with a pattern that is not a constant"),
        ("format_date(at, '%A')", "'%' in a pattern"),
    ],
)
def test_units_and_patterns_of_rows_are_constants(samples: Lasting, text: str, said: str) -> None:
    with pytest.raises(CompilerError, match=f"{said} cannot be computed in a query"):
        samples.run(samples.world.run(f"select id, {text} as v from Sample"))
