"""An operator beside a running server: curl, jq, the database's own shell."""

import json
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from services.polling import until
from services.postgres import PostgresServer
from services.process import ServerProcess

PROGRAM = Path(__file__).parent / "works.cai"
FINISHED = ("completed", "failed", "cancelled", "compensated")


class Operator:
    """Somebody on the machine of the server.

    :param postgres: the server of the database with its name, None for SQLite in ``folder``
    """

    def __init__(self, server: ServerProcess, folder: Path, postgres: tuple[PostgresServer, str] | None) -> None:
        self.server = server
        self.base = server.base_url
        self.api = server.base_url + "/api/v1"
        self.folder = folder
        self._postgres = postgres
        self.http = httpx.Client(base_url=self.api, timeout=90)

    @property
    def kind(self) -> str:
        return "sqlite" if self._postgres is None else "postgresql"

    # -- the shell -------------------------------------------------------------------------------------------------

    def shell(self, command: str) -> str:
        """What a shell command prints; ``http://localhost:8080`` stands for the server, as in the guide."""
        text = command.replace("http://localhost:8080", self.base)
        done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, (text, done.stdout, done.stderr)
        return done.stdout

    def curl(self, command: str) -> tuple[int, Any]:
        """Status and JSON of a curl command of the guide."""
        output = self.shell(command.replace("curl ", "curl -s -w '\\n%{http_code}' ", 1))
        body, _, status = output.rpartition("\n")
        return int(status), json.loads(body) if body.strip() else None

    def sql(self, statement: str) -> list[list[Any]]:
        """The rows of a statement, asked past the server: by psql, or from the file."""
        if self._postgres is not None:
            server, name = self._postgres
            return [line.split("|") for line in server.sql(statement, name).splitlines()]
        connection = sqlite3.connect(self.folder / "app.db", timeout=60)
        try:
            rows = [list(row) for row in connection.execute(statement).fetchall()]
            connection.commit()
            return rows
        finally:
            connection.close()

    # -- the API ---------------------------------------------------------------------------------------------------

    def start(self, workflow: str, **input: Any) -> str:
        """Starts a workflow; the id of the execution."""
        answer = self.http.post(f"/workflows/{workflow}/executions", json={"input": input})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def enqueue(self, job: str, **more: Any) -> str:
        """Enqueues a job; the id of the run."""
        answer = self.http.post("/admin/jobs", json={"job": job, **more})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def execution(self, id_: str) -> dict[str, Any]:
        answer = self.http.get(f"/executions/{id_}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def ended(self, id_: str, *statuses: str) -> dict[str, Any]:
        """The execution, once it has one of the states."""
        return self.until(lambda: (found := self.execution(id_))["status"] in (statuses or FINISHED) and found)

    def until(self, condition: Callable[[], Any], seconds: float = 60.0) -> Any:
        """What a condition answers, once it holds."""
        return until(condition, seconds, lambda: self.server.output[-3000:])

    def notes(self) -> list[str]:
        """The texts of all notes."""
        answer = self.http.post("/query", json={"q": "select text from Note limit 1000"})
        return [row["text"] for row in answer.json()["data"]]

    def audit(self, key: str) -> list[tuple[str, str]]:
        """Who did what to a thing, in order."""
        return [(row[0], row[1]) for row in self.sql(f"SELECT actor, action FROM audit_log WHERE key = '{key}' ORDER BY at, id")]
