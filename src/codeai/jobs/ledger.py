"""The ledger of schedules: how far each has been handled, and which of its ticks ran. Rows of ``codeai_schedules`` and ``codeai_ticks``."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from codeai.jobs.schedules import Planned
from codeai.jobs.statements import TEXTS
from codeai.jobs.timetable import Instant
from codeai.language import types as t
from codeai.storage.codecs import codec, decode_json
from codeai.storage.interface import Database, Session
from codeai.storage.portable import portable

_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MILLISECOND: Final = datetime.timedelta(milliseconds=1)
_KEPT: Final = datetime.timedelta(days=30)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the ledger; instants are None where there is none."""

    name: str
    kind: str
    status: str
    expression: str
    timezone: str
    definition: str
    handled: Instant
    next: Instant | None
    last: Instant | None
    missed: int
    skipped: int


class Tick(msgspec.Struct, frozen=True):
    """A tick that was decided: it started an execution, or was skipped. ``status`` and ``error`` are those of the execution."""

    at: Instant
    outcome: str
    execution_id: str | None
    status: str | None
    error: Any


def milliseconds(instant: Instant) -> int:
    """Milliseconds since 1970."""
    return (instant - _EPOCH) // _MILLISECOND


def instant_at(value: int) -> Instant:
    """The instant so many milliseconds since 1970."""
    return _EPOCH + value * _MILLISECOND


class Ledger:
    """Reads and writes the ledger; every write is part of the caller's transaction."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._texts = {name: portable(text, database.dialect) for name, text in TEXTS.items()}
        self._moment = codec(t.Timestamp(), database.dialect).to_driver or (lambda value: value)

    async def now(self, session: Session) -> Instant:
        """The present by the database's clock."""
        row = await session.fetch_row(self._texts["now"], ())
        assert row is not None
        return instant_at(int(row[0]))  # type: ignore[call-overload]  # a whole number

    async def entries(self) -> list[Entry]:
        """All schedules by name."""
        return [_entry(row) for row in await self.database.reading().fetch(self._texts["all"], ())]

    async def entry(self, session: Session, name: str, *, lock: bool = False) -> Entry | None:
        """One schedule; with ``lock`` nobody else changes it until the transaction ends."""
        row = await session.fetch_row(self._texts["lock" if lock else "one"], (name,))
        return _entry(row) if row is not None else None

    async def put(self, session: Session, planned: Planned, status: str, handled: Instant, following: Instant | None) -> None:
        """Adds a schedule, or gives one a new definition."""
        values = (planned.name, planned.kind, status, planned.expression, planned.schedule.timezone, planned.definition)
        await session.execute(self._texts["put"], (*values, milliseconds(handled), _or_none(following), self._moment(handled)))

    async def handled(
        self, session: Session, name: str, until: Instant, following: Instant | None, *, last: Instant | None, missed: int, skipped: int
    ) -> None:
        """Notes that everything ``until`` there is decided."""
        values = (name, milliseconds(until), _or_none(following), _or_none(last), missed, skipped)
        await session.execute(self._texts["handled"], values)

    async def set_status(self, session: Session, name: str, status: str, now: Instant, following: Instant | None) -> None:
        """Pauses, resumes or removes a schedule; what would have come before ``now`` is passed over."""
        await session.execute(self._texts["status"], (name, status, milliseconds(now), _or_none(following), self._moment(now)))

    async def take(self, session: Session, name: str, tick: Instant, outcome: str, now: Instant) -> bool:
        """Claims a tick; False when it has been decided before, whoever did."""
        values = (name, milliseconds(tick), outcome, milliseconds(now))
        return await session.execute(self._texts["tick"], values) > 0

    async def retake(self, session: Session, name: str, tick: Instant) -> bool:
        """Claims a tick that was skipped, for a back-fill."""
        return await session.execute(self._texts["retake"], (name, milliseconds(tick))) > 0

    async def ran(self, session: Session, name: str, tick: Instant, execution: str | None) -> None:
        """Notes which execution a tick has started; None when it was refused."""
        identifier = uuid.UUID(execution) if execution is not None and self.database.dialect == "postgresql" else execution
        outcome = "skipped" if execution is None else "started"
        await session.execute(self._texts["execution"], (name, milliseconds(tick), identifier, outcome))

    async def ticks(self, name: str, limit: int) -> list[Tick]:
        """The last ticks, the latest first."""
        rows = await self.database.reading().fetch(self._texts["ticks"], (name, limit))
        return [_tick(row) for row in rows]

    async def outcomes(self) -> dict[str, str]:
        """The states of the executions that the last ticks have started, by schedule."""
        return {str(row[0]): str(row[1]) for row in await self.database.reading().fetch(self._texts["outcomes"], ())}

    async def forget(self, session: Session, name: str, now: Instant) -> None:
        """Drops ticks so old that no catch-up and hardly a back-fill asks for them."""
        await session.execute(self._texts["forget"], (name, milliseconds(now - _KEPT)))

    async def unfinished(self, session: Session, name: str) -> bool:
        """Whether a run of the job or workflow is under way."""
        return await session.fetch_row(self._texts["unfinished"], (name,)) is not None


def _or_none(instant: Instant | None) -> int | None:
    return None if instant is None else milliseconds(instant)


def _tick(row: Sequence[Any]) -> Tick:
    at, outcome, execution, status, error = row
    return Tick(
        instant_at(at), outcome, None if execution is None else str(execution), status, None if error is None else decode_json(error)
    )


def _entry(row: Sequence[Any]) -> Entry:
    name, kind, status, expression, timezone, definition, handled, following, last, missed, skipped = row
    return Entry(
        name=name,
        kind=kind,
        status=status,
        expression=expression,
        timezone=timezone,
        definition=definition,
        handled=instant_at(handled),
        next=None if following is None else instant_at(following),
        last=None if last is None else instant_at(last),
        missed=missed,
        skipped=skipped,
    )
