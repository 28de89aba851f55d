"""One server per SQLite file: two writers would only wait for each other."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from codeai.storage.errors import DatabaseUnavailable
from codeai.storage.sqlite.translation import WRITABLE


class FileInUse(Exception):
    """Another server uses the file."""


class FileLock:
    """A lock beside the file, with the number of the process that holds it; the system frees it when that process ends."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._path = database.with_name(database.name + ".lock")
        self._file: int | None = None

    def acquire(self) -> None:
        """Takes the lock.

        :raises FileInUse: another process has it
        :raises DatabaseUnavailable: the folder cannot be written
        """
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise DatabaseUnavailable(f"cannot write {self._path}: {error.strerror or error}; {WRITABLE}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._file, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            self._file = None
            raise FileInUse(f"{self._database} is in use by process {holder}; for several servers use PostgreSQL") from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Gives the lock back."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
