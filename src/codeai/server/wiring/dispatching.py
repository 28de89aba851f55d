"""Who distributes durable work, as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from codeai.durable.dispatch.local import LocalDispatcher
from codeai.durable.dispatch.protocol import Queues
from codeai.server.database import database_settings
from codeai.server.errors import StartError
from codeai.server.settings import Settings
from codeai.storage.interface import Database


def dispatcher(
    settings: Settings, database: Database, queues: Queues, clock: Callable[[], int] | None, folder: Path, *, recording: bool
) -> LocalDispatcher:
    """The dispatcher of a process. Only one that starts it has DBOS in it.

    :param recording: a program is tested: nothing is distributed
    :raises StartError: DBOS is asked for and cannot be had
    """
    if settings.dispatcher == "local" or recording:
        return LocalDispatcher(database, queues, clock=clock, shared=True)
    if database.dialect == "sqlite":
        raise StartError("CODEAI_DISPATCHER=dbos needs PostgreSQL: set DATABASE_URL; the embedded database serves one process")
    from codeai.durable.dispatch.dbos.dispatcher import DbosDispatcher  # few need it, and it takes its time
    from codeai.durable.dispatch.dbos.engine import DbosEngine, Unusable, check_installed

    try:
        check_installed()
    except Unusable as error:
        raise StartError(f"CODEAI_DISPATCHER=dbos {error}") from error
    engine = DbosEngine(database_settings(settings, folder), concurrency=queues.concurrency, polling=settings.dbos_polling)
    return DbosDispatcher(database, engine, queues, clock=clock)


def works_here(settings: Settings) -> bool:
    """Whether this process may begin to work when operators register the first workflow: DBOS is for durable workers alone."""
    return settings.dispatcher == "local" or settings.role != "api"
