"""A composed program in this process: real parser, checker, plans and database; only the socket is missing."""

import asyncio
import json
import uuid
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec

from codeai.auth.issuing import SigningKey, issue_token
from codeai.language.rendering.text import concise
from codeai.server.composition import Composition
from codeai.server.database import synchronise_here
from codeai.server.loading import apart, load_program
from codeai.server.settings import read_settings
from codeai.storage.opening import open_database
from codeai.storage.settings import from_url
from services.polling import until

SECRET = "a secret for tests that is long enough"


class Answer(msgspec.Struct, frozen=True):
    """What came back. ``header`` joins repeated headers by commas."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        found = [value for known, value in self.headers if known == name]
        return ", ".join(found) if found else None

    @property
    def json(self) -> Any:
        """The document, with exact numbers."""
        return json.loads(self.body, parse_float=Decimal)

    @property
    def code(self) -> str:
        """The code of a problem."""
        assert self.header("content-type") == "application/problem+json", self.body[:300]
        return str(self.json["code"])

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Field and code of every error that a problem lists."""
        return [(error["field"], error["code"]) for error in self.json.get("errors", [])]


class Service:
    """A program that answers requests, with an event loop of its own."""

    def __init__(
        self, path: Path, url: str, env: Mapping[str, str] | None = None, *, clock: Callable[[], datetime] | None = None, **limits: Any
    ) -> None:
        program = load_program(path)
        program = apart(program) if "CODEAI_OPERATOR_PORT" in (env or {}) else program  # as a start does
        assert program.valid, "\n".join(concise(found, program.sources) for found in program.diagnostics)
        environment = {"JWT_SECRET": SECRET, **(env or {})}
        settings = from_url(url, **limits)
        synchronise_here(settings, program.application, development=True)
        self.runner = asyncio.Runner()
        self.url = url
        self.database = open_database(settings)
        settings_read = read_settings(environment, {})
        self.composition = Composition(program.application, settings_read, self.database, environment, clock, folder=program.folder)
        self.run(self.composition.start())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def close(self) -> None:
        self.run(self.composition.stop())
        self.runner.close()

    def all_given_back(self) -> bool:
        """Waits until nobody has a connection to the database: signs of life and the like use one for a moment now and then."""

        def idle() -> bool:
            self.run(asyncio.sleep(0.001))
            found = self.database.statistics()
            return found.in_use == 0 and found.open_connections == found.idle

        return until(idle)

    def token(self, subject: object = None, *roles: str, **claims: Any) -> str:
        """A token that the program's own secret signs."""
        now = self.composition.clock().timestamp()
        return issue_token(SigningKey(secret=SECRET), str(subject or uuid.UUID(int=1)), list(roles), None, now, extra=claims)

    def request(
        self,
        method: str,
        target: str,
        value: Any = msgspec.UNSET,
        *,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        token: str | None = None,
        send_length: bool = True,
    ) -> Answer:
        """One request.

        :param value: is sent as JSON
        :param body: is sent as it is, in one message or several
        """
        work = self.exchange(method, target, value, body=body, headers=headers, token=token, send_length=send_length)
        answer: Answer = self.run(work)
        return answer

    async def exchange(
        self,
        method: str,
        target: str,
        value: Any = msgspec.UNSET,
        *,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        token: str | None = None,
        send_length: bool = True,
    ) -> Answer:
        """As ``request``, inside of a loop."""
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        names = {name.lower() for name, _ in pairs}
        if value is not msgspec.UNSET:
            body = msgspec.json.encode(value)
            if "content-type" not in names:
                pairs.append(("content-type", "application/json"))
        chunks = [body] if isinstance(body, bytes) else list(body or [])
        if body is not None and send_length and "content-length" not in names:
            pairs.append(("content-length", str(sum(map(len, chunks)))))
        if token is not None:
            pairs.append(("authorization", f"Bearer {token}"))
        return await exchange(self.composition.asgi, scope_of(method, target, pairs), chunks)


def scope_of(method: str, target: str, headers: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """The ASGI scope of a request."""
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path, errors="replace"),
        "raw_path": path.encode("latin-1", "replace"),
        "query_string": query.encode("latin-1", "replace"),
        "headers": [(b"host", b"test"), *((name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in headers)],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8080),
    }


async def exchange(app: Any, scope: dict[str, Any], chunks: list[bytes]) -> Answer:
    """Runs one request through an ASGI application."""
    waiting = [{"type": "http.request", "body": part, "more_body": at + 1 < len(chunks)} for at, part in enumerate(chunks)]
    waiting = waiting or [{"type": "http.request", "body": b"", "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in sent[0]["headers"])
    return Answer(sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:]))
