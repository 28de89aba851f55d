"""Errors of sqlite3 and what the rest of the house calls them."""

from __future__ import annotations

import sqlite3
from typing import Final

from codeai.storage import errors

WRITABLE: Final = "the file and its folder must be writable for the user that runs this"
_REMEDIES: Final = (
    (("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM"), WRITABLE),
    (("SQLITE_NOTADB",), "move it away, or name another database with DATABASE_URL"),
    (("SQLITE_CORRUPT",), "restore it from a backup"),
)


def with_remedy(error: sqlite3.Error) -> str:
    """What sqlite3 says of a file that it cannot use, and what to do about it."""
    name = getattr(error, "sqlite_errorname", "") or ""
    return "; ".join([str(error), *(remedy for names, remedy in _REMEDIES if name.startswith(names))])


def translated(error: sqlite3.Error | OverflowError) -> errors.StorageError:
    """The storage error for an error of sqlite3."""
    text = str(error)
    if isinstance(error, OverflowError):
        return errors.ValueOutOfRange(text)
    if isinstance(error, sqlite3.IntegrityError):
        return _integrity(text)
    name = getattr(error, "sqlite_errorname", "") or ""
    if name == "SQLITE_INTERRUPT":
        return errors.StatementTimeout("the statement ran too long")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return errors.LockTimeout(text)
    if name == "SQLITE_FULL":
        return errors.DiskFull(text)
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_PERM")):
        return errors.DatabaseUnavailable(with_remedy(error))
    if text.startswith(("no such table", "no such column")):
        return errors.SchemaMissing(text)
    if "integer overflow" in text or isinstance(error, sqlite3.DataError) or "user-defined" in text:
        return errors.ValueOutOfRange(text)
    return errors.StorageFailure(f"{type(error).__name__}: {text}")


def _integrity(text: str) -> errors.StorageError:
    kind, _, rest = text.partition(" constraint failed")
    rest = rest.removeprefix(": ")
    columns = tuple(part.strip().rpartition(".")[2] for part in rest.split(","))
    table = rest.split(",")[0].strip().rpartition(".")[0]
    if kind == "UNIQUE":
        return errors.UniqueViolation(text, table=table, columns=columns)
    if kind == "NOT NULL":
        return errors.NotNullViolation(text, table=table, columns=columns)
    if kind == "CHECK":
        return errors.CheckViolation(text, constraint=rest)
    if kind == "FOREIGN KEY":
        return errors.ForeignKeyViolation(text)
    return errors.StorageFailure(text)
