"""The first process on PostgreSQL: starts the HTTP workers and the durable worker, restarts those that die, and ends them in good order."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Final

from codeai.server.settings import SettingError

SUPERVISOR_VARIABLE: Final = "CODEAI_SUPERVISOR"

_LOG = logging.getLogger("codeai.server")
_DEATHS: Final = 5
_WINDOW: Final = 60.0
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
    ) -> None:
        self._command = command
        self._workers = workers
        self._environment = environment
        self._timeout = timeout
        self._hang_up = hang_up
        self._descriptors = descriptors
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._deaths: deque[float] = deque(maxlen=_DEATHS)
        self._replaced: set[str] = set()
        self._ending = False
        self._back_off = 0.2

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
            for worker, child in list(self._children.items()):
                code = child.poll()
                if code is None:
                    continue
                if code in _ENDED:
                    return 0  # somebody has ended the worker and means the server (acceptance T19)
                if code in _REFUSALS and worker not in self._replaced:
                    return code  # the worker has said why it cannot start
                if not self._restart(worker, code):
                    return 4
            time.sleep(0.1)
        return 0

    def _restart(self, worker: str, code: int) -> bool:
        now = time.monotonic()
        self._replaced.add(worker)
        self._deaths.append(now)
        _LOG.error("worker died", extra={"worker": worker, "exit_code": code})
        if len(self._deaths) == _DEATHS and now - self._deaths[0] < _WINDOW:
            _LOG.error("workers die too often, giving up", extra={"deaths": _DEATHS})
            return False
        time.sleep(self._back_off)
        self._back_off = min(self._back_off * 2, 5.0)
        if not self._ending:
            self._spawn(worker)
        return True

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


def worker_command(arguments: list[str]) -> list[str]:
    """The command of a worker."""
    return [sys.executable, "-m", "codeai.server.child", *arguments]
