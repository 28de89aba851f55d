"""From an expression to its plan."""

from __future__ import annotations

from collections.abc import Mapping

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
from codeai.storage.interface import Dialect


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
