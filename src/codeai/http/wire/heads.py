"""The first bytes of a message: targets of requests, heads of answers (RFC 9112)."""

from __future__ import annotations

import re
import time
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
    """Writes the heads of answers. The date is made once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._date = b""

    def of(self, response: Response, connection: bytes = b"") -> bytes:
        """The head of an answer, with the empty line behind it.

        :param connection: what the header ``connection`` says, nothing for no such header
        :raises BadHeader: the program could break out of a header
        """
        headers = response.headers
        lines = b"\r\n".join(map(_join, headers))
        if lines.count(b"\n") != len(headers) - 1 or lines.count(b"\r") != len(headers) - 1:
            raise BadHeader
        status = response.status
        first = _STATUS.get(status) or b"HTTP/1.1 %d \r\n" % status
        end = b"" if status == 204 or status == 304 else b"\r\ncontent-length: %d" % len(response.body)
        if connection:
            end += b"\r\nconnection: " + connection
        return b"%b%b%b%b\r\n\r\n" % (first, self.date(), lines, end)

    def date(self) -> bytes:
        """The header ``date`` as a line."""
        now = int(time.time())
        if now != self._second:
            self._second = now
            self._date = b"date: %b\r\n" % formatdate(now, usegmt=True).encode()
        return self._date
