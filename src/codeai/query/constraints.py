"""The ``check`` lines of entities: as conditions of their tables, and as an error that names the fields.

A check reads its own row and constants. So it can stand in ``CREATE TABLE``, where it holds for every write, also for those
of other programs. What it compares is what the language says: a comparison with null is false.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any, NoReturn
from uuid import UUID

from codeai.model import expression as ir
from codeai.model.application import Application
from codeai.model.entity import Check, Entity, Relation
from codeai.model.traversal import children
from codeai.query.compiler import Compiler, Model
from codeai.query.errors import CompilerError
from codeai.query.inputs import Inputs
from codeai.query.scope import Access, NewRowRange, Range
from codeai.query.sql import Source, Sql, Writer
from codeai.storage.errors import CheckViolation
from codeai.storage.interface import Dialect as DialectName

_SYSTEM = Access(system=True)


class CheckTexts:
    """Writes the checks of a program for one database."""

    def __init__(self, application: Application, database: DialectName) -> None:
        self._model = Model(application, database)

    def __call__(self, entity: Entity, check: Check) -> str:
        """The condition, without parameters.

        :raises CompilerError: it needs more than its row and constants
        """
        compiler = Compiler(self._model, Inputs())
        columns: dict[str, Sql] = {field.name: (self._model.dialect.quote(field.name),) for field in entity.fields}
        truth = compiler.with_self(_OwnRow(compiler, entity, _SYSTEM, columns), check.condition)
        if len(compiler.inputs) or compiler.guards:
            raise CompilerError("a check can use the fields of its row and constants", hint="check the rest with 'require'", at=check.at)
        writer = _Literals(self._model.dialect.name)
        truth.settled(()).write(writer, strict=True)
        return writer.text


class _OwnRow(NewRowRange):
    """A row that reaches no other."""

    def hop(self, compiler: Compiler, relation: Relation) -> Range:
        """See ``Range``."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise CompilerError("a check cannot read other rows", hint="check it with 'validate' or 'require'")

    def as_system(self) -> Range:
        """See ``Range``."""
        return self


class _Literals(Writer):
    """A writer for statements that take no parameters: values of the program are written as literals."""

    def __init__(self, dialect: DialectName) -> None:
        super().__init__(dialect, (), 0)

    def parameter(self, source: Source, cast: str, key: object) -> None:
        """See ``Writer``."""
        assert source.given, "only constants are left"
        text = literal(source.constant, self.dialect)
        self.add(f"({text})::{cast}" if self.dialect == "postgresql" and cast else text)


def literal(value: Any, dialect: DialectName) -> str:
    """A value in the driver's form as SQL."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float | Decimal):
        return f"({value})" if value < 0 else str(value)
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'" if dialect == "postgresql" else f"X'{value.hex()}'"
    if isinstance(value, list | tuple):
        return "ARRAY[" + ", ".join(literal(item, dialect) for item in value) + "]"
    if isinstance(value, datetime.timedelta):
        return f"'{value.total_seconds()} seconds'"
    if isinstance(value, str | UUID | datetime.date | datetime.time):
        return "'" + str(value).replace("'", "''") + "'"
    raise CompilerError(f"a {type(value).__name__} cannot stand in a check")


def explained(error: CheckViolation, entity: Entity) -> CheckViolation:
    """The error with the fields that the broken rule reads, and the rule as it stands in the program."""
    for check in entity.checks:
        if error.constraint.startswith(f"{check.name}_"):
            return CheckViolation(str(error), table=entity.table, columns=_fields(check.condition), constraint=check.source)
    for field in sorted(entity.fields, key=lambda field: len(field.name), reverse=True):
        if error.constraint.startswith(f"{entity.table}_{field.name}_"):
            return CheckViolation(str(error), table=entity.table, columns=(field.name,))
    return CheckViolation(str(error), table=entity.table)


def _fields(condition: ir.Expression) -> tuple[str, ...]:
    found: list[str] = []

    def visit(node: Any) -> None:
        if isinstance(node, ir.FieldValue) and node.field not in found:
            found.append(node.field)
        for part in children(node):
            visit(part)

    visit(condition)
    return tuple(found)
