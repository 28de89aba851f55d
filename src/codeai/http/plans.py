"""One plan per endpoint: how to decode, whom to let in, what to run, how to encode. Built at start."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

import msgspec

from codeai.auth.guard import Guard
from codeai.auth.principal import Principal
from codeai.evaluate.context import Context, Log, Services
from codeai.evaluate.effects import Effects
from codeai.http.deadlines import SHORTEST, Deadlines
from codeai.http.documents import decoded
from codeai.http.idempotency import HEADER, Idempotency
from codeai.http.messages import JSON, ONLY_JSON, Request, Response
from codeai.http.middleware.clients import ClientAddresses
from codeai.http.multipart import FormReader, is_form, limit_of
from codeai.http.negotiation import accepts, etag, is_json, matching, not_modified
from codeai.http.parameters import ParameterDecoder, Reader, parse_cookies, parse_query
from codeai.http.paths import PathParameters
from codeai.http.problems import Problem
from codeai.http.settings import HttpSettings
from codeai.http.shapes import ShapeDecoder
from codeai.model.endpoint import Endpoint
from codeai.storage.interface import Database, Isolation, Session

ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_PRIVATE: Final = ((b"cache-control", b"no-store"),)
_ACCEPT: Final = ((b"accept", b"application/json"),)
_ACCEPT_FORM: Final = ((b"accept", b"multipart/form-data, application/json"),)
_ACCEPT_ENCODING: Final = ((b"accept-encoding", b"identity"),)


class Runtime(msgspec.Struct, frozen=True):
    """What every plan uses: the parts that the composition made."""

    database: Database
    services: Services
    log: Log
    clock: Callable[[], datetime.datetime]
    settings: HttpSettings
    effects: Effects
    deadlines: Deadlines = msgspec.field(default_factory=Deadlines)
    addresses: ClientAddresses = msgspec.field(default_factory=ClientAddresses)


_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Inputs(msgspec.Struct, frozen=True):
    """The decoded parts of one request."""

    path: Mapping[str, Any] = _NOTHING
    query: Mapping[str, Any] = _NOTHING
    header: Mapping[str, Any] = _NOTHING
    cookie: Mapping[str, Any] = _NOTHING
    body: Any = None
    sent: Mapping[str, frozenset[str]] = _NOTHING
    texts: Mapping[str, list[str]] = _NOTHING


NO_INPUTS: Final = Inputs()
ByPath = Callable[[Request, list[str]], Response]


class Action(Protocol):
    """What an endpoint does once its input is decoded and its caller admitted. ``instant`` says that ``at_once`` answers."""

    instant: bool = False

    def at_once(self, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """Answers a request for which nothing has to be awaited."""
        raise AssertionError("this action is not instant")

    def by_path(self, path: PathParameters) -> ByPath | None:
        """Answers at once by the texts of the path and nothing else, for actions that ask for no more; settled when an endpoint is made."""
        return None

    async def run(self, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """Answers the request."""


class Writing(Action):
    """An action that works in one transaction, which somebody else may open."""

    isolation: Isolation = "read committed"

    async def within(self, session: Session, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """Answers the request in a transaction."""
        raise NotImplementedError


class _Keyed:
    """An action with its request, as what is done once."""

    def __init__(self, action: Writing, request: Request, inputs: Inputs, principal: Principal) -> None:
        self._action = action
        self._parts = (request, inputs, principal)
        self.isolation = action.isolation

    async def __call__(self, session: Session) -> Response:
        """See ``idempotency.Work``."""
        return await self._action.within(session, *self._parts)


class EndpointPlan:
    """The plan of one endpoint.

    :param readers: one per path parameter, in order
    :param body: None when the endpoint takes no body
    :param form: set when the body may come as form data, too
    """

    def __init__(
        self,
        endpoint: Endpoint,
        guard: Guard,
        action: Action,
        runtime: Runtime,
        *,
        readers: tuple[tuple[str, Reader], ...],
        query: ParameterDecoder | None,
        header: ParameterDecoder | None,
        cookie: ParameterDecoder | None,
        body: ShapeDecoder | None,
        open_body: bool = False,
        form: FormReader | None = None,
    ) -> None:
        self.template = endpoint.template
        self.name = endpoint.name
        self.declared: Mapping[int, tuple[str, str | None]] = {error.status: (error.message, error.code) for error in endpoint.errors}
        self.media_type = endpoint.returns.media_type or "application/json"
        self._guard = guard
        self._action = action
        self._settings = runtime.settings
        self._timeout = endpoint.timeout_ms / 1000 if endpoint.timeout_ms else runtime.settings.request_timeout
        shape = endpoint.inputs.body
        self._limit = limit_of(shape, runtime.settings.max_body) if form is not None and shape is not None else runtime.settings.max_body
        self._path = PathParameters(readers)
        self._query = query
        self._header = header
        self._cookie = cookie
        self._body = body
        self._open_body = open_body
        self._form = form
        self._reads = bool(readers or query or header or cookie or body or open_body)
        self._plain = not (query or header or cookie or body or open_body)
        self._deadlines = runtime.deadlines
        self._once: Idempotency | None = None
        if endpoint.method in ("POST", "PATCH") and isinstance(action, Writing):
            self._once = Idempotency(runtime.database, f"{endpoint.method} {endpoint.template}", self.declared, runtime.addresses)
        self._instant = self._plain and self._once is None and action.instant
        self._by_path = action.by_path(self._path) if self._instant else None

    def at_once(self, request: Request, values: list[str]) -> Response | None:
        """Answers a request for which nothing has to be awaited; None asks for ``handle``. It raises what that would."""
        if not self._instant or (values and request.query_string):
            return None
        principal = self._guard.quick(request.headers)
        if principal is None:
            return None
        self._admitted(request, principal)
        if self._by_path is not None:
            response = self._by_path(request, values)
        else:
            response = self._action.at_once(request, Inputs(self._path.named(values)) if values else NO_INPUTS, principal)
        return _private(response, principal) if principal.authenticated else response

    async def handle(self, request: Request, values: list[str]) -> Response:
        """Answers a request whose path has led here.

        :param values: the texts of the path's parameters
        :raises Exception: whatever ``problems.problem_of`` turns into an answer
        """
        principal = self._guard.quick(request.headers)
        if principal is None:
            principal = await self._guard.admit(request.headers)
        self._admitted(request, principal)
        return _private(await self._limited(request, values, principal), principal)

    def _admitted(self, request: Request, principal: Principal) -> None:
        request.principal = principal
        accept = request.headers.get(b"accept")
        if accept is not None and not accepts(accept, self.media_type):
            raise Problem(406, f"this answers as {self.media_type}", headers=())

    async def _limited(self, request: Request, values: list[str], principal: Principal) -> Response:
        """Decodes and runs within the endpoint's time."""
        if self._timeout < SHORTEST:
            async with asyncio.timeout(self._timeout):
                return await self._decoded(request, values, principal)
        deadline = self._deadlines.begin(self._timeout)
        try:
            return await self._decoded(request, values, principal)
        except asyncio.CancelledError:
            if deadline.answers():
                raise TimeoutError from None
            raise
        finally:
            self._deadlines.end(deadline)

    def _decoded(self, request: Request, values: list[str], principal: Principal) -> Awaitable[Response]:
        """Runs what is named by its path alone without more ado."""
        if self._plain and not request.query_string and self._once is None:
            return self._action.run(request, Inputs(self._path.named(values)) if values else NO_INPUTS, principal)
        return self._run(request, values, principal)

    async def _run(self, request: Request, values: list[str], principal: Principal) -> Response:
        inputs = await self._inputs(request, values) if self._reads or request.query_string else NO_INPUTS
        action = self._action
        named = HEADER in request.headers or request.receipt is not None
        if self._once is None or not named or not isinstance(action, Writing):
            return await action.run(request, inputs, principal)
        body = await request.body(self._limit, self._settings.body_timeout, self._deadlines)
        return await self._once.run(request, principal, body, _Keyed(action, request, inputs, principal))

    async def _inputs(self, request: Request, values: list[str]) -> Inputs:
        path = self._path.named(values) if values else {}
        texts = parse_query(request.query_string) if request.query_string else {}
        sent: dict[str, frozenset[str]] = {}
        query: Mapping[str, Any] = {}
        header: Mapping[str, Any] = {}
        cookie: Mapping[str, Any] = {}
        if self._query is not None:
            query, sent["query"] = self._query.decode(texts)
        if self._header is not None:
            named = {name.decode("latin-1"): [value.decode("latin-1")] for name, value in request.headers.items()}
            header, sent["header"] = self._header.decode(named)
        if self._cookie is not None:
            cookie, sent["cookie"] = self._cookie.decode(parse_cookies(request.headers.get(b"cookie")))
        body: Any = None
        if self._body is not None or self._open_body:
            body, sent["body"] = await self._decoded_body(request)
        return Inputs(path, query, header, cookie, body, sent, texts)

    async def _decoded_body(self, request: Request) -> tuple[Any, frozenset[str]]:
        self._check_kind(request)
        body = await request.body(self._limit, self._settings.body_timeout, self._deadlines)
        if HEADER in request.headers:
            request.keep(body)
        if not body:
            raise Problem(400, "the body is empty, JSON was expected", "malformed_json")
        if self._body is None:
            return self._open(body)
        if self._form is not None and is_form(request.headers.get(b"content-type")):
            body = self._form.document(body, request.headers[b"content-type"])
        decoded = self._body.decode(body)
        return decoded.values, decoded.sent

    def _check_kind(self, request: Request) -> None:
        kind = request.headers.get(b"content-type")
        if kind is None or not (is_json(kind) or (self._form is not None and is_form(kind))):
            if self._form is not None:
                raise Problem(415, "the body must be multipart/form-data or application/json", headers=_ACCEPT_FORM)
            found = "the content type is missing" if not kind else f"the content type is {kind[:60].decode('latin-1')}"
            hint = "send the header `Content-Type: application/json`" + (", and the text in UTF-8" if b"charset" in (kind or b"") else "")
            raise Problem(415, f"the body must be application/json, {found}", hint=hint, headers=_ACCEPT)
        if request.headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise Problem(415, "the body must not be compressed", headers=_ACCEPT_ENCODING)

    @staticmethod
    def _open(body: bytes) -> tuple[Any, frozenset[str]]:
        found = decoded(body)
        return found, frozenset(found) if isinstance(found, dict) else frozenset()


