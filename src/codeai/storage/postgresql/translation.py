"""Errors of asyncpg and what the rest of the house calls them."""

from __future__ import annotations

import re
from typing import Final

import asyncpg
from asyncpg import exceptions as pg

from codeai.storage import errors
from codeai.storage.causes import cause_of

LOST: Final = (
    pg.PostgresConnectionError,
    pg.InterfaceError,
    asyncpg.InternalClientError,  # the server's farewell came while the connection was idle, and a statement met it
    pg.AdminShutdownError,
    pg.CrashShutdownError,
    pg.CannotConnectNowError,
    OSError,
)
DRIVER: Final = (pg.PostgresError, pg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)


def translated(error: BaseException) -> errors.StorageError:
    """The storage error for a driver's error."""
    if isinstance(error, pg.UniqueViolationError):
        return errors.UniqueViolation(
            str(error), table=error.table_name or "", columns=_key(error.detail), constraint=error.constraint_name or ""
        )
    if isinstance(error, pg.ForeignKeyViolationError):
        referenced = "still referenced" in (error.detail or "")
        return errors.ForeignKeyViolation(
            str(error),
            table=error.table_name or "",
            columns=_key(error.detail),
            constraint=error.constraint_name or "",
            referenced=referenced,
        )
    if isinstance(error, pg.CheckViolationError):
        return errors.CheckViolation(str(error), table=error.table_name or "", constraint=error.constraint_name or "")
    if isinstance(error, pg.NotNullViolationError):
        return errors.NotNullViolation(str(error), table=error.table_name or "", columns=(error.column_name or "",))
    if isinstance(error, pg.SerializationError | pg.DeadlockDetectedError):
        return errors.SerializationFailure(str(error))
    if isinstance(error, pg.LockNotAvailableError):
        return errors.LockTimeout(str(error))
    if isinstance(error, pg.QueryCanceledError):
        return errors.StatementTimeout(str(error))
    if isinstance(error, pg.DiskFullError):
        return errors.DiskFull(str(error))
    if isinstance(error, pg.DataError):
        return errors.ValueOutOfRange(str(error))
    if isinstance(error, pg.UndefinedTableError | pg.UndefinedColumnError):
        return errors.SchemaMissing(str(error))
    if isinstance(error, pg.TooManyConnectionsError):
        return errors.TooManyClients(str(error))
    if isinstance(error, (TimeoutError, *LOST)):
        return errors.DatabaseUnavailable(cause_of(error))
    return errors.StorageFailure(f"{type(error).__name__}: {error}")


def _key(detail: str | None) -> tuple[str, ...]:
    """The columns of ``Key (a, b)=(…) …``."""
    found = re.match(r"Key \(([^)]*)\)", detail or "")
    return tuple(part.strip().strip('"') for part in found.group(1).split(",")) if found else ()
