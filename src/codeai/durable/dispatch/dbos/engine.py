"""DBOS in this process: the only place that imports it.

It has one instance per process, threads and connections of its own, and knows nothing of ours but a queue and one workflow,
whose arguments say which activation was handed over. What it calls, ``Receiver.receive``, hops onto our event loop.
"""

from __future__ import annotations

import asyncio
import datetime
import importlib.metadata
import logging
import ssl
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Protocol

from codeai.durable.dispatch.dbos.statements import APPLICATION, PROTOCOL, QUEUE, SCHEMA, WORKFLOW
from codeai.storage.errors import DatabaseUnavailable
from codeai.storage.settings import DatabaseSettings

if TYPE_CHECKING:
    from sqlalchemy import Engine as Connections

_LOG: Final = logging.getLogger("codeai.durable")
VERSION: Final = "3.4.0"  # what ``codeai[dbos]`` installs: its tables and functions are part of the contract
_THREADS: Final = 4  # they write down that workflows have ended
CONNECTIONS: Final = _THREADS + 4  # two queues that are asked, a lock that is held, and one to spare
_MOST_LEFT: Final = 1_000
_IDLE_MS: Final = 60_000
_APART: Final = 0.02  # seconds between two looks: each costs some milliseconds of Python
_REST: Final = 1.0  # seconds
_LOOK_ENDS: Final = 10.0


class Receiver(Protocol):
    """Who takes over what DBOS delivers."""

    def receive(self, number: int, fence: int) -> Future[None]:
        """An activation was delivered under a fence; the future ends with the work. Called in any thread."""


class Unusable(Exception):
    """DBOS is not there, or not as this program knows it; the text says what to do."""


def check_installed() -> None:
    """Whether the extra is there, without importing it.

    :raises Unusable: it is not, or has another version
    """
    try:
        found = importlib.metadata.version("dbos")
    except importlib.metadata.PackageNotFoundError:
        raise Unusable("needs the extra: pip install 'codeai[dbos]'") from None
    if found != VERSION:
        raise Unusable(f"needs DBOS {VERSION}, and {found} is installed: pip install 'codeai[dbos]'")


class Looks(threading.Event):
    """On what DBOS waits between two looks at its queue: its end, a while, or word that something was handed over."""

    def __init__(self) -> None:
        super().__init__()
        self._word = threading.Event()
        self._last = 0.0

    def wake(self) -> None:
        """Something lies in the queue."""
        self._word.set()

    def set(self) -> None:
        """Nobody looks any more."""
        super().set()
        self._word.set()

    def rest(self) -> None:
        """Waits a while before all begins anew, or for the end."""
        super().wait(_REST)

    def wait(self, timeout: float | None = None) -> bool:
        """Returns when it is time to look; whether nobody does any more."""
        if not super().wait(max(self._last + _APART - time.monotonic(), 0)):
            self._word.wait(timeout)
        self._word.clear()
        self._last = time.monotonic()
        return self.is_set()


