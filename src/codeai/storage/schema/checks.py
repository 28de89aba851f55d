"""Conditions of tables: made from the model, and compared with those that a database has.

The name of a condition ends in a hash of its text, since databases write conditions in their own words: a condition that has
changed is one that is missing and one too many.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import msgspec
import sqlalchemy as sa

from codeai.language import types as t
from codeai.model.entity import Constraints, Entity, Field
from codeai.storage.codecs import scale_of
from codeai.storage.errors import SchemaMismatch
from codeai.storage.interface import Dialect

_LONGEST_NAME = 63  # PostgreSQL's NAMEDATALEN - 1
_OURS = re.compile(r".*_[0-9a-f]{6}$")


def condition(base: str, text: str) -> sa.CheckConstraint:
    """A condition with its name."""
    mark = hashlib.blake2s(text.encode(), digest_size=3).hexdigest()
    return sa.CheckConstraint(sa.text(text.replace(":", "\\:")), name=f"{base[: _LONGEST_NAME - 7]}_{mark}")


def field_conditions(entity: Entity, field: Field, dialect: Dialect) -> list[sa.CheckConstraint]:
    """What the type and the bounds of a field ask of its column; null fulfils them all."""
    column, type_ = f'"{field.name}"', field.stored_type
    base = f"{entity.table}_{field.name}"
    found: list[sa.CheckConstraint] = []
    if isinstance(type_, t.Enum):
        members = ", ".join("'" + member.replace("'", "''") + "'" for member in type_.members)
        found.append(condition(f"{base}_enum", f"{column} IN ({members})"))
    if isinstance(type_, t.String) and type_.length and dialect == "sqlite":
        found.append(condition(f"{base}_length", f"length({column}) <= {type_.length}"))
    bounds = [*_range(column, type_, field.constraints, dialect), *_lengths(column, type_, field.constraints)]
    if bounds:
        found.append(condition(f"{base}_bounds", " AND ".join(bounds)))
    return found


def _range(column: str, type_: t.Type, limits: Constraints, dialect: Dialect) -> list[str]:
    if not isinstance(type_, t.Int | t.Float | t.Decimal):
        return []
    scale = scale_of(type_) if dialect == "sqlite" else None
    if isinstance(type_, t.Decimal) and dialect == "sqlite" and scale is None:
        return []  # stored as text, which SQL does not compare by number
    found: list[str] = []
    for sign, limit in ((">=", limits.minimum), ("<=", limits.maximum)):
        if limit is not None:
            found.append(f"{column} {sign} {limit if scale is None else limit * 10**scale}")
    return found


def _lengths(column: str, type_: t.Type, limits: Constraints) -> list[str]:
    if not isinstance(type_, t.String | t.Text):
        return []
    found: list[str] = []
    for sign, limit in ((">=", limits.min_length), ("<=", limits.max_length)):
        if limit is not None:
            found.append(f"length({column}) {sign} {limit}")
    return found


class CheckDifference(msgspec.Struct, frozen=True):
    """A condition that is missing (``text``) or that the program does not have (None)."""

    table: str
    name: str
    text: str | None

    def belongs_to(self, table: str, column: str) -> bool:
        """Whether it is what a field asks of its column (see ``field_conditions``)."""
        base = re.escape(f"{table}_{column}")
        return self.table == table and re.fullmatch(rf"{base}_(enum|length|bounds)_[0-9a-f]{{6}}", self.name) is not None

    def __str__(self) -> str:
        return f"check '{self.name}' of table '{self.table}' is {'not in the program' if self.text is None else 'missing: ' + self.text}"


def differences(connection: sa.Connection, target: sa.MetaData, tables: Iterable[str]) -> list[CheckDifference]:
    """How the conditions of existing tables differ from those of the program."""
    inspector = sa.inspect(connection)
    found: list[CheckDifference] = []
    for name in sorted(tables):
        present = {str(known["name"]) for known in inspector.get_check_constraints(name) if known["name"]}
        wanted = {str(made.name): made for made in target.tables[name].constraints if isinstance(made, sa.CheckConstraint) and made.name}
        found.extend(CheckDifference(name, known, None) for known in sorted(present - wanted.keys()) if _OURS.match(known))
        found.extend(CheckDifference(name, known, str(wanted[known].sqltext)) for known in sorted(wanted.keys() - present))
    return found


def verify(connection: sa.Connection, found: CheckDifference) -> None:
    """Sees that no row is in the way of a condition.

    :raises SchemaMismatch: rows break it
    """
    if found.text is None:
        return
    table = connection.dialect.identifier_preparer.quote(found.table)
    count = connection.exec_driver_sql(f"SELECT count(*) FROM {table} WHERE NOT ({found.text})").scalar()
    if count:
        raise SchemaMismatch((f"{found}, and {count} row{'s' if count > 1 else ''} of it {SchemaMismatch.BROKEN}",))


def apply(connection: sa.Connection, found: CheckDifference) -> None:
    """Brings a condition to the program, which loses no data (PostgreSQL)."""
    preparer = connection.dialect.identifier_preparer
    table, name = preparer.quote(found.table), preparer.quote(found.name)
    if found.text is None:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    else:
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({found.text})")
