"""The first process on PostgreSQL: starts the HTTP workers and the durable worker, restarts those that die, and ends them in good order."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

from codeai.server.deaths import TOO_MANY, Deaths
from codeai.server.settings import SettingError

SUPERVISOR_VARIABLE: Final = "CODEAI_SUPERVISOR"

_LOG = logging.getLogger("codeai.server")
AWAY: Final = 75  # the exit code of a worker that found no database (EX_TEMPFAIL of sysexits.h)
_AWAY_PAUSE: Final = 1.0
_REFUSALS: Final = (1, 2, 3)
_ENDED: Final = (0, -signal.SIGTERM)  # in good order, or so early that it could not yet be
_FEWEST_CONNECTIONS: Final = 2
DURABLE: Final = "durable"


def shares(total: int, workers: Sequence[str]) -> dict[str, int]:
    """How many database connections each process gets (acceptance T18): as evenly as may be, all of them together.

    :raises SettingError: fewer than two
    """
    each, more = divmod(total, len(workers))
    if each < _FEWEST_CONNECTIONS:
        raise SettingError(f"DB_MAX_OPEN_CONNS={total} is too few for {len(workers)} workers: each needs {_FEWEST_CONNECTIONS}")
    return {name: each + (at < more) for at, name in enumerate(workers)}


class Supervisor:
    """Keeps worker processes alive.

    :param command: how a worker is started
    :param workers: the name of each, which it finds in ``CODEAI_WORKER``: a number, or ``durable``
    :param timeout: seconds that workers have to end
    :param descriptors: of sockets that the workers share
    :param hang_up: what SIGHUP does in this process; the workers hear of it, too
    """

    def __init__(
        self,
        command: list[str],
        workers: Sequence[str],
        environment: dict[str, str],
        timeout: float,
        hang_up: Callable[[], None],
        descriptors: tuple[int, ...] = (),
        deaths: Deaths | None = None,
    ) -> None:
        self._command = command
        self._workers = workers
        self._environment = environment
        self._timeout = timeout
        self._hang_up = hang_up
        self._descriptors = descriptors
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._due: dict[str, float] = {}
        self._deaths = deaths if deaths is not None else Deaths()
        self._replaced: set[str] = set()
        self._ending = False

    def run(self) -> int:
        """Runs until a signal; returns the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        signal.signal(signal.SIGHUP, self._hung_up)
        signal.signal(signal.SIGUSR1, self._told)
        for worker in self._workers:
            self._spawn(worker)
        code = self._watch()
        self._end()
        return code

    def _spawn(self, worker: str) -> None:
        own = {"CODEAI_WORKER": worker, "CODEAI_ROLE": "worker" if worker == DURABLE else "api", SUPERVISOR_VARIABLE: str(os.getpid())}
        self._children[worker] = subprocess.Popen(self._command, env={**self._environment, **own}, pass_fds=self._descriptors)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if self._ending:
            for child in self._children.values():
                child.kill()
            os._exit(130)
        self._ending = True

    def _told(self, number: int, frame: FrameType | None) -> None:
        """A worker was asked to end: so all of them end, in good order."""
        self._ending = True

    def _hung_up(self, number: int, frame: FrameType | None) -> None:
        self._hang_up()
        for child in self._children.values():
            if child.poll() is None:
                child.send_signal(signal.SIGHUP)

    def _watch(self) -> int:
        while not self._ending:
            now = time.monotonic()
            for worker in [name for name, due in self._due.items() if due <= now]:
                del self._due[worker]
                self._spawn(worker)
            for worker, child in list(self._children.items()):
                if worker in self._due or (exited := child.poll()) is None:
                    continue
                if (code := self._ended(worker, exited, now)) is not None:
                    return code
            time.sleep(0.1)
        return 0

    def _ended(self, worker: str, code: int, now: float) -> int | None:
        """A worker has ended: with what the server ends, if it does, else when another one begins."""
        if code in _ENDED:
            return 0  # somebody has ended the worker and means the server (acceptance T19)
        if code == AWAY:  # nobody's fault: however long the database is away, the server waits for it
            _LOG.warning("worker found no database, trying again", extra={"worker": worker, "pause": _AWAY_PAUSE})
            self._due[worker] = now + _AWAY_PAUSE
            return None
        if code in _REFUSALS and worker not in self._replaced:
            return code  # the worker has said why it cannot start
        self._replaced.add(worker)
        _LOG.error("worker died", extra={"worker": worker, "exit_code": code})
        pause = self._deaths.pause(now)
        if pause is None:
            _LOG.error("workers die too often, giving up", extra={"deaths": TOO_MANY})
            return 4
        self._due[worker] = now + pause
        return None

    def _end(self) -> None:
        for child in self._children.values():
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + self._timeout
        for child in self._children.values():
            try:
                child.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def tell_supervisor() -> None:
    """In a worker that was asked to end: tells the first process, which then ends all (acceptance T19)."""
    supervisor = os.environ.get(SUPERVISOR_VARIABLE, "")
    if supervisor.isdigit() and os.getppid() == int(supervisor):
        os.kill(int(supervisor), signal.SIGUSR1)


def orphaned() -> bool:
    """In a worker: whether the first process has died without a farewell, so that nobody will ever end or replace this one."""
    supervisor = os.environ.get(SUPERVISOR_VARIABLE, "")
    return supervisor.isdigit() and os.getppid() != int(supervisor)


def worker_command(arguments: list[str]) -> list[str]:
    """The command of a worker."""
    return [sys.executable, "-m", "codeai.server.child", *arguments]
