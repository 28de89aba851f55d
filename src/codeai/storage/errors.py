"""What can go wrong in a database, one class per thing a caller can do something about; drivers' classes never leave storage."""

from __future__ import annotations


class StorageError(Exception):
    """The base. ``code`` is stable; the text is for the log, not for callers."""

    code = "storage_failure"


class StorageFailure(StorageError):
    """A failure of the database that callers can do nothing about."""


class SchemaMissing(StorageFailure):
    """A table or column of the program is not there: nobody has made it, or somebody has taken it away."""


class DatabaseUnavailable(StorageError):
    """The database cannot be reached or has gone away."""

    code = "database_unavailable"


class TooManyClients(DatabaseUnavailable):
    """The database opens no further connection; those that are open go on."""


class DiskFull(DatabaseUnavailable):
    """There is no room for what was to be written; what is there can be read."""

    code = "disk_full"


class WritesFail(DatabaseUnavailable):
    """The database answers, and what is written to it fails."""

    code = "writes_fail"


class PoolExhausted(StorageError):
    """No connection became free in time."""

    code = "pool_exhausted"


class StatementTimeout(StorageError):
    """A statement ran longer than it may."""

    code = "statement_timeout"


class LockTimeout(StorageError):
    """A lock was not granted in time."""

    code = "lock_timeout"


class SerializationFailure(StorageError):
    """Concurrent transactions collided (also a deadlock); running the transaction again may succeed."""

    code = "serialization_failure"


class ValueOutOfRange(StorageError):
    """A value does not fit its column or the operation on it (overflow, division by zero, a null character)."""

    code = "value_out_of_range"


class ConstraintViolation(StorageError):
    """A row breaks a rule of its table."""

    def __init__(self, message: str, *, table: str = "", columns: tuple[str, ...] = (), constraint: str = "") -> None:
        super().__init__(message)
        self.table = table
        self.columns = columns
        self.constraint = constraint


class UniqueViolation(ConstraintViolation):
    """Another row has the same values in ``columns``."""

    code = "unique_violation"


class ForeignKeyViolation(ConstraintViolation):
    """The row referred to does not exist, or a row that is referred to would go (``referenced``)."""

    code = "foreign_key_violation"

    def __init__(
        self, message: str, *, table: str = "", columns: tuple[str, ...] = (), constraint: str = "", referenced: bool = False
    ) -> None:
        super().__init__(message, table=table, columns=columns, constraint=constraint)
        self.referenced = referenced


class CheckViolation(ConstraintViolation):
    """A check does not hold; ``constraint`` is its name."""

    code = "check_violation"


class NotNullViolation(ConstraintViolation):
    """A column that must have a value has none."""

    code = "not_null_violation"


class SchemaMismatch(StorageError):
    """The database does not have the tables of the program; ``differences`` are lines for the operator.

    One that only rows are in the way of ends with ``BROKEN``.
    """

    BROKEN = "would break it"

    code = "schema_mismatch"

    def __init__(self, differences: tuple[str, ...]) -> None:
        super().__init__("the database differs from the program: " + "; ".join(differences))
        self.differences = differences
