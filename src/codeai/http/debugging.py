"""Requests that are debugged: all of them at level debug, single ones by ``X-Debug: true`` (acceptance S142, T16)."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from codeai.http.messages import Request, Response
from codeai.http.operators import OperatorGuard
from codeai.observability.logs.configuration import DebugSwitch
from codeai.storage.watching import WATCHER, Watcher

_Result = TypeVar("_Result")
_LOG: Final = logging.getLogger("codeai.http")
_STATEMENTS: Final = logging.getLogger("codeai.storage")
_LONGEST: Final = 2000
Answer = Callable[[Request], Awaitable[Response]]


class Debugging:
    """Decides whether a request is debugged, and answers it with its debug lines.

    :param everyone: whether the header is honoured for all, not for operators alone
    :param always: whether every request is debugged, since the level is debug
    """

    def __init__(self, guard: OperatorGuard, *, everyone: bool, always: bool) -> None:
        self._guard = guard
        self._everyone = everyone
        self.always = always
        self._switch = DebugSwitch()

    async def answer(self, request: Request, answer: Answer) -> Response:
        """Answers a request that has the header, or any while all are debugged."""
        if self.always:
            return await _debugged(request, answer)
        wanted = request.headers.get(b"x-debug", b"").lower() in (b"true", b"1")
        if not wanted or not (self._everyone or await self._guard.knows(request)):
            return await answer(request)
        request.debug = True
        with self._switch():
            return await _debugged(request, answer)


async def _debugged(request: Request, answer: Answer) -> Response:
    names = ", ".join(sorted(name.decode("latin-1") for name in request.headers))
    fields = {"method": request.method, "path": request.path[:500], "header_names": names}
    _LOG.debug("request began", extra=fields)
    token = WATCHER.set(_Statements(WATCHER.get()))
    try:
        response = await answer(request)
    finally:
        WATCHER.reset(token)
    _LOG.debug("request answered", extra={"route": request.template, "status": response.status, "bytes": len(response.body)})
    return response


class _Statements:
    """A debug line per statement: its text and how long it took, never its values.

    :param inner: who wants to hear of statements, too
    """

    def __init__(self, inner: Watcher | None) -> None:
        self._inner = inner

    async def watch(self, statement: str, call: Awaitable[_Result]) -> _Result:
        """See ``Watcher``."""
        began = time.perf_counter()
        failure = ""
        try:
            return await (call if self._inner is None else self._inner.watch(statement, call))
        except BaseException as error:
            failure = type(error).__name__
            raise
        finally:
            fields: dict[str, object] = {"statement": statement[:_LONGEST], "duration": round((time.perf_counter() - began) * 1000, 3)}
            if failure:
                fields["failure"] = failure
            _STATEMENTS.debug("statement", extra=fields)
