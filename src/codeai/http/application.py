"""The application: dispatch, error answers, headers that every answer has. ``http/wire`` serves it, and any ASGI server can."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final, Protocol

from codeai.http.asgi import Receive, Scope, Send, request_of, send_response
from codeai.http.messages import Header, Request, Response, problem_response
from codeai.http.middleware.cors import CorsPolicy, is_preflight
from codeai.http.negotiation import compressed
from codeai.http.problems import Problem, problem_of
from codeai.http.routing import BadPath, Router
from codeai.http.settings import HttpSettings
from codeai.observability.context import CURRENT

_LOG: Final = logging.getLogger("codeai.http")
_CHALLENGE: Final = b"www-authenticate"
_LONGEST_URL: Final = 32_768
_MOST_HEADER_BYTES: Final = 32_768
_NOT_STARTED: Final = "this back end is mounted in a program that does not start it"
_HOW_TO_START: Final = "pass its lifespan on, as in Starlette(routes=…, lifespan=back_end.lifespan); see docs/guides/mounting.md"
_SMALL: Final = 32_768  # what is no larger as a whole has no part that is


class Handler(Protocol):
    """What answers at a path: an endpoint's plan, or a page of the server's own."""

    template: str
    declared: Mapping[int, tuple[str, str | None]]

    async def handle(self, request: Request, values: list[str]) -> Response:
        """Answers a request."""


class Observer(Protocol):
    """Where finished requests are noted."""

    def __call__(self, request: Request, status: int, seconds: float, /) -> None:
        """Notes one request."""


class Debugging(Protocol):
    """Answers requests so that their debug lines are logged."""

    @property
    def always(self) -> bool:
        """Whether all requests are debugged."""

    async def answer(self, request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        """Answers by ``answer``."""


class Tracing(Protocol):
    """Answers requests within spans."""

    async def answer(self, request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        """Answers by ``answer``."""


def _unobserved(request: Request, status: int, seconds: float) -> None:
    """Notes nothing."""


class Lifespan(Protocol):
    """What is opened before the first request and closed after the last."""

    @property
    def started(self) -> bool:
        """Whether it is open."""

    async def start(self) -> None:
        """Opens; raises what stops the start."""

    async def stop(self) -> None:
        """Closes."""


class Page:
    """A handler made of a function."""

    declared: Mapping[int, tuple[str, str | None]] = {}

    def __init__(self, template: str, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self.template = template
        self._answer = answer

    async def handle(self, request: Request, values: list[str]) -> Response:
        """See ``Handler``."""
        return await self._answer(request)


class Application:
    """A program that answers requests; to be called as an ASGI 3 application, too.

    :param observer: hears of each finished request
    :param debugging: answers requests that ask for debug lines
    :param tracing: answers all requests, where they are traced
    :param challenges: the values of ``WWW-Authenticate`` in each 401 that says nothing better (RFC 9110, section 15.5.2)

    ``running`` counts the requests that are being answered. While ``closing``, each answer is the last of its connection, so that
    no client sends another request into a connection that is about to end. ``finished`` hears of each request when it is answered.
    """

    def __init__(
        self,
        router: Router[Handler],
        settings: HttpSettings,
        observer: Observer | None,
        lifespan: Lifespan,
        debugging: Debugging | None = None,
        tracing: Tracing | None = None,
        challenges: tuple[str, ...] = ("Bearer",),
    ) -> None:
        self._router = router
        self._cors: CorsPolicy | None = settings.cors
        self._challenges = tuple((_CHALLENGE, each.encode()) for each in challenges)
        self._compress_from = settings.compress_from
        self.finished: Observer = observer or _unobserved
        self._lifespan = lifespan
        self._debugging = debugging
        self._tracing = tracing
        self._debugs_all = debugging is not None and debugging.always
        self._watched = tracing is not None or self._debugs_all
        self.running = 0
        self.closing = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection event (ASGI 3)."""
        if scope["type"] == "http":
            self.running += 1
            try:
                await self._http(scope, receive, send)
            finally:
                self.running -= 1
        elif scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def start(self) -> None:
        """Opens what requests need: for programs that mount this one and have no use for ``lifespan``."""
        await self._lifespan.start()

    async def stop(self) -> None:
        """Closes it."""
        await self._lifespan.stop()

    @contextlib.asynccontextmanager
    async def lifespan(self, host: object = None) -> AsyncIterator[None]:
        """A block in which requests are answered: the ``lifespan`` of Starlette and FastAPI, which send no such events to what they mount.

        :param host: the application that mounts this one, which nobody looks at
        """
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            try:
                if message["type"] == "lifespan.startup":
                    await self._lifespan.start()
                    await send({"type": "lifespan.startup.complete"})
                else:
                    await self._lifespan.stop()
                    await send({"type": "lifespan.shutdown.complete"})
                    return
            except Exception as error:
                await send({"type": message["type"] + ".failed", "message": str(error)})
                raise

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        request = request_of(scope, receive)
        response = (self.at_once(request) or await self.respond(request)) if self._lifespan.started else self._not_started(request)
        with contextlib.suppress(OSError):  # the client went away; there is nobody to tell
            await send_response(send, response, request)
        self.finished(request, response.status, time.perf_counter() - began)

    def at_once(self, request: Request) -> Response | None:
        """The answer to a request for which nothing has to be awaited, as ``respond`` would give it; None asks for that."""
        if self._watched or b"x-debug" in request.headers:
            return None
        token = CURRENT.set(request)
        try:
            target = self._target(request)
            instant = getattr(target, "at_once", None)  # which few handlers have
            if instant is not None:
                found: Response | None = instant(request, request.values)
            else:
                found = target if isinstance(target, Response) else None
        except Exception as error:
            found = self._failed(request, error)
        finally:
            CURRENT.reset(token)
        return None if found is None else self._whole(request, found)

    async def respond(self, request: Request) -> Response:
        """The answer to a request with the headers that every answer has; ``finished`` follows when it is on its way."""
        CURRENT.set(request)
        if self._tracing is not None:
            return self._whole(request, await self._tracing.answer(request, self._debugged))
        return self._whole(request, await self._debugged(request))

    async def _debugged(self, request: Request) -> Response:
        if self._debugging is not None and (self._debugs_all or b"x-debug" in request.headers):
            return await self._debugging.answer(request, self.answer)
        return await self.answer(request)

    def _whole(self, request: Request, response: Response) -> Response:
        """An answer with the headers that every answer has."""
        if len(response.body) >= self._compress_from and not request.packed:
            response = compressed(response, request.headers.get(b"accept-encoding"), self._compress_from)
        if response.status == 401 and all(name != _CHALLENGE for name, _ in response.headers):
            response.headers = (*response.headers, *self._challenges)
        policy = request.cors or self._cors
        if policy is not None or request.extra:
            cors = policy.headers(request) if policy is not None else ()
            response = Response(response.status, response.body, (*response.headers, *request.extra, *cors))
        response.request_id = request.id.encode()
        return response

    async def answer(self, request: Request) -> Response:
        """The answer to a request, whatever happens."""
        try:
            target = request.answered_by or self._target(request)
            return target if isinstance(target, Response) else await target.handle(request, request.values)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            return self._failed(request, error)

    def _target(self, request: Request) -> Handler | Response:
        """What is at the path of a request for its method; raises what is wrong with it."""
        if request.bound is None or request.bound > _SMALL:
            self._check_size(request)
        found = self._router.find(request.path, request.raw_path)
        if found is None:
            near = self._router.near(request.path)
            hint = f"did you mean '{near}'?" if near else ""
            raise Problem(404, f"nothing is at {request.path[:200]}", "not_found", hint=hint)
        targets, request.values = found
        handler = targets.get(request.method) or (targets.get("GET") if request.method == "HEAD" else None)
        if handler is None:
            request.answered_by = self._other_method(request, targets)
        else:
            request.answered_by, request.template = handler, handler.template
        target: Handler | Response = request.answered_by
        return target

    def _failed(self, request: Request, error: Exception) -> Response:
        if isinstance(error, BadPath):
            return self._problem(Problem(400, "the path is malformed", "malformed_path"), request)
        return self._problem(problem_of(error, getattr(request.answered_by, "declared", {})), request)

    def _not_started(self, request: Request) -> Response:
        """The answer where a program mounts this one and leaves it closed: nothing would work on what requests leave for later."""
        _LOG.error(_NOT_STARTED, extra={"hint": _HOW_TO_START})
        return self._whole(request, self._problem(Problem(503, _NOT_STARTED, "not_started", hint=_HOW_TO_START), request))

    def _check_size(self, request: Request) -> None:
        if len(request.path) + len(request.query_string) > _LONGEST_URL:
            raise Problem(414, f"the URL is longer than {_LONGEST_URL:,} characters")
        if request.size > _MOST_HEADER_BYTES:
            raise Problem(431, f"the headers are larger than {_MOST_HEADER_BYTES:,} bytes")

    def _other_method(self, request: Request, targets: Mapping[str, Handler]) -> Response:
        allowed = sorted({*targets, "OPTIONS", *(["HEAD"] if "GET" in targets else [])})
        allow = (b"allow", ", ".join(allowed).encode())
        if request.method == "OPTIONS":
            return Response(204, b"", (allow, *self._preflight(request, targets)))
        hint = f"allowed here: {allow[1].decode()}"
        return self._problem(Problem(405, f"{request.method[:20]} is not allowed here", hint=hint, headers=(allow,)), request)

    def _problem(self, problem: Problem, request: Request) -> Response:
        return problem_response(problem, request)

    def _preflight(self, request: Request, targets: Mapping[str, Handler]) -> tuple[Header, ...]:
        """The headers for a browser that asks what it may send: by the rules of the endpoint, else of the program."""
        if not is_preflight(request):
            return ()
        wanted = request.headers[b"access-control-request-method"].decode("latin-1")
        handler = targets.get("GET" if wanted == "HEAD" else wanted)
        policy: CorsPolicy | None = getattr(handler, "cors", None) or self._cors
        return policy.preflight(request, targets) if policy is not None else ()
