"""Executions and records in the database: the only place that knows their columns and how values travel."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from codeai.durable.records import Change, Execution, Record
from codeai.durable.settled import Settled
from codeai.durable.statements import Statements, statements
from codeai.language import types as t
from codeai.storage.codecs import codec, decode_json, encode_json
from codeai.storage.interface import Database, Dialect, Session

_NULL: Final = "null"
_LISTED: Final = '{"items":null}'  # instead of the list of a repeated step

_uuid: Final = lru_cache(4_096)(uuid.UUID)  # an execution has its own many times


class Store:
    """Reads and writes executions, for one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.dialect: Dialect = database.dialect
        self.sql: Statements = statements(database.dialect)
        timestamp = codec(t.Timestamp(), database.dialect)
        self._to_instant = timestamp.to_driver or (lambda value: value)
        self._from_instant = timestamp.from_driver or (lambda value: value)

    # -- values ----------------------------------------------------------------------------------------------------

    def uuid(self, value: str | None) -> Any:
        """An identifier as the driver takes it."""
        if value is None:
            return None
        return value if self.dialect == "sqlite" else _uuid(value)

    def instant(self, value: datetime.datetime | None) -> Any:
        """An instant as the driver takes it."""
        return None if value is None else self._to_instant(value)

    def time_of(self, value: Any) -> datetime.datetime | None:
        """An instant from the driver."""
        return None if value is None else self._from_instant(value)

    def listed(self, values: Sequence[Any], *, ids: bool = False) -> Any:
        """A list as the driver takes it; of identifiers with ``ids``."""
        if self.dialect == "sqlite":
            return encode_json(list(values))
        return [uuid.UUID(value) for value in values] if ids else list(values)

    @staticmethod
    def json(value: Any) -> str | None:
        """JSON text; null for None."""
        return None if value is None else encode_json(value)

    @staticmethod
    def value_of(text: str | None) -> Any:
        """The value of JSON text."""
        return None if text is None or text == _NULL else decode_json(text)

    # -- reading ---------------------------------------------------------------------------------------------------

    def execution_of(self, row: Sequence[Any]) -> Execution:
        """An execution from the columns of ``statements.EXECUTION_COLUMNS`` and the status of its definition."""
        value_of, time_of = self.value_of, self.time_of
        created = time_of(row[15])
        assert created is not None
        return Execution(
            id=str(row[0]),
            workflow_id=row[1],
            kind=row[2],
            version=row[3],
            status=row[4],
            compensation=row[5],
            key=row[6],
            input=value_of(row[7]),
            output=value_of(row[8]),
            error=value_of(row[9]),
            attempt=row[10],
            queue=row[11],
            priority=row[12],
            actor=row[13],
            deadline_ms=row[14],
            created_at=created,
            started_at=time_of(row[16]),
            finished_at=time_of(row[17]),
            definition=row[18],
            fresh=bool(row[19]),
            queued=bool(row[20]),
        )

    def record_of(self, row: Sequence[Any]) -> Record:
        """A record from the columns of ``statements.STEP_COLUMNS``."""
        value_of, time_of = self.value_of, self.time_of
        return Record(
            name=row[0],
            status=row[1],
            seq=row[2],
            position=row[3],
            attempt=row[4],
            inputs=value_of(row[5]),
            output=value_of(row[6]),
            error=value_of(row[7]),
            due_ms=row[8],
            started_at=time_of(row[9]),
            finished_at=time_of(row[10]),
            compensation=row[11],
            compensation_attempt=row[12],
            compensation_error=value_of(row[13]),
            compensated_at=time_of(row[14]),
        )

    async def load_executions(self, ids: Sequence[str], session: Session | None = None) -> dict[str, Execution]:
        """Executions by id; those that do not exist are left out."""
        session = session if session is not None else self.database.reading()
        return {str(row[0]): self.execution_of(row) for row in await session.fetch(self.sql.load, (self.listed(ids, ids=True),))}

    async def head(self, id_: str, session: Session | None = None) -> Execution | None:
        """An execution without input, output and error, which may be what cannot be read; None when there is none of that id."""
        session = session if session is not None else self.database.reading()
        row = await session.fetch_row(self.sql.head, (self.listed([id_], ids=True),))
        return self.execution_of(row) if row is not None else None

    async def load_steps(self, ids: Sequence[str], session: Session | None = None) -> dict[str, dict[str, Record]]:
        """All records of executions, by id and name."""
        session = session if session is not None else self.database.reading()
        found: dict[str, dict[str, Record]] = {id_: {} for id_ in ids}
        for row in await session.fetch(self.sql.load_steps, (self.listed(ids, ids=True),)):
            record = self.record_of(row[1:])
            found[str(row[0])][record.name] = record
        return found

    async def load_turn(self, id_: str, steps: Sequence[str], repeated: Sequence[str]) -> dict[str, Record]:
        """The records that a turn of an execution with repeated steps needs: those of its steps, of items under way, and of those that
        have ended since it last paused.

        :param steps: the names of all steps
        :param repeated: those of the repeated ones
        """
        session, own = self.database.reading(), self.uuid(id_)
        found: dict[str, Record] = {}
        rows = await session.fetch(self.sql.load_own, (own, self.listed(steps), self.listed(repeated), _LISTED))
        for row in rows:
            settled = Settled.loaded(str(row[-1])) if row[-1] is not None else None
            record = msgspec.structs.replace(self.record_of(row), settled=settled)
            found[record.name] = record
        under_way = [found[name] for name in repeated if name in found and found[name].status == "running"]
        if under_way:
            since = min(record.settled.seq if record.settled is not None else 0 for record in under_way)
            for row in await session.fetch(self.sql.load_items, (own, since)):
                record = self.record_of(row)
                found[record.name] = record
        return found

    async def to_undo(self, id_: str, before: int) -> list[Record]:
        """The next records of items that may be undone, the last one first: those that ended before a place in the order of endings."""
        return [self.record_of(row) for row in await self.database.reading().fetch(self.sql.load_undone, (self.uuid(id_), before))]

    async def list_of(self, id_: str, step: str) -> list[Any]:
        """The list over which a step is repeated."""
        row = await self.database.reading().fetch_row(self.sql.list_of, (self.uuid(id_), step))
        assert row is not None
        found: list[Any] = self.value_of(row[0])["items"]  # type: ignore[arg-type]  # text of a json column
        return found

    async def outputs(self, id_: str, step: str) -> list[tuple[str, Any]]:
        """Name and output of all items of a step."""
        prefix = f"{step}["
        rows = await self.database.reading().fetch(self.sql.outputs_of, (self.uuid(id_), len(prefix), prefix))
        return [(str(name), self.value_of(output)) for name, output in rows]  # type: ignore[arg-type]  # text of a json column

    async def load(self, ids: Sequence[str], session: Session | None = None) -> Mapping[str, tuple[Execution, dict[str, Record]]]:
        """Executions with all their records, by id; those that do not exist are left out."""
        found = await self.load_executions(ids, session)
        steps = await self.load_steps(list(found), session) if found else {}
        return {id_: (execution, steps[id_]) for id_, execution in found.items()}

    # -- writing ---------------------------------------------------------------------------------------------------

    def step_values(self, execution: str, record: Record) -> tuple[Any, ...]:
        """The values of ``statements.SAVE_STEP``."""
        json, instant = self.json, self.instant
        return (
            self.uuid(execution),
            record.name,
            record.status,
            record.seq,
            record.position,
            record.attempt,
            json(record.inputs),
            json(record.output),
            json(record.error),
            record.due_ms,
            instant(record.started_at),
            instant(record.finished_at),
            record.compensation,
            record.compensation_attempt,
            json(record.compensation_error),
            instant(record.compensated_at),
        )

    def change_values(self, execution: str, change: Change) -> tuple[Any, ...]:
        """The values of ``statements.CHANGE``."""
        return (
            self.uuid(execution),
            change.status,
            change.compensation,
            self.json(change.output),
            self.json(change.error),
            self.instant(change.finished_at),
            self.instant(change.started_at),
            change.deadline_ms,
            int(change.frees_key),
            int(change.finished_at is not None),
        )

    async def save(self, session: Session, execution: str, records: Sequence[Record], change: Change | None = None) -> None:
        """Writes records and a change of the execution in the transaction of the session."""
        if len(records) == 1:
            await session.execute(self.sql.save_step, self.step_values(execution, records[0]))
        elif records:
            await session.execute_many(self.sql.save_step, [self.step_values(execution, record) for record in records])
        if change is not None:
            await session.execute(self.sql.change, self.change_values(execution, change))
