"""What ``/health`` asks of the database."""

from __future__ import annotations

from collections.abc import Mapping

from codeai.observability.health import Check, Degraded
from codeai.storage.errors import WritesFail
from codeai.storage.interface import Database


def database_check(database: Database) -> Check:
    """Whether the database answers, with the figures of its pool."""

    def details() -> Mapping[str, object]:
        found = database.statistics().shown()
        return {
            "max_connections": found.max_connections,
            "open_connections": found.open_connections,
            "in_use": found.in_use,
            "idle": found.idle,
        }

    async def run() -> None:
        try:
            await database.ping()
        except WritesFail as error:
            raise Degraded(str(error)) from error

    return Check("database", run, 2.0, True, details, summed=True)
