"""From an expression to its plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codeai.model import expression as ir
from codeai.model.application import Application
from codeai.query.compiler import Model
from codeai.query.errors import CompilerError
from codeai.query.plans import SelectionPlan, StatementPlan
from codeai.query.writes.bulk import BulkPlan
from codeai.query.writes.change import ChangePlan, RemovePlan
from codeai.query.writes.companions import Companions
from codeai.query.writes.create import CreatePlan
from codeai.query.writes.watched import WatchedUpdate
from codeai.storage.autocommit import Autocommit
from codeai.storage.interface import Dialect, Session, Values


class Statements:
    """Makes the plans of one program for one kind of database.

    :param companions: what is written together with rows, by entity
    """

    def __init__(self, application: Application, dialect: Dialect, companions: Mapping[str, Companions] | None = None) -> None:
        self.model = Model(application, dialect, companions)

    def compile(self, expression: ir.Expression) -> StatementPlan:
        """The plan of a query or a write, with results in value form.

        :raises CompilerError: it asks for what no database computes
        """
        if isinstance(expression, ir.Selection):
            return SelectionPlan(self.model, expression)
        return _Write(self._write(expression))

    def _write(self, expression: ir.Expression) -> StatementPlan:
        if isinstance(expression, ir.CreateRow):
            return CreatePlan(self.model, expression)
        if isinstance(expression, ir.ChangeRow):
            return ChangePlan(self.model, expression)
        if isinstance(expression, ir.RemoveRow):
            return RemovePlan(self.model, expression)
        if isinstance(expression, ir.UpdateRows | ir.DeleteRows):
            watched = isinstance(expression, ir.UpdateRows) and expression.entity in self.model.companions
            return (WatchedUpdate if watched else BulkPlan)(self.model, expression)
        raise CompilerError(f"'{type(expression).__name__}' is no statement", at=expression.at)


class _Write:
    """A write as a whole: where each statement is a transaction of its own, all statements of a write are one."""

    def __init__(self, plan: StatementPlan) -> None:
        self._plan = plan
        self.values = plan.values

    async def run(self, session: Session, values: Values) -> Any:
        """See ``StatementPlan``."""
        if not isinstance(session, Autocommit):
            return await self._plan.run(session, values)
        async with session.whole() as one:
            return await self._plan.run(one, values)
