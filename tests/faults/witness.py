"""Triggers by which a database writes down each change of steps and deliveries, with who made it; and the reading of what is there."""

import hashlib
from typing import Any

import asyncpg
from history import Change, Delivery, Event, Execution, History, Mail

from codeai.storage.interface import Database
from codeai.storage.opening import open_database
from codeai.storage.settings import DatabaseSettings

_COLUMNS = "kind, subject, name, status, fence, process, seq, output, compensation, attempt"
# A claim of an activation that is made anew counts from one again, and has a greater id.
_FENCE = "(SELECT id * 1000000 + fence FROM codeai_activations WHERE kind = '{kind}' AND subject = {id} AND state = 1)"
_STEP = "'step', {id}, NEW.name, NEW.status, {fence}, {process}, NEW.seq, {output}, NEW.compensation, NEW.compensation_attempt"
_DELIVERY = "'delivery', {id}, NEW.target, NEW.status, {fence}, {process}, 0, NULL, 'none', 0"
# name, table, when, the column that says which, the kind of its activation, what is kept
_TRIGGERS = (
    ("witness_made", "codeai_steps", "INSERT", "execution_id", "execution", _STEP),
    (
        "witness_changed",
        "codeai_steps",
        "UPDATE OF status, seq, output, compensation, compensation_attempt",
        "execution_id",
        "execution",
        _STEP,
    ),
    ("witness_settled", "codeai_deliveries", "UPDATE OF status", "id", "delivery", _DELIVERY),
)


def _statements(dialect: str) -> list[str]:
    postgres = dialect == "postgresql"
    serial = "bigserial PRIMARY KEY" if postgres else "integer PRIMARY KEY"
    columns = "kind text, subject text, name text, status text, fence bigint, process text, seq bigint, output text, compensation text"
    found = [f"CREATE TABLE witness (id {serial}, {columns}, attempt bigint)"]
    for name, table, moment, key, kind, kept in _TRIGGERS:
        id_ = f"CAST(NEW.{key} AS text)"
        values = kept.format(
            id=id_,
            fence=_FENCE.format(kind=kind, id=id_),
            process="current_setting('codeai.process', true)" if postgres else "NULL",
            output="CAST(NEW.output AS text)",
        )
        insert = f"INSERT INTO witness ({_COLUMNS}) VALUES ({values})"
        if postgres:
            found.append(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {insert}; RETURN NULL; END $$")
            found.append(f"CREATE TRIGGER {name} AFTER {moment} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
        else:
            found.append(f"CREATE TRIGGER {name} AFTER {moment} ON {table} BEGIN {insert}; END")
    return found


async def watch(settings: DatabaseSettings) -> None:
    """Has the database write down what happens from now on."""
    database = open_database(settings)
    await database.start()
    for statement in _statements(database.dialect):
        await database.writing().execute(statement, ())
    await database.close()


def named(process: str) -> None:
    """From now on the sessions that this process has with PostgreSQL say so; for a process that was forked."""
    connect = asyncpg.connect

    def connecting(**options: Any) -> Any:
        return connect(**{**options, "server_settings": {**options["server_settings"], "codeai.process": process}})

    asyncpg.connect = connecting


async def recorded(database: Database) -> History:
    """What the database says."""

    async def rows(text: str) -> list[list[Any]]:
        return [list(row) for row in await database.fetch(text, ())]

    def text(value: object) -> str | None:
        return None if value is None else str(value)

    executions = "SELECT id, workflow_id, status, origin, scheduled_for FROM executions ORDER BY id"
    return History(
        changes=[
            Change(*row[:7], output=None if row[7] is None else hashlib.md5(str(row[7]).encode()).hexdigest()[:8], **_undoing(row))
            for row in await rows(f"SELECT {_COLUMNS} FROM witness ORDER BY id")
        ],
        executions=[Execution(str(row[0]), row[1], row[2], row[3], text(row[4])) for row in await rows(executions)],
        events=[Event(str(row[0]), row[1], row[2] == 1) for row in await rows("SELECT id, name, relayed FROM codeai_events")],
        deliveries=[
            Delivery(str(row[0]), str(row[1]), *row[2:])
            for row in await rows("SELECT id, event_id, kind, target, status FROM codeai_deliveries WHERE event_id IS NOT NULL")
        ],
        mailbox=[Mail(str(row[0]), *row[1:]) for row in await rows("SELECT execution_id, event_id, consumed_by FROM codeai_mailbox")],
        activations=[f"{row[0]} {row[1]}" for row in await rows(_LEFT)],
    )


# The relay and the schedules wait for the next time, always.
_LEFT = "SELECT kind, subject FROM codeai_activations WHERE kind IN ('execution', 'delivery')"


def _undoing(row: list[Any]) -> dict[str, Any]:
    return {"compensation": row[8], "attempt": row[9] or 0}
