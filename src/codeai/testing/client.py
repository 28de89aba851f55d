"""Requests of tests, answered by the application in this process."""

from __future__ import annotations

import datetime
import json
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from codeai.auth.acting import stated_principal
from codeai.auth.issuing import SigningKey, issue_token
from codeai.auth.principal import RoleTable
from codeai.evaluate.context import Caller, Context
from codeai.evaluate.operations import to_json
from codeai.http.application import Application
from codeai.http.plans import ENCODER
from codeai.integrations.recorded import RecordedIntegrations
from codeai.testing.observed import Observed

_REFUSED = 400


class TestClient:
    """Sends requests as the user that ``as user`` names.

    :param issue: makes a token for a principal
    :param recorded: the integrations that ``mock`` speaks of
    :param settle: runs everything that is due in the background to its end
    :param advance: moves the time
    :param observed: what there was, for those who ask
    """

    __test__ = False

    def __init__(
        self,
        application: Application,
        roles: RoleTable,
        issue: Callable[[Mapping[str, Any]], str],
        recorded: RecordedIntegrations | None = None,
        settle: Callable[[], Awaitable[None]] | None = None,
        advance: Callable[[datetime.timedelta], Awaitable[None]] | None = None,
        observed: Observed | None = None,
    ) -> None:
        self._settle = settle
        self._advance = advance
        self._observed = observed
        self._application = application
        self._roles = roles
        self._issue = issue
        self._recorded = recorded
        self.refused = ""  # what the last request was answered, when that was a refusal
        self._acting: Mapping[str, Any] | None = None  # of the user that 'as user' has named

    def mock(self, integration: str, operation: str, fails: bool, value: Any) -> None:
        """``mock Payments.refund returns e``."""
        assert self._recorded is not None, "programs of tests are composed for recording"
        self._recorded.mock(integration, operation, fails, value)

    async def settle(self) -> None:
        """Lets events reach their handlers and runs go on as far as they can now."""
        if self._settle is not None:
            await self._settle()

    async def advance(self, context: Context, length: datetime.timedelta) -> None:
        """``advance 2h``: what becomes due on the way runs at its time; the test goes on in the new time."""
        assert self._advance is not None, "programs of tests are composed with a clock that can be moved"
        await self._advance(length)
        context.now += length

    async def executions(self, name: str) -> list[dict[str, Any]]:
        """``executions(RefundFlow)``: all of them, the oldest first, when what is due has run."""
        return await (await self._settled()).executions(name)

    async def calls(self, name: str) -> list[dict[str, Any]]:
        """``calls(Payments.refund)``: what each was called with, when what is due has run."""
        return (await self._settled()).calls(name)

    async def events(self, name: str) -> list[dict[str, Any]]:
        """``events(OrderPlaced)``: all of them, the oldest first, when what is due has run."""
        return await (await self._settled()).events(name)

    async def messages(self) -> list[dict[str, Any]]:
        """``messages()``: what was sent, when what is due has run."""
        return (await self._settled()).messages()

    async def _settled(self) -> Observed:
        await self.settle()
        assert self._observed is not None, "programs of tests are composed with what runs them"
        return self._observed

    @property
    def unanswered(self) -> list[str]:
        """The operations that were called although the test does not say what they answer."""
        return self._recorded.missing if self._recorded is not None else []

    def become(self, context: Context, values: Mapping[str, Any]) -> None:
        """``as user { … }`` alone: whose requests follow. Statements of the test go on as the system, so that it sees every row."""
        self._acting = values

    def act_as(self, context: Context, values: Mapping[str, Any]) -> tuple[Caller, Mapping[str, Any] | None]:
        """``as user { … } { … }``: the requests and the statements of the block are of this user; the result is for ``act_again_as``."""
        before = context.user, self._acting
        self._acting = values
        context.user = stated_principal(values, self._roles)
        return before

    def act_again_as(self, context: Context, before: tuple[Caller, Mapping[str, Any] | None]) -> None:
        """The end of the block of ``as user``: all is as it was before."""
        context.user, self._acting = before

    async def request(self, method: str, path: str, headers: Mapping[str, str], body: Any, sent: bool) -> dict[str, Any]:
        """One request; its answer as the record that tests see. What was left behind before it takes effect first."""
        await self.settle()
        path = path.removesuffix("/") if path.startswith("//") else path
        target, _, query = path.partition("?")
        content = ENCODER.encode(to_json(body)) if sent else b""
        named = [(b"host", b"test")]
        if sent:
            named += [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
        if self._acting is not None and "authorization" not in {name.lower() for name in headers}:
            token = self._issue(self._acting)  # at the time of the request, so that 'advance' does not outlive it
            named.append((b"authorization", b"Bearer " + token.encode()))
        named += [(name.lower().encode(), str(value).encode()) for name, value in headers.items()]
        scope = {
            "type": "http",
            "method": method,
            "path": unquote(target),
            "raw_path": target.encode(),
            "query_string": query.encode(),
            "headers": named,
        }
        answer = await self._exchange(scope, content)
        self._note(f"{method} {path}", answer)
        return answer

    def _note(self, request: str, answer: Mapping[str, Any]) -> None:
        """Remembers a refusal until the next request: it explains why a field of the answer is not there."""
        problem = answer["body"] if isinstance(answer["body"], dict) else {}
        fields = [f"{found.get('field')} {found.get('message')}" for found in problem.get("errors") or () if isinstance(found, dict)]
        why = ", ".join([str(problem.get("detail") or problem.get("title") or ""), *fields]).strip(", ")
        self.refused = f"answer {answer['status']} to {request}: {why}" if answer["status"] >= _REFUSED else ""

    async def _exchange(self, scope: dict[str, Any], content: bytes) -> dict[str, Any]:
        messages: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        await self._application(scope, receive, send)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in messages[0]["headers"]}
        body = b"".join(message.get("body", b"") for message in messages[1:])
        decoded: Any = body.decode("utf-8", "replace") if body else None
        if "json" in headers.get("content-type", "") and body:
            decoded = json.loads(body, parse_float=Decimal)
        return {"status": messages[0]["status"], "headers": headers, "body": decoded}


def issuer(secret: str, now: Callable[[], datetime.datetime]) -> Callable[[Mapping[str, Any]], str]:
    """A function that makes tokens for the principals of tests."""

    def issue(values: Mapping[str, Any]) -> str:
        extra = {key: to_json(values[key]) for key in ("permissions", "tenant", "email", "name") if key in values}
        subject = str(values.get("id", "test"))
        return issue_token(SigningKey(secret=secret), subject, list(values.get("roles", ())), None, now().timestamp(), extra=extra)

    return issue
