"""A machine of the tests' own: loopback, ports and /var/log that nobody else sees, so that commands run exactly as they are printed.

It is made of Linux namespaces, which only root may make; ``possible`` says whether that is so here.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil


def possible() -> bool:
    """Whether such a machine can be made."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("unshare", "nsenter", "ip"))):
        return False
    return (
        subprocess.run(["unshare", "--net", "--mount", "ip", "link", "set", "lo", "up"], capture_output=True, check=False).returncode == 0
    )


class Machine:
    """PostgreSQL at 5432 and Redis at 6379 without passwords; commands run in ``folder`` with ``environment``."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("DB_", "DATABASE_", "JWT_", "LOG_", "CODEAI_"))
        }
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = {**inherited, "PATH": path, "PPROF_TMPDIR": str(folder), "PGCONNECT_TIMEOUT": "5", **environment}
        self._started: list[subprocess.Popen[bytes]] = []
        self._data = Path(tempfile.mkdtemp(prefix="machine-"))
        self._inside: tuple[str, ...] = ()

    def start(self) -> None:
        """Makes the namespaces and starts the services in them."""
        # Processes of its own, too: what the guide finds by ``pgrep`` and kills must be its own.
        maker = self._popen("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sleep", "infinity")
        self._eventually(lambda: bool(self._first(maker.pid)), "namespaces of its own")
        self._inside = ("nsenter", "-t", self._first(maker.pid), "--net", "--mount", "--pid")
        self.shell("ip link set lo up && mount -t tmpfs none /var/log")
        self._postgres()
        self._popen(*self._inside, "redis-server", "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder))
        self._until("redis-cli ping")

    @staticmethod
    def _first(maker: int) -> str:
        """The first process of the namespaces, once it is what it will be; before that, commands would run on the real machine."""
        for child in psutil.Process(maker).children():
            if child.name() == "sleep":
                return str(child.pid)
        return ""

    def _popen(self, *command: str) -> "subprocess.Popen[bytes]":
        started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")
        self._started.append(started)
        return started

    def _postgres(self) -> None:
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))[-1]
        account = pwd.getpwnam("postgres")
        data = self._data
        os.chown(data, account.pw_uid, account.pw_gid)
        made = [str(binaries / "initdb"), "-D", str(data), "-U", "codeai", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(made, check=True, capture_output=True, cwd="/", user="postgres")
        as_postgres = ("--setuid", str(account.pw_uid), "--setgid", str(account.pw_gid))
        settings = ("-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={data}")
        self._popen(*self._inside, *as_postgres, str(binaries / "postgres"), "-D", str(data), *settings)
        self._until("pg_isready -q -h localhost")
        self.shell("psql -h localhost -U codeai -d postgres -qc 'CREATE ROLE root SUPERUSER LOGIN' -c 'CREATE DATABASE codeai'")

    def _until(self, command: str) -> None:
        self._eventually(lambda: self.run(command).returncode == 0, command)

    @staticmethod
    def _eventually(holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + 120
        while not holds():
            assert time.monotonic() < deadline, f"in vain: {what}"
            time.sleep(0.05)

    def run(self, command: str, timeout: float = 400) -> "subprocess.CompletedProcess[str]":
        """A command of the shell, as it ended."""
        assert self._inside, "it has not started"
        whole = [*self._inside, f"--wd={self.folder}", "/bin/bash", "-c", command]
        return subprocess.run(whole, env=self.environment, capture_output=True, text=True, errors="replace", timeout=timeout, check=False)

    def shell(self, command: str, timeout: float = 400) -> str:
        """What a command prints that must succeed."""
        done = self.run(command, timeout)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def serve(self, command: str) -> "subprocess.Popen[bytes]":
        """Starts a server with a command, and waits until it is ready."""
        with (self.folder / "server.out").open("wb") as output:
            words = [*self._inside, f"--wd={self.folder}", "/bin/bash", "-c", command]
            server = subprocess.Popen(words, env=self.environment, stdout=output, stderr=output)
        self._started.append(server)
        self._until("curl -sf http://localhost:8080/health/ready")
        return server

    def remove(self) -> None:
        """Ends everything that was started on it."""
        for process in self._started:
            process.kill()  # the first one takes the namespaces with it
            process.wait(60)
        shutil.rmtree(self._data, ignore_errors=True)
