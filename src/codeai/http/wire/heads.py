"""The first bytes of a message: targets of requests, heads of answers (RFC 9112)."""

from __future__ import annotations

import re
from email.utils import formatdate
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote_to_bytes

import httptools

from codeai.http.messages import Response

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUS: Final = {int(status): b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}
_FOREIGN: Final = re.compile(rb"[\x80-\xff]")
_join = b": ".join


class BadTarget(ValueError):
    """The target of a request is none."""


def split_target(target: bytes) -> tuple[str, bytes, bytes]:
    """The decoded path, the path as sent, and the query string of a target in origin, absolute or asterisk form.

    :raises BadTarget: it has none of these forms
    """
    if target[:1] == b"/":
        raw, _, query = target.partition(b"?")
        if b"#" in target:
            raise BadTarget
    elif target == b"*":
        return "*", target, b""
    else:
        raw, query = _absolute(target)
    if b"%" in raw:
        return unquote_to_bytes(raw).decode("utf-8", "replace"), raw, query
    try:
        return raw.decode("ascii"), raw, query
    except UnicodeDecodeError:
        raise BadTarget from None


def escaped(data: bytes) -> bytes:
    """What begins with a request line, with the letters in it escaped that people type and RFC 3986 does not know (``/straße``)."""
    line, end, rest = data.partition(b"\r\n")
    if not end or line.isascii():
        return data
    return _FOREIGN.sub(lambda found: b"%%%02X" % found[0][0], line) + end + rest


def _absolute(target: bytes) -> tuple[bytes, bytes]:
    try:
        found = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        raise BadTarget from None
    if found.schema not in (b"http", b"https"):
        raise BadTarget
    return found.path or b"/", found.query or b""


class BadHeader(ValueError):
    """A header of an answer has a line break in it."""


class Heads:
    """Writes the heads of answers, with a date that ``tick`` makes once a second."""

    def __init__(self) -> None:
        self._date = b""
        self.tick()

    def of(self, response: Response, connection: bytes = b"") -> bytes:
        """The head of an answer, with the empty line behind it.

        :param connection: what the header ``connection`` says, nothing for no such header
        :raises BadHeader: the program could break out of a header
        """
        headers = response.headers
        lines = b"\r\n".join(map(_join, headers))
        breaks = len(headers) - 1
        if lines.count(b"\n") != breaks or lines.count(b"\r") != breaks:
            raise BadHeader
        status = response.status
        parts = [_STATUS.get(status) or b"HTTP/1.1 %d \r\n" % status, self._date, lines]
        if status != 204 and status != 304:
            parts += (b"\r\ncontent-length: ", str(len(response.body)).encode())
        if connection:
            parts += (b"\r\nconnection: ", connection)
        parts.append(b"\r\n\r\n")
        return b"".join(parts)

    def tick(self) -> None:
        """Makes the header ``date`` anew."""
        self._date = b"date: %b\r\n" % formatdate(usegmt=True).encode()
