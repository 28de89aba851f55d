"""Endpoints with a ``do`` block."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from codeai.auth.principal import Principal
from codeai.evaluate.context import Outcome
from codeai.evaluate.program import Host, Instant
from codeai.http.messages import ONLY_JSON, Request, Response
from codeai.http.plans import ENCODER, Action, Inputs, Runtime, Writing, conditional, context_of, json_response
from codeai.http.problems import Problem
from codeai.http.projection import Projector
from codeai.http.success import Success, sent_values
from codeai.language import types as t
from codeai.model.endpoint import Endpoint, RunBlock, Unavailable
from codeai.storage.errors import SerializationFailure
from codeai.storage.interface import Session

_ATTEMPTS: Final = 3
_FORBIDDEN_HEADERS: Final = frozenset(["content-length", "transfer-encoding", "connection", "x-request-id"])


class BlockAction(Writing):
    """Runs a block in one transaction and encodes what it returns.

    :param instant: the block as a plain function, when it waits for nothing
    :param success: what it does at its end
    """

    def __init__(
        self,
        endpoint: Endpoint,
        action: RunBlock,
        host: Host,
        instant: Instant | None,
        project: Projector,
        runtime: Runtime,
        success: Success | None = None,
    ) -> None:
        self._host = host
        self._success = success
        self._project = project
        self._runtime = runtime
        self._writes = action.writes
        self.isolation = action.isolation
        # What only reads, in READ COMMITTED, is the same without a transaction around it.
        plain = not action.writes and action.isolation == "read committed"
        self._session: Session | None = runtime.database.reading() if plain else None
        self._instant = instant if plain and success is None else None
        self.instant = self._instant is not None
        self._status = endpoint.returns.status
        self._void = endpoint.returns.type is None
        self._media_type = endpoint.returns.media_type
        type_ = t.required(endpoint.returns.type) if endpoint.returns.type is not None else None
        self._single = isinstance(type_, t.Row) and endpoint.method == "GET"
        self._value = not self._void and self._media_type is None and not self._single and self._status != 204

    async def run(self, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """See ``plans.Action``."""
        if self._session is not None:
            return await self.within(self._session, request, inputs, principal)
        for attempt in range(_ATTEMPTS):
            try:
                return await self._once(request, inputs, principal)
            except SerializationFailure:
                if attempt + 1 == _ATTEMPTS or self.isolation != "serializable":
                    raise
        raise AssertionError("unreachable")

    def at_once(self, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """See ``plans.Action``."""
        assert self._instant is not None and self._session is not None
        context = context_of(self._runtime, principal, self._session, inputs)
        outcome = self._instant(context)
        if outcome.redirect:
            return self._answer(request, outcome, None)
        value = self._project(outcome.value, context)
        if self._value and outcome.status is None and not outcome.headers:
            return Response(self._status or 200, ENCODER.encode(value), ONLY_JSON)
        return self._answer(request, outcome, value)

    async def _once(self, request: Request, inputs: Inputs, principal: Principal) -> Response:
        async with self._runtime.database.transaction(write=self._writes, isolation=self.isolation) as session:
            return await self.within(session, request, inputs, principal)

    async def within(self, session: Session, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """See ``plans.Writing``."""
        context = context_of(self._runtime, principal, session, inputs)
        outcome = await self._host(context)
        if self._success is not None:
            await self._success.run(context, outcome.value, sent_values(inputs.body, inputs.sent.get("body", frozenset())))
        value = None if outcome.redirect else self._project(outcome.value, context)
        return self._answer(request, outcome, value)

    def _answer(self, request: Request, outcome: Outcome, value: Any) -> Response:
        headers = tuple(self._header(name, text) for name, text in outcome.headers) if outcome.headers else ()
        if outcome.redirect:
            location = quote(str(outcome.value), safe="/:?#[]@!$&'()*+,;=%~-._")
            return Response(outcome.status or 303, b"", ((b"location", location.encode()), *headers))
        status = outcome.status or self._status or (204 if self._void else 200)
        if status == 204 or self._void:
            return Response(status, b"", headers)
        if self._media_type is not None:
            body = value if isinstance(value, bytes) else str(value).encode()
            return Response(status, body, ((b"content-type", self._media_type.encode()), *headers))
        response = json_response(value, status, headers)
        return conditional(request, response) if self._single and status == 200 else response

    def _header(self, name: str, text: str) -> tuple[bytes, bytes]:
        if name.lower() in _FORBIDDEN_HEADERS or not text.isprintable():
            raise Problem(500, "the program set a header that it may not set", "bad_header", hint=name)
        return name.lower().encode("latin-1"), text.encode("latin-1", "replace")


class UnavailableAction(Action):
    """Says that this endpoint has no operation, and why."""

    def __init__(self, action: Unavailable) -> None:
        self._reason = action.reason

    async def run(self, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """See ``plans.Action``."""
        raise Problem(501, f"this endpoint is not available: {self._reason}", "not_implemented", hint="add a 'do' block to the endpoint")
