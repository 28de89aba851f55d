"""A program with its database, for tests of queries: real parser, checker, evaluator and database."""

import asyncio
import datetime
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any

from codeai.analysis.program import Analysis
from codeai.auth.principal import ANONYMOUS, SYSTEM, Grants, Principal
from codeai.evaluate.context import Context
from codeai.evaluate.program import Evaluator
from codeai.model import expression as ir
from codeai.model.application import Application
from codeai.model.endpoint import Endpoint
from codeai.query.lists.get import GetPlan
from codeai.query.lists.plan import ListPlan
from codeai.query.lists.request import ListRequest
from codeai.query.statements import Statements
from codeai.query.text import FilterText, parse_query_text
from codeai.storage.codecs import codec
from codeai.storage.interface import Database, Session

NOW = datetime.datetime(2026, 11, 24, 12, tzinfo=datetime.UTC)
__all__ = ["ANONYMOUS", "NOW", "SYSTEM", "Counting", "Lasting", "Opening", "World", "caller", "key", "selections"]


def key(number: int) -> uuid.UUID:
    """A uuid that is easy to tell from others."""
    return uuid.UUID(int=number)


def caller(id: object = None, *roles: str, permissions: Sequence[str] = (), tenant: object = None) -> Principal:
    """A principal; without an id it is nobody."""
    return Principal(
        id=None if id is None else str(id),
        grants=Grants(frozenset(roles), frozenset(permissions)),
        tenant=None if tenant is None else str(tenant),
        authenticated=id is not None,
    )


def selections(node: Any) -> list[Any]:
    """The statements of the database in a tree, from the outside in."""
    kinds = (ir.Selection, ir.UpdateRows, ir.DeleteRows)
    if isinstance(node, kinds):
        return [node]
    if isinstance(node, tuple):
        return [found for part in node for found in selections(part)]
    fields = getattr(node, "__struct_fields__", ())
    return [found for name in fields for found in selections(getattr(node, name))]


class Counting:
    """A session that remembers its statements."""

    def __init__(self, inner: Session) -> None:
        self.inner = inner
        self.statements: list[str] = []

    async def fetch(self, statement: str, values: Any) -> Any:
        self.statements.append(statement)
        return await self.inner.fetch(statement, values)

    async def fetch_row(self, statement: str, values: Any) -> Any:
        self.statements.append(statement)
        return await self.inner.fetch_row(statement, values)

    async def execute(self, statement: str, values: Any) -> int:
        self.statements.append(statement)
        return await self.inner.execute(statement, values)

    async def execute_many(self, statement: str, rows: Any) -> None:
        self.statements.append(statement)
        await self.inner.execute_many(statement, rows)

    def after_commit(self, work):
        work()


class World:
    """What a request would meet."""

    def __init__(self, analysis: Analysis, database: Database) -> None:
        self.analysis = analysis
        self.database = database
        self.application: Application = analysis.application
        self.statements = Statements(self.application, database.dialect)
        self.evaluator = Evaluator(self.application, self.statements, {})
        self.session = Counting(database)
        self._compiled: dict[str, ir.Expression] = {}

    def context(self, user: Principal = SYSTEM, **parts: Any) -> Context:
        found = Context(user, self.session, NOW, None, lambda *_: None)  # type: ignore[arg-type]
        for name, part in parts.items():
            setattr(found, name, part)
        return found

    # -- rows ------------------------------------------------------------------------------------------------------

    async def insert(self, entity: str, *rows: Mapping[str, Any]) -> None:
        """Rows without policies or defaults; missing fields are null."""
        found = self.application.entity(entity)
        model = self.statements.model
        dialect = model.dialect
        names = ", ".join(dialect.quote(field.name) for field in found.fields)
        mark = "${}" if dialect.name == "postgresql" else "?{}"
        marks = ", ".join(mark.format(at + 1) for at in range(len(found.fields)))
        converts = [(field.name, codec(model.plain(field.stored_type), dialect.name).to_driver) for field in found.fields]
        values = [
            [None if row.get(name) is None else row[name] if convert is None else convert(row[name]) for name, convert in converts]
            for row in rows
        ]
        await self.database.execute_many(f"INSERT INTO {model.table(found)} ({names}) VALUES ({marks})", values)

    # -- queries ---------------------------------------------------------------------------------------------------

    def query(self, text: str) -> ir.Selection:
        """A query text, resolved."""
        return parse_query_text(text, self.analysis.symbols)

    async def run(self, statement: str | ir.Expression, user: Principal = SYSTEM, **parts: Any) -> Any:
        """The result of a query text, or of a statement of the program."""
        expression = self.query(statement) if isinstance(statement, str) else statement
        plan = self.statements.compile(expression)
        context = self.context(user, **parts)
        return await plan.run(self.session, self.evaluator.values(plan.values)(context))

    async def names(self, query: str | ir.Expression, user: Principal = SYSTEM, field: str = "name") -> list[Any]:
        """One field of every row of a result."""
        return [row[field] for row in await self.run(query, user)]

    # -- endpoints -------------------------------------------------------------------------------------------------

    def endpoint(self, name: str) -> Endpoint:
        return next(endpoint for endpoint in self.application.endpoints if endpoint.name == name)

    def list_plan(self, name: str) -> ListPlan:
        endpoint = self.endpoint(name)
        types = {field.name: field.type for field in endpoint.inputs.query}
        return ListPlan(self.statements.model, endpoint.action, types, FilterText(self.application))  # type: ignore[arg-type]

    async def page(
        self,
        plan: ListPlan,
        user: Principal = SYSTEM,
        query: Mapping[str, Any] | None = None,
        path: Mapping[str, Any] | None = None,
        **request: Any,
    ) -> Any:
        """A page, as it would be encoded: decoded from JSON again."""
        wanted = ListRequest(now=NOW, **request)
        sent = {"query": frozenset(query or {})}
        context = self.context(user, query=query or {}, path=path or {}, sent=sent)
        expressions = plan.extended_values if plan.extends(wanted) else plan.values
        found = await plan.run(self.session, self.evaluator.values(expressions)(context), wanted)
        return as_json(found)

    async def get(self, name: str, user: Principal = SYSTEM, **path: Any) -> Any:
        """One row, as it would be encoded."""
        plan = GetPlan(self.statements.model, self.endpoint(name).action)  # type: ignore[arg-type]
        values = self.evaluator.values(plan.values)(self.context(user, path=path))
        return as_json(await plan.run(self.session, values))


def as_json(value: Any) -> Any:
    """A result after the wire, with exact numbers."""
    import json
    from decimal import Decimal

    import msgspec

    return json.loads(msgspec.json.Encoder(decimal_format="number").encode(value), parse_float=Decimal)


class Lasting:
    """A world that outlives a test, and the loop in which it lives."""

    def __init__(self, world: World, runner: asyncio.Runner) -> None:
        self.world = world
        self._runner = runner
        self.filled = False

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)


Opening = Callable[[str], Awaitable[World]]
