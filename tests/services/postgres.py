"""A PostgreSQL server of the tests' own."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import psutil
import psycopg

from services.ports import free_port


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    assert initdb, "PostgreSQL is missing: run scripts/install-services"
    return Path(initdb).parent


class PostgresServer:
    """Starts, stops, kills and restarts a server; ``dsn`` names one of its databases."""

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="codeai-postgres-"))
        self._binaries = _binaries()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: psycopg.Connection | None = None
        self._user = {"user": "postgres"} if os.geteuid() == 0 else {}
        if self._user:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self._run("initdb", "-D", str(self.folder / "data"), "-U", "codeai", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")

    def __enter__(self) -> "PostgresServer":
        """A server that runs, for a block."""
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.remove()

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([str(self._binaries / program), *arguments], check=True, capture_output=True, cwd="/", **self._user)

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        settings = {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "autovacuum": "off",  # with hundreds of databases it would hardly do anything but visit them
            "max_connections": "200",
            "listen_addresses": "127.0.0.1",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [str(self._binaries / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), "-k", str(self.folder), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **self._user,
        )
        ready = [str(self._binaries / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port), "-q"]
        deadline = time.monotonic() + 90
        while subprocess.run(ready, check=False).returncode:
            assert time.monotonic() < deadline, "PostgreSQL did not start"
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends the server at once, connections included (fast shutdown)."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Ends the server without any farewell (immediate shutdown)."""
        self._end(signal.SIGQUIT)

    def freeze(self) -> None:
        """Lets all its processes stand still: connections stay, and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Goes on after ``freeze``."""
        self._signal(signal.SIGCONT)

    def _signal(self, what: signal.Signals) -> None:
        assert self._process is not None
        first = psutil.Process(self._process.pid)
        for process in [first, *first.children()]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(what)

    def _end(self, how: signal.Signals) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(90)
            self._process = None

    def restart(self) -> None:
        """Stops and starts."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Ends the server and removes its folder."""
        self.kill()
        subprocess.run(["rm", "-rf", self.folder], check=False)  # a hundred thousand files: Python takes several times as long

    def dsn(self, database: str = "postgres") -> str:
        """The address of a database."""
        return f"postgresql://codeai@127.0.0.1:{self.port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Runs a statement with psql and returns what it prints."""
        psql = shutil.which("psql") or str(self._binaries / "psql")
        done = subprocess.run([psql, self.dsn(database), "-Atqc", statement], check=False, capture_output=True, text=True)
        if done.returncode:
            print(done.stderr)  # the error alone does not say why
        done.check_returncode()
        return done.stdout.strip()

    def create_database(self, name: str = "") -> str:
        """Makes an empty database and returns its address; one without a name gets its own, as many tests share a server."""
        name = name or f"d{uuid.uuid4().hex[:16]}"
        self._command(f'CREATE DATABASE "{name}" STRATEGY file_copy')
        return self.dsn(name)

    def _command(self, statement: str) -> None:
        """Runs a statement on a connection that is kept: a psql for each of many hundred takes longer than they do."""
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self.dsn(), autocommit=True)
        self._connection.execute(statement)  # type: ignore[call-overload]  # a text of the tests