class DbosEngine:
    """Starts, asks and ends DBOS.

    :param concurrency: how many activations this process takes from the queue at a time
    :param polling: seconds between two looks at the queue while nothing is handed over here
    """

    def __init__(self, settings: DatabaseSettings, *, concurrency: int, polling: float) -> None:
        self._settings = settings
        self._concurrency = concurrency
        self._polling = polling
        self._connections: Connections | None = None
        self._looks = Looks()
        self._looking: threading.Thread | None = None

    def wake(self) -> None:
        """Something was handed over: it is looked for at once."""
        self._looks.wake()

    async def open(self, receiver: Receiver) -> None:
        """Brings its tables up to date and begins to take activations. It may be opened once at a time in a process.

        :raises DatabaseUnavailable: the database does not answer
        """
        await asyncio.to_thread(self._open, receiver)

    def _open(self, receiver: Receiver) -> None:
        from sqlalchemy.exc import OperationalError

        try:
            self._launch(receiver)
        except OperationalError as error:
            self._close(0)
            raise DatabaseUnavailable(f"DBOS cannot reach {self._settings.shown}: {error.orig}") from error
        except BaseException:
            self._close(0)
            raise

    def _launch(self, receiver: Receiver) -> None:
        from dbos import DBOS
        from dbos._queue import queue_worker_thread  # which waits on an event that it is given; the version is pinned

        _join_log()
        self._connections = connections(self._settings)
        instance = DBOS(
            config={
                "name": APPLICATION,
                "system_database_engine": self._connections,
                "dbos_system_schema": SCHEMA,
                "application_version": PROTOCOL,
                "executor_id": str(uuid.uuid4()),  # else a second process would take the running work of the first for its own
                "use_listen_notify": False,  # nobody waits for messages or events of DBOS
                "max_executor_threads": _THREADS,
                "log_level": "WARNING",
            }
        )

        @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)
        async def activation(number: int, fence: int) -> None:
            await asyncio.wrap_future(receiver.receive(number, fence))

        DBOS.listen_queues([])  # it would look at ours by the clock alone
        DBOS.launch()
        polling = self._polling
        queue = DBOS.register_queue(QUEUE, worker_concurrency=self._concurrency, polling_interval_sec=polling, on_conflict="always_update")
        self._looks = Looks()
        looks = self._looks

        def look() -> None:
            while not looks.is_set():  # DBOS would begin the loop anew, too, when it ends by itself
                try:
                    queue_worker_thread(looks, instance, queue)
                except Exception:
                    _LOG.exception("the queue of DBOS was not looked at")
                looks.rest()

        self._looking = threading.Thread(target=look, daemon=True, name="codeai-dbos")
        self._looking.start()

    async def close(self, timeout: float) -> None:
        """Takes nothing more, lets what runs end for some seconds, and ends."""
        await asyncio.to_thread(self._close, timeout)

    def _close(self, timeout: float) -> None:
        from dbos import DBOS

        self._looks.set()
        if self._looking is not None:
            self._looking.join(_LOOK_ENDS)
            self._looking = None
        DBOS.destroy(workflow_completion_timeout_sec=round(timeout), destroy_registry=True)
        if self._connections is not None:
            self._connections.dispose()
            self._connections = None

    async def forget(self, workflows: Sequence[str]) -> None:
        """Deletes workflows with all that DBOS keeps of them."""
        from dbos import DBOS

        await asyncio.to_thread(DBOS.delete_workflows, list(workflows))

    async def older(self, than: datetime.datetime) -> list[str]:
        """Workflows of ours that were handed over before some time, the oldest first, up to a thousand."""
        return await asyncio.to_thread(self._older, than)

    def _older(self, than: datetime.datetime) -> list[str]:
        from dbos import DBOS

        found = DBOS.list_workflows(
            name=WORKFLOW,
            application_name=APPLICATION,
            end_time=than.isoformat(),
            limit=_MOST_LEFT,
            load_input=False,
            load_output=False,
        )
        return [one.workflow_id for one in found]


def connections(settings: DatabaseSettings) -> Connections:
    """The connections of DBOS, beside those of ours; made by us, so that it never sees the password nor asks other databases."""
    import sqlalchemy as sa

    return sa.create_engine(
        "postgresql+psycopg://", connect_args=arguments(settings), pool_size=CONNECTIONS, max_overflow=0, pool_pre_ping=True
    )


def arguments(settings: DatabaseSettings) -> dict[str, Any]:
    """What psycopg is told, as asyncpg is (see ``storage.postgresql``)."""
    found: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "dbname": settings.name,
        "connect_timeout": max(round(settings.connect_timeout), 1),
        "application_name": "codeai dbos",
        "sslmode": settings.ssl_mode,
    }
    if settings.ssl_mode in ("verify-ca", "verify-full"):
        found["sslrootcert"] = str(settings.ssl_root or ssl.get_default_verify_paths().cafile or "system")
    if settings.user is not None:
        found["user"] = settings.user
    if settings.password is not None:
        found["password"] = settings.password
    if settings.pooler == "transaction":
        found["prepare_threshold"] = None  # sessions are shared: no kept statements, no settings of theirs
    else:
        found["options"] = f"-c idle_in_transaction_session_timeout={_IDLE_MS}"
    return found


def _join_log() -> None:
    """DBOS writes to the console unless its logger has a handler: ours, at the root, gets its lines instead."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
