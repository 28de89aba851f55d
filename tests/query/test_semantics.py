"""Property: a condition means the same in SQL, on both databases, as in Python, whatever is null."""

import datetime
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from world import NOW, SYSTEM, Lasting, World, key

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.traversal import rebuilt
from codeai.query.errors import QueryError
from codeai.query.text import FilterText

PROGRAM = """
enum Size { small, medium, large }
entity Other { id: uuid, primary  name: string  rank: int  things: many(Thing.other) }
entity Thing {
    id: uuid, primary
    a: int
    b: int, required
    s: string
    d: decimal(10,2)
    w: decimal
    f: bool
    at: timestamp
    day: date
    size: Size
    tags: list(string)
    data: json
    other: ref(Other)
    both: string = "{s}/{b}"
}
"""
SOURCE = random.Random(7)  # the rows are always the same, so that examples can be repeated
TEXTS = [None, "", "a", "A", "ab", "Ba", "ä", "%", "_", "a%b", "\\", "it's", "x" * 40]
STAMPS = [None, NOW, NOW - datetime.timedelta(days=1), NOW.replace(microsecond=1), NOW.replace(year=2027)]
OTHERS = [
    {"id": key(1), "name": "a", "rank": 1},
    {"id": key(2), "name": None, "rank": 2},
    {"id": key(3), "name": "b", "rank": None},
]


def _row(number: int) -> dict[str, Any]:
    pick = SOURCE.choice
    return {
        "id": key(100 + number),
        "a": pick([None, -3, -1, 0, 1, 2, 5]),
        "b": pick([-2, 0, 1, 2, 7]),
        "s": pick(TEXTS),
        "d": pick([None, Decimal("-1.50"), Decimal("0.00"), Decimal("0.01"), Decimal("1.50"), Decimal("99999999.99")]),
        "w": pick([None, Decimal("0"), Decimal("1.5"), Decimal("1.50"), Decimal("0.333"), Decimal("12345678901234567890.5")]),
        "f": pick([None, True, False]),
        "at": pick(STAMPS),
        "day": pick([None, NOW.date(), datetime.date(2020, 2, 29), datetime.date(1999, 12, 31)]),
        "size": pick([None, "small", "medium", "large"]),
        "tags": pick([None, [], ["a"], ["a", "b"], ["", "%"]]),
        "data": pick([None, {"k": "a", "n": 1}, {"k": None}, {"n": Decimal("1.5"), "deep": {"k": "b"}}, {"k": 5, "n": "1"}]),
        "other": pick([None, key(1), key(2), key(3)]),
    }


ROWS = [_row(number) for number in range(60)]


def related(row: dict[str, Any]) -> dict[str, Any]:
    other = next((other for other in OTHERS if other["id"] == row["other"]), None)
    if other is not None:
        other = other | {"@things": [thing for thing in ROWS if thing["other"] == row["other"]]}
    return row | {"@other": other}


# -- conditions ----------------------------------------------------------------------------------------------------


def _joined(*parts: str | st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts)).map("".join)


