"""Rows of other tables that are written together with a row of the program: events, above all.

The query room does not know what they say; it is given them by ``Companions`` and sees to it that they commit with the row, in
the same statement where the database can do that.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import msgspec

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.query.inputs import Inputs
from codeai.query.writes.rows import Values
from codeai.storage.chain import Chain
from codeai.storage.interface import Dialect, Session

NOW: Final = ir.Call(type=t.Timestamp(), function="now", arguments=())
ACTOR: Final = ir.CurrentUser(type=t.optional(t.String()), attribute="id")


class CompanionTable(msgspec.Struct, frozen=True):
    """Where companions lie: the columns with the type that PostgreSQL needs to hear for each."""

    name: str
    columns: tuple[tuple[str, str], ...]

    def insert(self, dialect: Dialect) -> str:
        """The statement that writes one."""
        mark = "${}" if dialect == "postgresql" else "?{}"
        names = ", ".join(f'"{name}"' for name, _ in self.columns)
        places = ", ".join(mark.format(at + 1) for at in range(len(self.columns)))
        return f'INSERT INTO "{self.name}" ({names}) VALUES ({places})'


class Companion(msgspec.Struct, frozen=True):
    """One such row, in the driver's form; ``written`` is called once it has been committed."""

    table: CompanionTable
    values: tuple[Any, ...]
    written: Callable[[], None]


class Companions(Protocol):
    """Knows which rows go with a change."""

    def of(
        self, now: datetime.datetime, actor: str | None, before: Mapping[str, Any] | None, after: Mapping[str, Any]
    ) -> Sequence[Companion]:
        """The companions of a change from ``before`` (None: a new row) to ``after``."""


class Watch:
    """The companions of one entity, for one plan.

    :param inputs: takes in the time and the caller
    """

    def __init__(self, companions: Companions, dialect: Dialect, inputs: Inputs) -> None:
        self._companions = companions
        self._dialect = dialect
        self._now = inputs.slot(NOW)
        self._actor = inputs.slot(ACTOR)

    def of(self, values: Values, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Sequence[Companion]:
        """See ``Companions.of``."""
        return self._companions.of(values[self._now], values[self._actor], before, after)

    async def write(self, session: Session, values: Values, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> None:
        """Writes the companions of a change."""
        await write(session, self._dialect, self.of(values, before, after))


async def write(session: Session, dialect: Dialect, companions: Sequence[Companion]) -> None:
    """Writes companions by statements of their own."""
    for companion in companions:
        await session.execute(companion.table.insert(dialect), companion.values)
    told(session, companions)


def told(session: Session, companions: Sequence[Companion]) -> None:
    """Sees to it that ``written`` is called, once for each table."""
    for written in {companion.table.name: companion.written for companion in companions}.values():
        session.after_commit(written)


def together(insert: str, width: int, companions: Sequence[Companion], dialect: Dialect) -> str:
    """One statement for a row and its companions: they are written if and only if the row is.

    :param insert: the statement of the row, which returns something
    :param width: how many parameters it has
    """
    if dialect == "sqlite":
        links = [(companion.table.insert(dialect), len(companion.table.columns)) for companion in companions]
        return Chain.of([(insert, width), *links])
    parts = [f"WITH made AS ({insert})"]
    at = width
    for number, companion in enumerate(companions):
        names = ", ".join(f'"{name}"' for name, _ in companion.table.columns)
        places = ", ".join(f"${at + place}::{cast}" for place, (_, cast) in enumerate(companion.table.columns, 1))
        parts.append(f'also{number} AS (INSERT INTO "{companion.table.name}" ({names}) SELECT {places} FROM made)')
        at += len(companion.table.columns)
    return ", ".join(parts) + " SELECT * FROM made"
