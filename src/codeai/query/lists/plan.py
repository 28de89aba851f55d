"""Lists: a page of rows with filters, sort, search, query text, expansion, by number or by cursor."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.endpoint import ListRows
from codeai.query.compiler import Compiler, Model
from codeai.query.errors import ExecutionError, InvalidValue, TooManyRows
from codeai.query.inputs import Inputs
from codeai.query.lists.cursor import Cursor
from codeai.query.lists.expansion import paths, prepare
from codeai.query.lists.filters import by_line, by_parameter, by_source
from codeai.query.lists.order import Order, order_of
from codeai.query.lists.request import CursorPagination, ListRequest, OffsetPagination, Page
from codeai.query.lists.shape import Asked, Base, Shape
from codeai.query.lists.sorting import unknown_field
from codeai.query.loads import loads, tree
from codeai.query.plans import DEFAULT_LIMIT
from codeai.query.rows import Layout, computed_outputs, stored_outputs
from codeai.query.scope import Access, TableRange
from codeai.query.select import Joins
from codeai.query.statement import Assembled
from codeai.query.text import FilterText
from codeai.query.truth import ALWAYS, Truth, all_of
from codeai.storage import errors as storage
from codeai.storage.interface import Session

KEPT: Final = 256
TEXT_TIMEOUT: Final = 2.0  # seconds for a statement with a caller's own condition
_MAX_OFFSET: Final = 2**62


class ListPlan:
    """The plan of a ``ListRows``.

    The host evaluates ``values``; when ``extends(request)`` it evaluates ``extended_values`` instead, which begin with them.

    :param types: the types as which query parameters are decoded, by name
    :param text: understands ``q``
    """

    def __init__(self, model: Model, action: ListRows, types: Mapping[str, t.Type], text: FilterText) -> None:
        self._model = model
        self._action = action
        self._text = text
        self._entity = entity = model.entity(action.entity)
        self._inputs = inputs = Inputs()
        compiler = Compiler(model, inputs)
        joins = Joins()
        row = compiler.table(entity, Access(), joins)
        compiler.ranges["r0"] = row
        filters = [by_parameter(compiler, row, each, _type(compiler, action, each.parameter, types)) for each in action.parameters]
        conditions: list[Truth] = [by_source(compiler, row, source) for source in action.sources]
        conditions += [filter_.condition for filter_ in filters]
        conditions += [by_line(compiler, line) for line in action.filters]
        where = all_of([*conditions, compiler.visible(row)])
        outputs = [*stored_outputs(compiler, row, everything=False), *computed_outputs(compiler, row)]
        self._base = Base(compiler, row, joins, where, tuple(filters), tuple(outputs))
        self._width = len(inputs)
        self._searchable = action.search and any(field.searchable for field in entity.fields)
        prepare(model, inputs, entity)
        inputs.frozen = True
        self._shapes: dict[object, Shape] = {}
        self._orders: dict[str | None, Order] = {}

    @property
    def values(self) -> tuple[ir.Expression, ...]:
        """What the host evaluates for a plain request."""
        return self._inputs.expressions[: self._width]

    @property
    def extended_values(self) -> tuple[ir.Expression, ...]:
        """What the host evaluates for a request that ``extends`` the list to other entities."""
        return self._inputs.expressions

    def extends(self, request: ListRequest) -> bool:
        """Whether a request needs ``extended_values``."""
        return bool(request.expand) or bool(request.q)

    # -- running ---------------------------------------------------------------------------------------------------

    async def run(self, session: Session, values: Sequence[Any], request: ListRequest) -> Any:
        """Reads a page.

        :param values: those of ``values``, or of ``extended_values`` when the request extends the list
        :returns: a ``Page``, or a list of rows when the list is not paginated
        :raises InvalidValue: a sort, cursor, expansion, limit or page that the list does not have
        :raises QueryError: what is wrong with ``q``
        """
        limit = self._limit(request)
        cursor, shape = self._shape(request)
        if not request.q:
            return await self._read(session, values, request, limit, cursor, shape)
        try:
            async with asyncio.timeout(TEXT_TIMEOUT):
                return await self._read(session, values, request, limit, cursor, shape)
        except (TimeoutError, storage.StatementTimeout) as error:
            raise ExecutionError("the query took too long", hint="narrow the condition") from error
        except (storage.DatabaseUnavailable, storage.PoolExhausted, storage.LockTimeout):
            raise
        except storage.StorageError as error:
            raise ExecutionError("the query could not be run") from error

    def _limit(self, request: ListRequest) -> int:
        if request.limit is None:
            return self._action.page_size if self._action.paginated else DEFAULT_LIMIT
        if not 1 <= request.limit <= self._action.max_page_size:
            raise InvalidValue("limit", "out_of_range", f"a page has 1 to {self._action.max_page_size} rows")
        return request.limit

    def _shape(self, request: ListRequest) -> tuple[Cursor | None, Shape]:
        order = self._order(request.sort)
        by_cursor = request.cursor is not None
        if by_cursor and request.page is not None:
            raise InvalidValue("cursor", "conflict", "a page has a number or a cursor, not both")
        place: Cursor | None = None
        if request.cursor:
            place = order.cursors.decode(request.cursor)
        if request.search is not None and not self._searchable:
            raise InvalidValue("search", "not_searchable", f"'{self._entity.name}' has no searchable fields")
        asked = Asked(
            order,
            place.direction if place is not None else "next",
            place.nulls if place is not None else None,
            by_cursor,
            request.search is not None,
            paths(self._model, self._entity, request.expand) if request.expand else (),
        )
        return place, self._made(asked, request) if request.q else self._kept(asked)

    def _order(self, text: str | None) -> Order:
        found = self._orders.get(text)
        if found is None:
            found = order_of(self._model, self._entity, self._action, text)
            if len(self._orders) >= KEPT:
                self._orders.clear()
            self._orders[text] = found
        return found

    def _kept(self, asked: Asked) -> Shape:
        key = asked.key
        found = self._shapes.pop(key, None)
        if found is None:
            found = self._new(asked, ALWAYS, extended=bool(asked.expand))
            if len(self._shapes) >= KEPT:
                del self._shapes[next(iter(self._shapes))]
        self._shapes[key] = found  # moved to the end: the first is the least recently used
        return found

    def _new(self, asked: Asked, condition: Truth, *, extended: bool) -> Shape:
        wanted = loads(self._model, self._inputs, self._entity, tree(asked.expand), Access(), "json")
        width = len(self._inputs) if extended else self._width
        return Shape(self._base, asked, wanted, lambda name: unknown_field("sort", name, self._action), condition=condition, width=width)

    def _made(self, asked: Asked, request: ListRequest) -> Shape:
        """A shape with a caller's condition; it is not kept, since no other request has its text."""
        if not self._action.text_filter:
            raise InvalidValue("q", "not_supported", "this list takes no query text")
        assert request.q is not None
        compiler = self._base.compiler.copy()
        joins = self._base.joins.copy()
        base = msgspec.structs.replace(self._base, compiler=compiler, joins=joins)
        row = TableRange(self._entity, Access(trusted=False), self._base.row.alias, joins)
        condition = self._text.compile(compiler, row, request.q, request.now)
        wanted = loads(self._model, self._inputs, self._entity, tree(asked.expand), Access(), "json")
        return Shape(
            base,
            asked,
            wanted,
            lambda name: unknown_field("sort", name, self._action),
            condition=condition,
            width=len(self._inputs),
        )

    async def _read(
        self, session: Session, values: Sequence[Any], request: ListRequest, limit: int, place: Cursor | None, shape: Shape
    ) -> Any:
        page = request.page or 1
        if page < 1 or page * limit > _MAX_OFFSET:
            raise InvalidValue("page", "out_of_range", "pages are counted from 1")
        extras = [limit + 1, (page - 1) * limit, request.search, *(place.key if place is not None else ())]
        statement = shape.statement.pick(values)
        layout = statement.layout
        records: Sequence[Any] = []
        if layout is not None:
            records = await session.fetch(statement.text, statement.values((*values, *extras)))
        more = len(records) > limit
        if more:
            if not self._action.paginated and request.limit is None:
                raise TooManyRows(self._entity.name, limit)
            records = records[:limit]
        if place is not None and place.direction == "previous":
            records = list(reversed(records))
        rows = await self._rows(session, values, shape, layout, records)
        if not self._action.paginated:
            return rows
        total = await self._total(session, values, request, shape, extras) if request.total is not None else msgspec.UNSET
        if not shape.asked.by_cursor:
            return Page(data=rows, pagination=OffsetPagination(page=page, limit=limit, has_next=more, has_previous=page > 1, total=total))
        return Page(data=rows, pagination=self._by_cursor(shape, layout, records, place, limit, more, total))

    async def _rows(
        self, session: Session, values: Sequence[Any], shape: Shape, layout: Layout | None, records: Sequence[Any]
    ) -> list[Any]:
        if layout is None:
            return []
        read = layout.read
        rows = [read(record) for record in records]
        for load in shape.loads:
            await load.run(session, values, layout, records, rows, self._entity.primary)
        return rows

    def _by_cursor(
        self,
        shape: Shape,
        layout: Layout | None,
        records: Sequence[Any],
        place: Cursor | None,
        limit: int,
        more: bool,
        total: int | msgspec.UnsetType,
    ) -> CursorPagination:
        backwards = place is not None and place.direction == "previous"
        has_next = backwards or more
        has_previous = more if backwards else place is not None
        cursors = shape.asked.order.cursors
        following = preceding = None
        if records and layout is not None:
            if has_next:
                following = cursors.encode("next", shape.sort_key(layout, records[-1]))
            if has_previous:
                preceding = cursors.encode("previous", shape.sort_key(layout, records[0]))
        return CursorPagination(
            limit=limit,
            next_cursor=following,
            prev_cursor=preceding,
            has_next=following is not None,
            has_previous=preceding is not None,
            total=total,
        )

    async def _total(self, session: Session, values: Sequence[Any], request: ListRequest, shape: Shape, extras: list[Any]) -> int:
        statement: Assembled[bool] = shape.counting.pick(values)
        if statement.layout is None:
            return 0
        bound = values if statement.bind is None else statement.bind((*values, *extras))
        if request.total == "estimated" and self._model.dialect.name == "postgresql":
            record = await session.fetch_row(f"EXPLAIN (FORMAT JSON) {statement.text}", bound)
            return _estimate(record[0]) if record is not None else 0
        record = await session.fetch_row(statement.text, bound)
        return int(record[0]) if record is not None else 0  # type: ignore[call-overload]  # a count


def _estimate(plan: Any) -> int:
    """The rows that the planner expects below the count."""
    found = (msgspec.json.decode(plan) if isinstance(plan, str | bytes) else plan)[0]["Plan"]
    while found.get("Plans") and found["Node Type"] in ("Aggregate", "Gather", "Gather Merge"):
        workers = found.get("Workers Planned", 0)
        found = dict(found["Plans"][0])
        if workers:
            found["Plan Rows"] = math.ceil(found["Plan Rows"] * (workers + 1))
    return int(found["Plan Rows"])


def _type(compiler: Compiler, action: ListRows, parameter: str, types: Mapping[str, t.Type]) -> t.Type:
    known = types.get(parameter)
    if known is not None:
        return known
    name = next(each.field for each in action.parameters if each.parameter == parameter)
    field = compiler.model.entity(action.entity).field(name)
    assert field is not None
    return compiler.model.plain(field.stored_type)
