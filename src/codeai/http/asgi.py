"""Requests and answers as ASGI 3 has them, for programs that mount this one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from codeai.http.messages import Request, Response, client_closed, too_large

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def request_of(scope: Scope, receive: Receive) -> Request:
    """The request of an HTTP connection scope."""
    client = scope.get("client")
    return Request(
        scope["method"],
        scope["path"],
        list(scope["headers"]),
        AsgiBody(receive),
        raw_path=scope.get("raw_path"),
        query_string=scope.get("query_string", b""),
        peer=str(client[0]) if client else None,
        version=scope.get("http_version", "1.1"),
        root=scope.get("root_path") or "",
    )


class AsgiBody:
    """A body that comes in messages (see ``messages.Body``)."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive

    async def read(self, limit: int) -> bytes:
        """See ``messages.Body``."""
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise client_closed()
            chunks.append(message.get("body", b""))
            size += len(chunks[-1])
            if size > limit:
                raise too_large(limit)
            if not message.get("more_body", False):
                return b"".join(chunks)


async def send_response(send: Send, response: Response, request: Request) -> None:
    """Sends a whole answer."""
    body = response.body
    headers = [*map(request.within, response.sent)] if request.root else [*response.sent]
    if response.status != 204 and response.status != 304:
        headers.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})
