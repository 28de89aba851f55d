"""Compression of single endpoints, where the server's own rule (from 1 kB on, all types) is not the right one."""

from __future__ import annotations

from codeai.http.messages import Request, Response
from codeai.http.middleware.surrounded import Next
from codeai.http.negotiation import compressed


class Compression:
    """Compresses answers.

    :param from_size: bytes from which it pays
    :param level: 1 (fast) to 11 (small)
    :param types: media types; all when empty
    """

    def __init__(self, from_size: int, level: int, types: tuple[str, ...]) -> None:
        self._from = from_size
        self._level = level
        self._types = types

    async def around(self, request: Request, proceed: Next) -> Response:
        """See ``Layer``."""
        response = await proceed()
        request.packed = True
        kind = dict(response.headers).get(b"content-type", b"").decode("latin-1").partition(";")[0]
        if self._types and kind not in self._types:
            return response
        return compressed(response, request.headers.get(b"accept-encoding"), self._from, self._level)
