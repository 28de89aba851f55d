"""Generated operations on one row: get, create, change, replace, delete."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from codeai.auth.principal import Principal
from codeai.evaluate.context import Context
from codeai.evaluate.program import Evaluator
from codeai.http.lists import OneExpanded
from codeai.http.messages import ONLY_JSON, Request, Response
from codeai.http.negotiation import etag, matching
from codeai.http.paths import PathParameters
from codeai.http.plans import ENCODER, Action, ByPath, Inputs, Runtime, Writing, conditional, context_of, json_response
from codeai.http.problems import FieldError, Problem, missing_reference, taken
from codeai.http.projection import Projection
from codeai.http.success import Success
from codeai.model import expression as ir
from codeai.model.derived import needs_others
from codeai.model.endpoint import CreateOne, DeleteOne, Endpoint, GetRow, ModifyRow, ReplaceRow, Validation
from codeai.model.entity import Entity
from codeai.query.compiler import Model
from codeai.query.inputs import Inputs as PlanInputs
from codeai.query.lists.get import GetPlan
from codeai.query.text import FilterText
from codeai.query.writes.change import RowChange
from codeai.query.writes.create import Insert
from codeai.storage.errors import ForeignKeyViolation, UniqueViolation
from codeai.storage.interface import RowAtOnce, Session

_KeyedAction = GetRow | ModifyRow | ReplaceRow | DeleteOne

_Written = TypeVar("_Written")


def reading(action: _KeyedAction) -> GetRow:
    """The reading of the row that an operation is about."""
    return GetRow(entity=action.entity, sources=action.sources, filters=action.filters, parameter=action.parameter, field=action.field)


class _RowReader:
    """Reads the row of an operation as JSON; with ``lock``, nobody changes it before the operation does."""

    def __init__(self, model: Model, evaluator: Evaluator, action: _KeyedAction, *, lock: bool = False) -> None:
        self._plan = GetPlan(model, reading(action), lock=lock)
        self._values = evaluator.values(self._plan.values)

    def by_path(self, names: Sequence[str], fetch: RowAtOnce) -> Callable[[Sequence[Any]], Any] | None:
        """The row by the values of the path, where it depends on nothing else.

        :param names: of the parameters, in order
        """
        asked = [given.name if isinstance(given, ir.RequestValue) and given.place == "path" else None for given in self._plan.values]
        return self._plan.settled(fetch) if asked == list(names) else None

    async def read(self, context: Context) -> bytes:
        """The row, encoded; raises RowNotFound."""
        return ENCODER.encode(await self._plan.run(context.session, self._values(context)))

    def read_at_once(self, context: Context, fetch: RowAtOnce) -> bytes:
        """The same, where a row is there without waiting."""
        return ENCODER.encode(self._plan.at_once(fetch, self._values(context)))


class GetAction(Action):
    """GET of one row."""

    def __init__(self, model: Model, evaluator: Evaluator, action: GetRow, runtime: Runtime, text: FilterText) -> None:
        self._reader = _RowReader(model, evaluator, action)
        self._expanded = OneExpanded(model, evaluator, action, text)
        self._runtime = runtime
        self._fetch = runtime.database.row_at_once
        self.instant = self._fetch is not None

    def at_once(self, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """See ``plans.Action``."""
        assert self._fetch is not None
        body = self._reader.read_at_once(context_of(self._runtime, principal, self._runtime.database, inputs), self._fetch)
        return conditional(request, Response(200, body, ONLY_JSON))

    def by_path(self, path: PathParameters) -> ByPath | None:
        """See ``plans.Action``."""
        row = self._reader.by_path(path.names, self._fetch) if self._fetch is not None else None
        if row is None:
            return None
        encode, values_of = ENCODER.encode, path.values

        def answer(request: Request, texts: list[str]) -> Response:
            return conditional(request, Response(200, encode(row(values_of(texts))), ONLY_JSON))

        return answer

    async def run(self, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """See ``plans.Action``."""
        context = context_of(self._runtime, principal, self._runtime.database, inputs)
        expand = inputs.texts.get("expand")
        if expand is None or "expand" in inputs.query:
            body = await self._reader.read(context)
        else:
            body = ENCODER.encode(await self._expanded.read(context, expand))
        return conditional(request, Response(200, body, ONLY_JSON))


class _Checks:
    """The ``validate`` rules of an operation, on the row as it is going to be. ``asked`` are those that need other rows as well."""

    def __init__(self, evaluator: Evaluator, entity: Entity, rules: tuple[Validation, ...]) -> None:
        self.conditions: list[tuple[Validation, Callable[[Context, Any], Any]]] = []
        self.asked: list[tuple[str, ir.Expression]] = []
        self._taken = {rule.field or "": rule.message for rule in rules if rule.kind == "unique" and rule.message}
        self._missing = {rule.field or "": rule.message for rule in rules if rule.kind == "exists" and rule.message}
        for rule in rules:
            if rule.condition is not None:
                self.conditions.append((rule, self._holds(evaluator, entity, rule.condition)))

    def _holds(self, evaluator: Evaluator, entity: Entity, condition: ir.Expression) -> Callable[[Context, Any], Any]:
        if not needs_others(entity, condition):
            return evaluator.row_value(condition)
        name = f"@valid{len(self.asked)}"
        self.asked.append((name, condition))
        return lambda context, row: row.get(name)

    async def written(self, write: Awaitable[_Written]) -> _Written:
        """What a write gives; a value that another row has is told in the words of the operation."""
        try:
            return await write
        except UniqueViolation as error:
            raise taken(error, self._taken) from error
        except ForeignKeyViolation as error:
            if error.referenced:
                raise
            raise missing_reference(error.columns, self._missing) from error

    def check(self, context: Context, row: Mapping[str, Any]) -> None:
        """Raises a problem with every rule that does not hold; a row that the caller may not see is one that does not exist."""
        failed = [rule for rule, holds in self.conditions if not holds(context, row)]
        missing = [rule.field or "" for rule in failed if rule.kind == "exists"]
        if missing:
            raise missing_reference(missing, self._missing)
        errors = [FieldError(rule.field or "", "check_failed", rule.message or "a rule of this operation does not hold") for rule in failed]
        if errors:
            raise Problem(422, "the request has invalid values", "invalid", errors=tuple(errors))


class CreateAction(Writing):
    """POST of a new row.

    :param location: the path of the new row by its key, when an endpoint shows it
    """

    def __init__(
        self,
        model: Model,
        evaluator: Evaluator,
        projection: Projection,
        endpoint: Endpoint,
        action: CreateOne,
        runtime: Runtime,
        location: Callable[[Mapping[str, Any]], str] | None,
        success: Success | None = None,
    ) -> None:
        inputs = PlanInputs()
        entity = model.entity(action.entity)
        self._checks = _Checks(evaluator, entity, action.validations)
        self._insert = Insert(model, entity, inputs, system=False, asked=self._checks.asked)
        self._given = [(entry.name, inputs.slot(entry.value)) for entry in action.values]
        self._values = evaluator.values(inputs.expressions)
        self._sources = [(source.field, source.parameter) for source in action.sources]
        self._project = projection.row(action.entity)
        self._status = endpoint.returns.status or 201
        self._location = location
        self._runtime = runtime
        self._success = success
        announced = success is not None and success.announcement is not None
        alone = self._insert.alone(accompanied=announced) and not self._checks.conditions and (success is None or announced)
        self._session = runtime.database.writing() if alone else None

    async def run(self, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """See ``plans.Action``."""
        if self._session is not None:
            return await self.within(self._session, request, inputs, principal)
        async with self._runtime.database.transaction() as session:
            return await self.within(session, request, inputs, principal)

    async def within(self, session: Session, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """See ``plans.Writing``."""
        row, shown = await self._created(session, inputs, principal)
        headers: tuple[tuple[bytes, bytes], ...] = ()
        if self._location is not None:
            headers = ((b"location", self._location(row).encode()),)
        return json_response(shown, self._status, headers)

    async def _created(self, session: Session, inputs: Inputs, principal: Principal) -> tuple[Mapping[str, Any], Any]:
        context = context_of(self._runtime, principal, session, inputs)
        values = self._values(context)
        given = dict(inputs.body or {})
        for field, parameter in self._sources:
            given[field] = inputs.path[parameter]
        for field, slot in self._given:
            given[field] = values[slot]
        success = self._success
        announcement = success.announcement if success is not None else None
        beside = announcement.beside(context, inputs.body) if announcement is not None else None
        row = await self._checks.written(self._insert.run(session, values, given, beside))
        self._checks.check(context, row)
        if success is not None and announcement is None:
            await success.run(context, row, inputs.body)
        return row, self._project(row, context)


class _KeyedWrite(Writing):
    """What changes, replacements and deletions share: they find one row, and honour ``If-Match``."""

    def __init__(
        self,
        model: Model,
        evaluator: Evaluator,
        action: ModifyRow | ReplaceRow | DeleteOne,
        runtime: Runtime,
        success: Success | None = None,
    ) -> None:
        inputs = PlanInputs()
        self._success = success
        names = (action.field, *(source.field for source in action.sources))
        entity = model.entity(action.entity)
        self._checks = _Checks(evaluator, entity, () if isinstance(action, DeleteOne) else action.validations)
        self._change = RowChange(model, entity, inputs, system=False, names=names, asked=self._checks.asked)
        self._values = evaluator.values(inputs.expressions)
        self._parameters = (action.parameter, *(source.parameter for source in action.sources))
        self._reader = _RowReader(model, evaluator, action, lock=True)
        self._runtime = runtime

    async def run(self, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """See ``plans.Action``."""
        async with self._runtime.database.transaction() as session:
            return await self.within(session, request, inputs, principal)

    def _keys(self, inputs: Inputs) -> tuple[Any, ...]:
        return tuple(inputs.path[name] for name in self._parameters)

    async def _match(self, request: Request, context: Context) -> None:
        wanted = request.headers.get(b"if-match")
        if wanted is None:
            return
        body = await self._reader.read(context)
        if matching(wanted, etag(body), strong=True) is None:
            raise Problem(412, "the row has changed since you read it", hint="read it again")


class ModifyAction(_KeyedWrite):
    """PATCH (the fields that were sent) and PUT (all of them)."""

    def __init__(
        self,
        model: Model,
        evaluator: Evaluator,
        projection: Projection,
        endpoint: Endpoint,
        action: ModifyRow | ReplaceRow,
        runtime: Runtime,
        success: Success | None = None,
    ) -> None:
        super().__init__(model, evaluator, action, runtime, success)
        self._project = projection.row(action.entity)
        self._fixed = frozenset(source.field for source in action.sources)
        self._replaced: list[Any] = []
        if isinstance(action, ReplaceRow):
            body = endpoint.inputs.body
            writable = [
                field
                for field in self._change.entity.fields
                if not (field.primary or field.generated or field.read_only or field.immutable)
            ]
            sent = {field.name for field in body.fields} if body is not None else set()
            self._replaced = [field for field in writable if field.name in sent and field.name not in action.keep]
        self._immutable = frozenset(field.name for field in self._change.entity.fields if field.immutable or field.primary)

    async def within(self, session: Session, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """See ``plans.Writing``."""
        context = context_of(self._runtime, principal, session, inputs)
        await self._match(request, context)
        values = self._values(context)
        sent = inputs.sent.get("body", frozenset())
        given = {name: value for name, value in (inputs.body or {}).items() if name in sent and name not in self._fixed}
        wrong = tuple(FieldError(name, "immutable", "does not change") for name in given if name in self._immutable)
        if wrong:
            raise Problem(422, "the request has invalid values", "invalid", errors=wrong)
        for field in self._replaced:
            given.setdefault(field.name, self._change.maker.default(field, values))
        row = await self._checks.written(self._change.update(session, values, self._keys(inputs), given))
        self._checks.check(context, row)
        if self._success is not None:
            await self._success.run(context, row, given)
        shown = self._project(row, context)
        return conditional(request, json_response(shown))


class DeleteAction(_KeyedWrite):
    """DELETE."""

    async def within(self, session: Session, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """See ``plans.Writing``."""
        context = context_of(self._runtime, principal, session, inputs)
        await self._match(request, context)
        row = await self._change.remove(session, self._values(context), self._keys(inputs))
        if self._success is not None:
            await self._success.run(context, row, {})
        return Response(204)
