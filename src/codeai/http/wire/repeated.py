"""Heads that a client sends again: on one connection all but the first line is mostly the same, and then it has been parsed already.

This is no parser of HTTP. It knows one plain form of a request line, whose letters mean the same to everybody, and compares the rest
byte by byte with what llhttp took for a head without a body. Whatever is in any way unusual is none of its business.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from codeai.http.messages import Header

# Nothing is escaped or malformed here; a target begins with a slash and has no fragment (RFC 9112, section 3.2.1).
_LINE: Final = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) (/[!$&-;=@-Z_a-z~]*)(?:\?([!$-;=?-Z_a-z~]*))? HTTP/1\.1\r\n")
_METHODS: Final = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")}
_LONGEST: Final = 4096
_PATIENCE: Final = 8  # so often in a row a client may send another head before nobody looks any more


class Repeated:
    """What the last request of a connection said behind its first line."""

    __slots__ = ("_left", "_rest", "headers", "pairs")

    def __init__(self) -> None:
        self._left = _PATIENCE
        self._rest = b""
        self.pairs: list[Header] = []
        self.headers: Mapping[bytes, bytes] = {}

    def of(self, piece: bytes) -> tuple[str, bytes, bytes] | None:
        """Method, path and query of a whole head whose rest is the known one; None asks the parser."""
        if not self._rest:
            return None
        line = _LINE.match(piece)
        if line is None or piece[line.end() :] != self._rest:
            return None
        self._left = _PATIENCE
        method, path, query = line.group(1, 2, 3)
        return _METHODS[method], path, query or b""

    def remember(self, piece: bytes, pairs: list[Header], headers: Mapping[bytes, bytes]) -> None:
        """Takes over what the parser made of a whole head of HTTP/1.1 behind which no body follows and the connection goes on."""
        self._rest = b""
        if not self._left or len(piece) > _LONGEST:
            return
        self._left -= 1
        line = _LINE.match(piece)
        if line is not None:
            self._rest, self.pairs, self.headers = piece[line.end() :], pairs, headers
