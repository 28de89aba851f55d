"""PgBouncer in transaction mode, before a PostgreSQL server of the tests."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from services.ports import free_port


class PgBouncer:
    """Pools ``size`` connections to a server; knows no prepared statements, as versions before 1.21 do."""

    def __init__(self, server_port: int, size: int = 2) -> None:
        program = shutil.which("pgbouncer", path=os.environ.get("PATH", "") + ":/usr/sbin")
        assert program, "PgBouncer is missing: run scripts/install-services"
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="codeai-pgbouncer-"))
        (self._folder / "users.txt").write_text('"codeai" ""\n')
        (self._folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={server_port} user=codeai\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {self.port}\nunix_socket_dir =\n"
            f"auth_type = any\nauth_file = {self._folder}/users.txt\n"
            f"pool_mode = transaction\ndefault_pool_size = {size}\nmax_client_conn = 200\n"
            "server_reset_query_always = 0\nlogfile =\npidfile =\n"
        )
        user: dict[str, str] = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            for path in (self._folder, *self._folder.iterdir()):
                os.chown(path, account.pw_uid, account.pw_gid)
            user = {"user": "postgres"}
        self._log = (self._folder / "log").open("wb")
        self._process = subprocess.Popen(
            [program, str(self._folder / "pgbouncer.ini")], stdout=self._log, stderr=self._log, cwd="/", **user
        )

    def start(self) -> None:
        """Waits until it answers."""
        deadline = time.monotonic() + 60
        while True:
            assert self._process.poll() is None and time.monotonic() < deadline, (self._folder / "log").read_text()
            try:
                socket.create_connection(("127.0.0.1", self.port), 10).close()
                return
            except OSError:
                time.sleep(0.02)

    def dsn(self, database: str) -> str:
        """The address of a database behind it."""
        return f"postgresql://codeai@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def remove(self) -> None:
        """Ends it."""
        self._process.terminate()
        self._process.wait(60)
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)