def _private(response: Response, principal: Principal) -> Response:
    """An answer that no cache between keeps, if it is to somebody."""
    if principal.authenticated:
        response.headers = (*response.headers, *_PRIVATE)
    return response


def context_of(runtime: Runtime, principal: Principal, session: Session, inputs: Inputs) -> Context:
    """The context of a block for one request."""
    context = Context(principal, session, runtime.clock(), runtime.services, runtime.log)
    context.effects = runtime.effects
    if inputs is not NO_INPUTS:
        context.path, context.query, context.header, context.cookie = inputs.path, inputs.query, inputs.header, inputs.cookie
        context.body, context.sent = inputs.body, inputs.sent
    return context


def json_response(value: object, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Response:
    """A value as a JSON answer."""
    return Response(status, ENCODER.encode(value), (JSON, *headers) if headers else ONLY_JSON)


def conditional(request: Request, response: Response) -> Response:
    """A single row with its tag, or 304 when the client has it already; ``If-Match`` is looked at first (RFC 9110, section 13.2.2).

    :raises Problem: 412 when a reader wants the row as it was, and it is another by now
    """
    tag = etag(response.body)
    wanted = request.headers.get(b"if-match")
    if wanted is not None and request.method in ("GET", "HEAD") and matching(wanted, tag, strong=True) is None:
        raise Problem(412, "the row is another than the one you want", hint="leave 'If-Match' out to read it as it is")
    known = request.headers.get(b"if-none-match")
    if known is not None and request.method in ("GET", "HEAD"):
        found = matching(known, tag, strong=False)
        if found is not None:
            return not_modified(found, response.headers)
    response.headers = (*response.headers, (b"etag", tag))
    return response