COMPARE = st.sampled_from([" == ", " != ", " < ", " <= ", " > ", " >= "])
EQUAL = st.sampled_from([" == ", " != "])
TEXT_TEST = st.sampled_from([" contains ", " starts_with ", " ends_with "])
INT_LITERALS = st.sampled_from(["-1", "0", "1", "2", "5", "100"])
INTS = st.recursive(
    st.sampled_from(["a", "b", "other.rank", "-a"]) | INT_LITERALS,
    lambda inner: (
        _joined("(", inner, st.sampled_from([" + ", " - ", " * ", " ?? "]), inner, ")")
        | _joined("min(", inner, ", ", inner, ")")
        | _joined("max(", inner, ", ", inner, ")")
        | _joined("abs(", inner, ")")
        | _joined("(", inner, " % 3)")
        | _joined("length(", st.sampled_from(["s", "tags", "both"]), ")")
    ),
    max_leaves=3,
)
DECIMAL_LITERALS = st.sampled_from(["0.0", "1.5", "-1.50", "0.333", "1.505", "12345678901234567890.5"])
DECIMALS = st.recursive(
    st.sampled_from(["d", "w"]) | DECIMAL_LITERALS,
    lambda inner: (
        _joined("(", inner, st.sampled_from([" + ", " - ", " * ", " ?? "]), inner, ")")
        | _joined("(", inner, " / ", st.sampled_from(["3", "0.7", "-8"]), ")")
        | _joined("round(", inner, ", ", st.sampled_from(["0", "1", "2"]), ")")
        | _joined("(", inner, " * b)")
        | _joined("abs(", inner, ")")
    ),
    max_leaves=3,
)
TEXT_LITERALS = st.sampled_from(["''", "'a'", "'A'", "'ä'", "'%'", "'_'", "'b'", '"\\\\"', '"it\'s"'])
STRINGS = st.one_of(
    st.sampled_from(["s", "other.name", "both", "size", "data.k"]) | TEXT_LITERALS,
    (
        _joined("lower(", st.sampled_from(["s", "both"]), ")")
        | _joined("upper(", st.sampled_from(["s", "both"]), ")")
        | _joined("trim(", st.sampled_from(["s", "both"]), ")")
        | _joined("(s ?? ", TEXT_LITERALS, ")")
        | _joined("(s + ", TEXT_LITERALS, ")")
        | _joined("replace(s, 'a', ", TEXT_LITERALS, ")")
    ),
)
PLAIN_STRINGS = STRINGS.filter(lambda text: text not in ("size", "data.k"))
STAMP_LITERALS = st.sampled_from(["'2026-11-24T12:00:00Z'", "'2026-11-23'", "'2027-11-24T12:00:00Z'"])
LEAVES = st.one_of(
    _joined(INTS, COMPARE, INTS),
    _joined(DECIMALS, COMPARE, DECIMALS),
    _joined("a", st.sampled_from([" in ", " not in "]), st.sampled_from(["[1, 2]", "[0]", "[]", "[a, b]", "[b, 1]"])),
    _joined("d", st.sampled_from([" in ", " not in "]), st.sampled_from(["[1.5, 0.01]", "[1.505]"])),
    _joined("s", st.sampled_from([" in ", " not in "]), st.sampled_from(["['a', 'A']", "['%']", "tags"])),
    _joined("size", st.sampled_from([" in ", " not in "]), st.sampled_from(["['small', 'large']", "['medium']"])),
    _joined("size", EQUAL, st.sampled_from(["'small'", "'large'", "null"])),
    _joined(PLAIN_STRINGS, COMPARE, PLAIN_STRINGS),
    _joined(PLAIN_STRINGS, TEXT_TEST, PLAIN_STRINGS),
    _joined("s matches ", st.sampled_from(["'^a'", "'a$'", "'[%_]'", "'^.{2}$'", "'(a|A)b?'", "'\\\\W'"])),
    st.sampled_from(["f", "f == true", "f != true", "f == null", "f == (a == 1)"]),
    _joined(st.sampled_from(["a", "s", "d", "w", "at", "tags", "other", "other.name", "data", "data.k", "size"]), EQUAL, "null"),
    _joined("at", COMPARE, STAMP_LITERALS),
    _joined("at", st.sampled_from([" + 1d", " - 1h30m"]), COMPARE, STAMP_LITERALS),
    _joined("add_months(at, ", INT_LITERALS, ")", COMPARE, STAMP_LITERALS),
    _joined("add_days(day, ", INT_LITERALS, ")", COMPARE, st.sampled_from(["'2026-11-24'", "'2020-02-29'"])),
    _joined("day", COMPARE, st.sampled_from(["'2026-11-24'", "'2020-02-29'"])),
    _joined("diff_days(day, day)", COMPARE, "0"),
    _joined("(at - ", "now()", ")", COMPARE, st.sampled_from(["1h", "-23h"])),
    _joined("tags contains ", TEXT_LITERALS),
    _joined("tags.any(x => x", EQUAL, TEXT_LITERALS, ")"),
    _joined("tags.all(x => x", EQUAL, "'a')"),
    _joined("data.k", EQUAL, st.sampled_from(["'a'", "'b'", "'5'"])),
    _joined("data.deep.k", EQUAL, "'b'"),
    _joined("data.n", EQUAL, st.sampled_from(["1", "1.5"])),
    _joined("other.things.count", COMPARE, INT_LITERALS),
    _joined("other.things.any(x => x.a", COMPARE, "b)"),
    _joined("other.things.sum(x => x.b)", COMPARE, INT_LITERALS),
    _joined("other == '", st.sampled_from([str(key(1)), "nothing"]), "'"),
    _joined("a between ", INT_LITERALS, " and ", INT_LITERALS),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: (
        _joined("(", inner, st.sampled_from([" and ", " or "]), inner, ")")
        | _joined("not (", inner, ")")
        | _joined("(", inner, " ? ", inner, " : ", inner, ")")
    ),
    max_leaves=4,
)


