"""Log lines of single endpoints, beside the access log: with headers and bodies where a program asks for them."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from codeai.http.messages import Request, Response
from codeai.http.middleware.clients import ClientAddresses
from codeai.http.middleware.surrounded import Next

_LOG: Final = logging.getLogger("codeai.http.requests")
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_SECRET: Final = re.compile(r"password|secret|token|authorization|api.?key|[-_]key$|cookie|signature|card|cvc|iban", re.IGNORECASE)
_LONGEST: Final = 2_000
_HIDDEN: Final = "[redacted]"


class RequestLogging:
    """Writes one line per request.

    :param fields: which of ``FIELDS`` are shown
    :param headers: whether the request's headers are, those that carry secrets masked
    :param body: whether bodies are, when they are JSON: fields that sound like secrets masked, at most 2,000 characters
    """

    def __init__(self, level: str, fields: tuple[str, ...], addresses: ClientAddresses, *, headers: bool, body: bool) -> None:
        self._level = _LEVELS[level]
        self._fields = fields
        self._addresses = addresses
        self._headers = headers
        self._body = body

    async def around(self, request: Request, proceed: Next) -> Response:
        """See ``Layer``."""
        if not _LOG.isEnabledFor(self._level):
            return await proceed()
        began = time.perf_counter()
        response = await proceed()
        shown: dict[str, Any] = {name: FIELDS[name](request, response) for name in self._fields if name in FIELDS}
        shown["duration"] = round((time.perf_counter() - began) * 1000, 3)
        if "client" in self._fields:
            shown["client"] = self._addresses.of(request)
        if self._headers:
            shown["headers"] = {name.decode("latin-1"): _header(name, value) for name, value in request.headers.items()}
        if self._body:
            shown |= {"request_body": _masked(request.seen_body), "response_body": _masked(response.body)}
        _LOG.log(self._level, "request", extra=shown)
        return response


def _header(name: bytes, value: bytes) -> str:
    return _HIDDEN if _SECRET.search(name.decode("latin-1")) else value.decode("latin-1")[:_LONGEST]


def _masked(body: bytes | None) -> str | None:
    """A JSON body without secrets; the size of any other."""
    if not body:
        return None
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return f"{len(body)} bytes"
    return msgspec.json.encode(_without_secrets(document, 20)).decode()[:_LONGEST]


def _without_secrets(value: Any, depth: int) -> Any:
    if depth == 0:
        return "…"
    if isinstance(value, dict):
        return {key: _HIDDEN if _SECRET.search(key) else _without_secrets(part, depth - 1) for key, part in value.items()}
    return [_without_secrets(part, depth - 1) for part in value] if isinstance(value, list) else value


FIELDS: Final[dict[str, Callable[[Request, Response], object]]] = {
    "method": lambda request, response: request.method,
    "path": lambda request, response: request.path[:500],
    "route": lambda request, response: request.template,
    "status": lambda request, response: response.status,
    "size": lambda request, response: len(response.body),
    "user_id": lambda request, response: getattr(request.principal, "id", None),
    "user_agent": lambda request, response: request.headers.get(b"user-agent", b"").decode("latin-1")[:200],
    "code": lambda request, response: request.code or None,
}
"""What a line may show; ``client`` (the address) besides."""
