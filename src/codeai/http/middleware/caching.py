"""Answers that are kept: one per caller, query and representation, until one of the tables behind it is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, Final

import msgspec

from codeai.auth.principal import Principal
from codeai.cache.flights import Cache, Computed
from codeai.cache.watching import reading
from codeai.http.messages import Header, Request, Response
from codeai.http.negotiation import matching, not_modified
from codeai.http.paths import PathParameters
from codeai.http.plans import Action, Inputs

_HIT: Final[Header] = (b"cache-status", b"codeai; hit")
_MISS: Final[Header] = (b"cache-status", b"codeai; fwd=miss")
Caller = Callable[[Principal], object]


class _Answer(msgspec.Struct, frozen=True, array_like=True):
    """A kept answer."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODER: Final = msgspec.msgpack.Decoder(_Answer)


def caller(principal: Principal) -> object:
    """Everything of a caller that an answer may depend on."""
    if not principal.authenticated:
        return None
    claims = {str(name): value for name, value in principal.claims.items() if name not in ("exp", "iat", "nbf", "jti")}
    known = (principal.provider, principal.id, principal.tenant, principal.email, principal.name)
    return (*known, principal.roles, principal.permissions, sorted(map(repr, claims.items())))


def anybody(principal: Principal) -> object:
    """For answers that are the same for everybody, because the program says so."""
    return None


class CachedAction:
    """Keeps the answers of an action.

    :param name: of the endpoint
    :param ttl: seconds
    :param vary: request headers (lower case) that the answer depends on besides ``Accept``
    """

    def __init__(self, inner: Action, cache: Cache, name: str, ttl: float, *, vary: tuple[bytes, ...] = (), by: Caller = caller) -> None:
        self._inner = inner
        self._cache = cache
        self._name = name
        self._ttl = ttl
        self._vary = vary
        self._by = by

    instant = False

    def at_once(self, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """See ``plans.Action``: what is kept may have to be fetched."""
        raise AssertionError("this action is not instant")

    def by_path(self, path: PathParameters) -> None:
        """See ``plans.Action``."""

    async def run(self, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """See ``plans.Action``."""
        condition = request.headers.get(b"if-none-match")
        if condition is not None:  # what is kept is the whole answer
            request.headers = {name: value for name, value in request.headers.items() if name != b"if-none-match"}

        async def compute() -> Computed:
            tables: set[str] = set()
            token = reading.set(tables)
            try:
                found = await self._inner.run(request, inputs, principal)
            finally:
                reading.reset(token)
            kept = found.status == 200 and not any(_is_for_one_time(*header) for header in found.headers)
            body = _ENCODE(_Answer(found.status, found.headers, found.body))
            return Computed(body, tuple(sorted(tables)), self._ttl if kept else 0.0)

        body, hit = await self._cache.get(self._key(request, inputs, principal), compute)
        answer = _DECODER.decode(body)
        response = Response(answer.status, answer.body, (*answer.headers, _HIT if hit else _MISS))
        return _conditional(response, condition)

    def _key(self, request: Request, inputs: Inputs, principal: Principal) -> str:
        query = sorted((name, values) for name, values in inputs.texts.items())
        accept = request.headers.get(b"accept", b"")
        varied = [request.headers.get(name, b"") for name in self._vary]
        parts: tuple[Any, ...] = (request.path, query, accept, varied, inputs.header, inputs.cookie, self._by(principal))
        return f"{self._name}:{hashlib.blake2b(repr(parts).encode(), digest_size=20).hexdigest()}"


def _is_for_one_time(name: bytes, value: bytes) -> bool:
    """Whether a header says that its answer is nobody else's and not to be kept (RFC 9111, section 5.2.2.5)."""
    return name == b"set-cookie" or (name == b"cache-control" and b"no-store" in value.lower())


def _conditional(response: Response, condition: bytes | None) -> Response:
    if condition is None or response.status != 200:
        return response
    tag = dict(response.headers).get(b"etag")
    found = matching(condition, tag, strong=False) if tag is not None else None
    return response if found is None else not_modified(found, response.headers)