@pytest.fixture
def things(lasting_world_of: Callable[[str], Lasting]) -> Lasting:
    lasting = lasting_world_of(PROGRAM)
    if not lasting.filled:
        lasting.run(lasting.world.insert("Other", *OTHERS))
        lasting.run(lasting.world.insert("Thing", *ROWS))
        lasting.filled = True
    return lasting


def expected_of(world: World, condition: ir.Expression, query: dict[str, Any]) -> list[int]:
    """The rows that fulfil a condition in Python."""
    over_self = rebuilt(condition, lambda node: msgspec.structs.replace(node, alias="self") if isinstance(node, ir.RangeRow) else node)
    holds = world.evaluator.row_value(over_self)
    context = world.context(SYSTEM, query=query)
    return [row["id"].int for row in ROWS if holds(context, related(row))]


def checked(world: World, text: str) -> ir.Expression:
    """The resolved condition; texts that the checker refuses (``a == a``) are no examples."""
    try:
        return FilterText(world.application).condition("Thing", text, NOW)
    except QueryError as error:
        assert "with itself" in str(error) or "null" in str(error) or "expected null" in str(error), (text, error)
        reject()


def selection_of(condition: ir.Expression) -> ir.Selection:
    row = t.Row("Thing")
    order = ir.Order(ir.FieldValue(type=t.Uuid(), row=ir.RangeRow(type=row, alias="q"), field="id"))
    return ir.Selection(type=t.List(row), kind="rows", entity="Thing", alias="q", where=condition, order_by=(order,))


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=CONDITIONS)
def test_a_condition_of_constants_means_the_same_everywhere(things: Lasting, text: str) -> None:
    world = things.world
    condition = checked(world, text)
    found = things.run(world.run(selection_of(condition)))
    assert [row["id"].int for row in found] == expected_of(world, condition, {}), text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=CONDITIONS, nulls=st.sets(st.integers(0, 5)))
def test_a_condition_of_bound_values_means_the_same_everywhere(things: Lasting, text: str, nulls: set[int]) -> None:
    world = things.world
    condition = checked(world, text)
    query: dict[str, Any] = {}

    def bind(node: Any) -> Any:
        """Constants become values of the request, some of them null."""
        if not isinstance(node, ir.Binary) or not isinstance(node.right, ir.Constant) or node.operator in ("??", "matches", "/", "%"):
            return node
        name = f"p{len(query)}"
        query[name] = None if len(query) in nulls else node.right.value
        return msgspec.structs.replace(node, right=ir.RequestValue(type=t.optional(node.right.type), place="query", name=name))

    bound = rebuilt(condition, bind)
    found = things.run(world.run(selection_of(bound), SYSTEM, query=query))
    assert [row["id"].int for row in found] == expected_of(world, bound, query), (text, query)
