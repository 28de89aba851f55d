"""Cross-origin requests of browsers (Fetch standard, section 3.3): which origins may read answers, and what they may send."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from codeai.http.messages import Header, Request

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
HEADERS: Final = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "X-Request-ID")
EXPOSED: Final = (
    *("ETag", "Location", "Retry-After", "X-Request-ID"),
    *("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "RateLimit-Policy"),
)
_ORIGIN: Final = re.compile(r"null|[a-z][a-z0-9+.-]*://[^/?#\s*]+")
_WILD: Final = re.compile(r"([a-z][a-z0-9+.-]*://)\*(\.[^/?#\s*]+)")
_VARY: Final[Header] = (b"vary", b"Origin")
_VARY_PREFLIGHT: Final[Header] = (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers")


class BadCors(ValueError):
    """Settings that no browser would accept, or that would open everything."""


class CorsPolicy:
    """What other origins may do.

    :param origins: exact origins, ``https://*.example.com`` for the hosts below, ``*`` for all
    :param headers: request headers that may be sent, ``*`` for all
    :param expose: answer headers that may be read
    :param max_age: seconds for which a browser may remember a preflight
    :raises BadCors: they do not go together
    """

    def __init__(
        self,
        origins: Iterable[str],
        *,
        methods: Iterable[str] = METHODS,
        headers: Iterable[str] = HEADERS,
        expose: Iterable[str] = EXPOSED,
        credentials: bool = False,
        max_age: int = 600,
    ) -> None:
        given = tuple(origin.lower().rstrip("/") for origin in origins)
        self._any = "*" in given
        self._exact = frozenset(given)
        self._wild = [(found[1], found[2]) for origin in given if (found := _WILD.fullmatch(origin))]
        for origin in given:
            if origin != "*" and not _ORIGIN.fullmatch(origin) and not _WILD.fullmatch(origin):
                raise BadCors(f"'{origin}' is no origin, as in https://app.example.com")
        self._methods = frozenset(method.upper() for method in methods)
        self._headers = frozenset(name.lower() for name in headers)
        self._credentials = credentials
        if credentials and (self._any or "*" in self._headers or "*" in self._methods):
            raise BadCors("credentials need named origins, headers and methods: browsers refuse '*'")
        if credentials and "null" in given:
            raise BadCors("credentials need origins with a name: 'null' is any page in a sandbox")
        self._exposed = ", ".join(expose).encode()
        self._max_age = b"%d" % max_age

    def headers(self, request: Request) -> tuple[Header, ...]:
        """The headers of an answer that is not one to a preflight request."""
        origin = request.headers.get(b"origin")
        if is_preflight(request):
            return ()
        if self._any and not self._credentials:
            return () if origin is None else (*self._allow(origin), (b"access-control-expose-headers", self._exposed))
        if origin is None or not self._allowed(origin):
            return (_VARY,)
        return (*self._allow(origin), (b"access-control-expose-headers", self._exposed), _VARY)

    def preflight(self, request: Request, methods: Iterable[str]) -> tuple[Header, ...]:
        """The headers of the answer to a preflight request; without the allowing ones a browser sends nothing.

        :param methods: those that the path has
        """
        origin = request.headers.get(b"origin")
        wanted = request.headers.get(b"access-control-request-method", b"").decode("latin-1")
        asked = request.headers.get(b"access-control-request-headers", b"").decode("latin-1")
        names = [name.strip().lower() for name in asked.split(",") if name.strip()]
        allowed = sorted(method for method in methods if method in self._methods or "*" in self._methods)
        refused = [name for name in names if name not in self._headers and "*" not in self._headers]
        if origin is None or not self._allowed(origin) or wanted not in allowed or refused:
            return (_VARY_PREFLIGHT,)
        found = [*self._allow(origin), (b"access-control-allow-methods", ", ".join(allowed).encode())]
        if names:
            found.append((b"access-control-allow-headers", ", ".join(names).encode("latin-1")))
        return (*found, (b"access-control-max-age", self._max_age), _VARY_PREFLIGHT)

    def _allow(self, origin: bytes) -> tuple[Header, ...]:
        if self._any and not self._credentials:
            return ((b"access-control-allow-origin", b"*"),)
        shown = ((b"access-control-allow-origin", origin),)
        return (*shown, (b"access-control-allow-credentials", b"true")) if self._credentials else shown

    def _allowed(self, origin: bytes) -> bool:
        text = origin.decode("latin-1").lower()
        if self._any or text in self._exact:
            return True
        return any(
            text.startswith(scheme) and text.endswith(suffix) and _below(text[len(scheme) : -len(suffix)]) for scheme, suffix in self._wild
        )


def _below(text: str) -> bool:
    """Whether a text is one or more labels of a host name."""
    return bool(text) and all(label and label.replace("-", "").isalnum() for label in text.split("."))


def is_preflight(request: Request) -> bool:
    """Whether a browser asks what it may send."""
    return request.method == "OPTIONS" and b"origin" in request.headers and b"access-control-request-method" in request.headers
