"""Expressions to SQL: the one compiler of a statement, to which the modules of ``expressions`` give their nouns.

What does not depend on rows is never compiled: the host evaluates it and the statement has a parameter, or, where it is a
condition, a guard (see ``truth``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.application import Application
from codeai.model.entity import Entity, Field
from codeai.model.inlining import Inliner, NotInlinable
from codeai.model.record_rules import RecordRules
from codeai.model.traversal import children
from codeai.query.dialects import Dialect, dialect
from codeai.query.errors import CompilerError
from codeai.query.expressions import calls, compiled, logic
from codeai.query.inputs import Inputs
from codeai.query.policies import Policies
from codeai.query.scope import Access, Range, TableRange
from codeai.query.select import Joins, Select
from codeai.query.sql import Sql
from codeai.query.truth import Choice, Guard, Guarded, Test, Truth, all_of
from codeai.query.values import NULL, Value
from codeai.storage.interface import Dialect as DialectName

if TYPE_CHECKING:
    from codeai.query.writes.companions import Companions

GuardKey = tuple[int, str]
_ROWS = (ir.RangeRow, ir.Selection, ir.UpdateRows, ir.DeleteRows, ir.CreateRow, ir.ChangeRow, ir.RemoveRow)


class Model:
    """The entities of a program by name, with the dialect of its database.

    :param companions: what is written together with rows, by entity
    """

    def __init__(self, application: Application, database: DialectName, companions: Mapping[str, Companions] | None = None) -> None:
        self.dialect: Dialect = dialect(database)
        self.application = application
        self.companions: Mapping[str, Companions] = companions or {}
        self._entities = {entity.name: entity for entity in application.entities}
        self.policies = Policies(self._entities)
        self.records = RecordRules(application.shapes)
        self._functions = {function.name: function for function in application.functions}

    def entity(self, name: str) -> Entity:
        """The entity of that name."""
        return self._entities[name]

    def table(self, entity: Entity) -> str:
        """The table of an entity, quoted, or the query that stands for it."""
        return f"({entity.view})" if entity.view else self.dialect.quote(entity.table)

    def written_out(self, node: ir.CallFunction) -> ir.Expression:
        """A call of a declared function as an expression without it.

        :raises CompilerError: the function is no expression
        """
        try:
            found: ir.Expression = Inliner(self._functions).written_out(node)
        except NotInlinable as error:
            said = f"function '{node.function}' cannot be used in a query: it {error}"
            raise CompilerError(said, hint="compute it before, with 'let'", at=node.at) from None
        return found

    def plain(self, type_: t.Type) -> t.Type:
        """A type without nullability; references and rows stand for the key."""
        type_ = t.required(type_)
        if isinstance(type_, t.Ref | t.Row):
            return self.entity(type_.entity).primary_field.stored_type
        if isinstance(type_, t.List) and isinstance(t.required(type_.item), t.Ref | t.Row):
            return t.List(self.plain(type_.item))
        return type_


class Compiler:
    """Compiles the expressions of one statement.

    :param inputs: the values of the plan, shared by its statements
    """

    def __init__(self, model: Model, inputs: Inputs) -> None:
        self.model = model
        self.dialect = model.dialect
        self.inputs = inputs
        self.guards: list[GuardKey] = []
        self.ranges: dict[str, Range] = {}
        self.rows: dict[str, Range] = {}
        self.elements: dict[str, Value] = {}
        self.aggregating = False
        self._aliases = 0

    def copy(self) -> Compiler:
        """A compiler that knows what this one knows, for one statement more."""
        found = Compiler(self.model, self.inputs)
        found.guards = list(self.guards)
        found.ranges = dict(self.ranges)
        found._aliases = self._aliases
        return found

    # -- names -----------------------------------------------------------------------------------------------------

    def alias(self) -> str:
        """A new alias."""
        self._aliases += 1
        return f"t{self._aliases - 1}"

    def guard(self, slot: int, kind: str = "true") -> Truth:
        """A condition that a value of the plan decides.

        :param kind: ``true``: the value is true · ``null``: it is null · ``single``: it is a list of one
        """
        key = (slot, kind)
        if key not in self.guards:
            self.guards.append(key)
        return Guard(self.guards.index(key))

    # -- what depends on rows --------------------------------------------------------------------------------------

    def depends(self, node: Any) -> bool:
        """Whether an expression can only be known by the database."""
        if isinstance(node, _ROWS):
            return True
        if isinstance(node, ir.Local):
            return node.name in self.rows or node.name in self.elements
        if self.aggregating and calls.is_aggregate(node):
            return True
        return any(self.depends(part) for part in children(node))

    # -- entry -----------------------------------------------------------------------------------------------------

    def truth(self, node: ir.Expression) -> Truth:
        """An expression as a condition."""
        return logic.truth(self, node)

    def value(self, node: ir.Expression) -> Value:
        """An expression as a value."""
        return compiled(self, node)

    def bound(self, node: ir.Expression, type_: t.Type | None = None) -> Value:
        """A value of the plan; a row stands for its key.

        :param type_: the type as which it is sent, if that is not its own
        """
        if isinstance(node, ir.Constant):
            known = type_ or self.model.plain(node.type)
            return NULL if node.value is None else self.dialect.given(node.value, known)
        nullable = t.is_nullable(node.type) or isinstance(node, ir.Convert)
        return self.dialect.bound(self.inputs.slot(self.keyed(node)), type_ or self.model.plain(node.type), nullable=nullable)

    def keyed(self, node: ir.Expression) -> ir.Expression:
        """The key of a value that is a row; any other value as it is."""
        type_ = t.required(node.type)
        if not isinstance(type_, t.Row):
            return node
        field = self.model.entity(type_.entity).primary_field
        return ir.FieldValue(type=t.optional(field.type) if t.is_nullable(node.type) else field.type, row=node, field=field.name)

    # -- rows ------------------------------------------------------------------------------------------------------

    def range_of(self, node: ir.Expression) -> Range:
        """The rows that an expression of type ``Row`` stands for."""
        if isinstance(node, ir.RangeRow):
            return self.ranges[node.alias]
        if isinstance(node, ir.Local) and node.name in self.rows:
            return self.rows[node.name]
        if isinstance(node, ir.RelatedRow):
            origin = self.range_of(node.row)
            relation = origin.entity.relation(node.relation)
            assert relation is not None
            return origin.hop(self, relation)
        raise CompilerError("this row cannot be used in a query", hint="read it before, with 'let'", at=node.at)

    def table(self, entity: Entity, access: Access, joins: Joins | None) -> TableRange:
        """A new range over the table of an entity."""
        return TableRange(entity, access, self.alias(), joins)

    def field(self, row: Range, field: Field) -> Value:
        """A stored field of a row, null where the caller may not see it."""
        sql = row.column(field.name)
        type_ = self.model.plain(field.stored_type)
        nullable = field.nullable or row.nullable
        shown = self.model.policies.shown(self, row, field.name)
        scale = self.dialect.scale(type_)
        if shown is None:
            return Value(sql, type_, nullable, scale)
        choice = Choice(shown, sql, ("NULL",))
        if not row.access.trusted:
            choice = Guarded(shown, sql, CompilerError(f"unknown field '{field.name}' on entity '{row.entity.name}'"))
        return Value(("(", choice, ")"), type_, True, scale)

    def visible(self, row: Range) -> Truth:
        """Whether a row may be seen: not deleted, of the caller's tenant, allowed by the policy."""
        parts: list[Truth] = []
        deleted = row.entity.soft_delete_field
        if deleted is not None and not row.access.deleted:
            parts.append(Test((*row.column(deleted.name), " IS NULL"), nullable=False))
        if not row.access.system:
            parts.append(self.model.policies.allowed(self, row, "read"))
        return all_of(parts)

    def may_hide(self, entity: Entity, access: Access) -> bool:
        """Whether a row of the entity that exists may still be out of sight."""
        deleted = entity.soft_delete_field is not None and not access.deleted
        return deleted or (not access.system and self.model.policies.restricts(entity, "read"))

    # -- subqueries ------------------------------------------------------------------------------------------------

    def subquery(self, columns: Sql, entity: Entity, alias: str, joins: Joins, where: Truth, *, order: Sql = (), tail: Sql = ()) -> Sql:
        """A ``SELECT`` in parentheses."""
        return ("(", Select(columns, (f"{self.model.table(entity)} {alias}",), joins, where, order=order, tail=tail), ")")

    def with_self(self, row: Range, node: ir.Expression, compile_: str = "truth") -> Any:
        """Compiles an expression of an entity (policy, hide rule, computed field) with ``self`` standing for ``row``.

        Nothing else of the statement is in its sight: its own ranges and lambdas count from the same names as those around it.
        """
        outer = self.ranges, self.rows, self.elements, self.aggregating
        self.ranges, self.rows, self.elements, self.aggregating = {"self": row}, {}, {}, False
        try:
            return self.truth(node) if compile_ == "truth" else self.value(node)
        finally:
            self.ranges, self.rows, self.elements, self.aggregating = outer

    def unsupported(self, node: ir.Expression, what: str) -> CompilerError:
        """The error about something that no database computes."""
        return CompilerError(f"{what} cannot be used in a query", hint="compute it before, with 'let'", at=node.at)
