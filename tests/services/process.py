"""A real ``codeai server`` process."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil

from services.ports import free_port

SECRET = "a secret for tests that is long enough"


class ServerProcess:
    """Starts the server on a program and waits until it is ready."""

    def __init__(self, program: Path, folder: Path, *, env: dict[str, str] | None = None, arguments: tuple[str, ...] = ()) -> None:
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self._command = [sys.executable, "-m", "codeai", "server", str(program), "--port", str(self.port), *arguments]
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("DB_", "DATABASE_", "JWT_", "LOG_", "CODEAI_"))
        }
        self._env = {**inherited, "JWT_SECRET": SECRET, **(env or {})}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        """Starts the process; with ``wait`` until it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._env)
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self, timeout: float = 120.0) -> None:
        """Waits until /health/ready says yes."""
        deadline = time.monotonic() + timeout
        while True:
            assert self.process is not None and self.process.poll() is None, f"the server ended:\n{self.output}"
            assert time.monotonic() < deadline, f"the server is not ready:\n{self.output}"
            try:
                if httpx.get(self.base_url + "/health/ready", timeout=10).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.05)

    def wait(self, timeout: float = 120.0) -> int:
        """Waits until the process has ended and returns its exit code."""
        assert self.process is not None
        return self.process.wait(timeout)

    def terminate(self) -> int:
        """Ends the process in good order."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def remove(self) -> None:
        """Ends the process in any case."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def kill(self) -> None:
        """Ends the process and all that it has started, without any farewell."""
        assert self.process is not None
        with contextlib.suppress(psutil.NoSuchProcess):
            whole = psutil.Process(self.process.pid)
            for process in [whole, *whole.children(recursive=True)]:  # the supervisor first: it would begin others in their place
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self.wait()

    def children(self) -> dict[str, psutil.Process]:
        """The workers of all kinds that have begun, by their titles."""
        assert self.process is not None
        found = {}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # also of zombies, which have no command line
                found[" ".join(child.cmdline()).strip()] = child
        return {title: child for title, child in found.items() if title.startswith("cai-worker")}

    def workers(self) -> list[psutil.Process]:
        """The workers for HTTP that have begun."""
        return [child for title, child in self.children().items() if title.startswith("cai-worker: http")]

    @property
    def output(self) -> str:
        """What the process has printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""
