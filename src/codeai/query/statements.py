"""From an expression to its plan."""

from __future__ import annotations

from codeai.model import expression as ir
from codeai.model.application import Application
from codeai.query.compiler import Model
from codeai.query.errors import CompilerError
from codeai.query.plans import SelectionPlan, StatementPlan
from codeai.query.writes.bulk import BulkPlan
from codeai.query.writes.change import ChangePlan, RemovePlan
from codeai.query.writes.create import CreatePlan
from codeai.storage.interface import Dialect


class Statements:
    """Makes the plans of one program for one kind of database."""

    def __init__(self, application: Application, dialect: Dialect) -> None:
        self.model = Model(application, dialect)

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
            return BulkPlan(self.model, expression)
        raise CompilerError(f"'{type(expression).__name__}' is no statement", at=expression.at)
