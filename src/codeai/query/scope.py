"""Rows in sight of an expression, and how their columns are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from codeai.model.entity import Entity, Relation
from codeai.query.errors import CompilerError
from codeai.query.select import HopColumn, HopJoin, Joins
from codeai.query.sql import Sql
from codeai.query.truth import Test, all_of

if TYPE_CHECKING:
    from codeai.query.compiler import Compiler


class Access(msgspec.Struct, frozen=True):
    """As whom rows are reached: ``system`` passes row policies, tenants and hide rules; ``deleted`` shows soft-deleted rows.

    ``trusted`` is false for conditions that a caller wrote (``q``): these never see secret fields.
    """

    system: bool = False
    deleted: bool = False
    trusted: bool = True


class Range:
    """Rows of an entity over which an expression ranges."""

    def __init__(self, entity: Entity, access: Access, *, nullable: bool = False) -> None:
        self.entity = entity
        self.access = access
        self.nullable = nullable

    def column(self, name: str) -> Sql:
        """A stored field."""
        raise NotImplementedError

    def hop(self, compiler: Compiler, relation: Relation) -> Range:
        """The row behind a relation to one; its fields are null when there is none that may be seen."""
        raise NotImplementedError

    def as_system(self) -> Range:
        """The same rows, seen without policies (for the expressions of policies themselves)."""
        raise NotImplementedError


class TableRange(Range):
    """Rows of a table in ``FROM``. Without ``joins`` (in writes, and in the conditions of joins) hops are subqueries."""

    def __init__(self, entity: Entity, access: Access, alias: str, joins: Joins | None, *, nullable: bool = False) -> None:
        super().__init__(entity, access, nullable=nullable)
        self.alias = alias
        self.joins = joins

    def column(self, name: str) -> Sql:
        """See ``Range``."""
        return (f'{self.alias}."{name}"',)

    def hop(self, compiler: Compiler, relation: Relation) -> Range:
        """See ``Range``."""
        return _hop(compiler, self, relation, self.joins, self.alias)

    def as_system(self) -> Range:
        """See ``Range``."""
        access = msgspec.structs.replace(self.access, system=True, trusted=True)
        return TableRange(self.entity, access, self.alias, self.joins, nullable=self.nullable)


class HopRange(Range):
    """The row that a join reaches."""

    def __init__(self, entity: Entity, access: Access, join: HopJoin, joins: Joins, *, nullable: bool) -> None:
        super().__init__(entity, access, nullable=nullable)
        self.join = join
        self.joins = joins

    def column(self, name: str) -> Sql:
        """See ``Range``."""
        return (HopColumn(self.join, f'{self.join.alias}."{name}"'),)

    def hop(self, compiler: Compiler, relation: Relation) -> Range:
        """See ``Range``."""
        return _hop(compiler, self, relation, self.joins, self.join.alias)

    def as_system(self) -> Range:
        """See ``Range``."""
        access = msgspec.structs.replace(self.access, system=True, trusted=True)
        return HopRange(self.entity, access, self.join, self.joins, nullable=self.nullable)


class LookupRange(Range):
    """The row that a key points to, read by a subquery per column: where no join can stand."""

    def __init__(self, compiler: Compiler, entity: Entity, access: Access, key: Sql) -> None:
        super().__init__(entity, access, nullable=True)
        self._compiler = compiler
        self._key = key

    def column(self, name: str) -> Sql:
        """See ``Range``."""
        compiler = self._compiler
        alias = compiler.alias()
        row = TableRange(self.entity, self.access, alias, None)
        same = Test((*row.column(self.entity.primary), " = ", *self._key), nullable=True)
        where = all_of([same, compiler.visible(row)])
        return compiler.subquery(row.column(name), self.entity, alias, Joins(), where)

    def hop(self, compiler: Compiler, relation: Relation) -> Range:
        """See ``Range``."""
        other = compiler.model.entity(relation.entity)
        return LookupRange(compiler, other, self.access, self.column(relation.field))

    def as_system(self) -> Range:
        """See ``Range``."""
        return LookupRange(self._compiler, self.entity, msgspec.structs.replace(self.access, system=True, trusted=True), self._key)


class NewRowRange(Range):
    """A row that is about to be written: its fields are pieces of SQL (parameters, mostly)."""

    def __init__(self, compiler: Compiler, entity: Entity, access: Access, columns: dict[str, Sql]) -> None:
        super().__init__(entity, access)
        self._compiler = compiler
        self._columns = columns

    def column(self, name: str) -> Sql:
        """See ``Range``."""
        return self._columns[name]

    def hop(self, compiler: Compiler, relation: Relation) -> Range:
        """See ``Range``."""
        return LookupRange(compiler, compiler.model.entity(relation.entity), self.access, self.column(relation.field))

    def as_system(self) -> Range:
        """See ``Range``."""
        return NewRowRange(self._compiler, self.entity, msgspec.structs.replace(self.access, system=True, trusted=True), self._columns)


def _hop(compiler: Compiler, row: Range, relation: Relation, joins: Joins | None, origin: str) -> Range:
    if relation.kind != "one":
        raise CompilerError(f"'{relation.name}' is a list of rows", hint="count it, or use any and all")
    other = compiler.model.entity(relation.entity)
    if joins is None:
        return LookupRange(compiler, other, row.access, row.column(relation.field))
    key = (origin, relation.name, row.access)
    join = joins.known.get(key)
    if join is None:
        join = HopJoin(compiler.model.table(other), compiler.alias())
        target = TableRange(other, row.access, join.alias, None)
        same = Test((*target.column(other.primary), " = ", *row.column(relation.field)), nullable=True)
        join.on = all_of([same, compiler.visible(target)])
        joins.known[key] = join
    return HopRange(other, row.access, join, joins, nullable=row.nullable or relation.nullable or compiler.may_hide(other, row.access))
