"""Which database a server uses, and bringing it to the tables of the program."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from codeai.model.application import Application
from codeai.server.aside import aside
from codeai.server.settings import SettingError, Settings
from codeai.storage.errors import DatabaseUnavailable, StorageError
from codeai.storage.fingerprint import fingerprint
from codeai.storage.opening import open_database
from codeai.storage.settings import DatabaseSettings, DatabaseUrlError, from_url

_Found = TypeVar("_Found")


def database_settings(settings: Settings, folder: Path) -> DatabaseSettings:
    """The database that the environment names, else the embedded one beside the program.

    :raises SettingError: the address is malformed, or nothing is named in production
    """
    limits = {
        "max_connections": settings.db_max_open_conns,
        "acquire_timeout": settings.db_acquire_timeout,
        "statement_timeout": settings.db_statement_timeout,
        "pooler": settings.db_pooler,
    }
    embedded = DatabaseSettings(dialect="sqlite", path=folder / ".codeai" / "app.db", **limits)  # type: ignore[arg-type]  # the table above
    if settings.db == "sqlite":
        return embedded
    if settings.database_url:
        try:
            return from_url(settings.database_url, **limits)
        except DatabaseUrlError as error:
            raise SettingError(f"DATABASE_URL: {error}") from None
    named = (settings.db_host, settings.db_port, settings.db_name, settings.db_user)
    if settings.db == "postgres" or any(value is not None for value in named):
        return DatabaseSettings(
            dialect="postgresql",
            host=settings.db_host or "localhost",
            port=settings.db_port or 5432,
            name=settings.db_name or "codeai",
            user=settings.db_user,
            password=settings.db_password,
            ssl_mode=settings.db_ssl_mode or "prefer",
            **limits,  # type: ignore[arg-type]  # the table above
        )
    if not settings.development:
        raise SettingError("production needs a database: set DATABASE_URL, as in postgresql://user:password@host/name")
    return embedded


async def _known_fingerprint(settings: DatabaseSettings) -> str | None:
    """What the database says of its tables; None when it is empty or unlike ours."""
    if settings.dialect == "sqlite" and settings.path is not None and not settings.path.exists():
        return None
    database = open_database(settings)
    try:
        await database.start()
        row = await database.fetch_row("SELECT fingerprint FROM codeai_schema WHERE id = 1", ())
        return str(row[0]) if row else None
    except DatabaseUnavailable:
        raise
    except StorageError:
        return None
    finally:
        await database.close()


def _finished(work: Coroutine[Any, Any, _Found]) -> _Found:
    """Runs work to its end, also where a loop runs already: many servers import their application inside of theirs."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def synchronise(
    settings: DatabaseSettings, application: Application, *, development: bool, reset: bool = False
) -> tuple[str, tuple[str, ...]]:
    """Creates or extends the tables if the program asks for it; returns what was done and the changes.

    The schema libraries are loaded in another process, so that this one stays small.

    :raises SchemaMismatch: by more than may be added
    :raises DatabaseUnavailable: it cannot be reached
    """
    if not reset and _finished(_known_fingerprint(settings)) == fingerprint(application):
        return "unchanged", ()
    return aside(synchronise_here, settings, application, development, reset)


def synchronise_here(
    settings: DatabaseSettings, application: Application, development: bool, reset: bool = False
) -> tuple[str, tuple[str, ...]]:
    """As ``synchronise``, in this process."""
    from codeai.query.constraints import CheckTexts
    from codeai.storage.schema.synchronise import synchronise as run

    checks = CheckTexts(application, settings.dialect)
    report = run(settings, application, checks, development=development, reset=reset)
    return report.outcome, report.changes
