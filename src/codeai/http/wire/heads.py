"""The first bytes of a message: targets of requests, heads of answers (RFC 9112)."""

from __future__ import annotations

import re
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import httptools

from codeai.http.messages import Header, Response

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
_STATUS: Final = {int(status): b"HTTP/1.1 %d %s\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}
_FRAGMENT: Final = ord(b"#")
_ESCAPE: Final = ord(b"%")
_FOREIGN: Final = re.compile(rb"[\x80-\xff]")
_HOST: Final = re.compile(rb"(?:\[[0-9A-Za-z:.%_~-]+\]|[0-9A-Za-z._~%!$&'()*+,;=\x80-\xff-]*)(?::[0-9]*)?")
_KEPT: Final = 64
_EVERY: Final = b"x-content-type-options: nosniff\r\nx-request-id: "  # see ``messages.Response.sent``
_LINE: Final = b"%b: %b\r\n".__mod__


class BadTarget(ValueError):
    """The target of a request is none."""


def split_target(target: bytes) -> tuple[str, bytes, bytes]:
    """The decoded path, the path as sent, and the query string of a target in origin, absolute or asterisk form.

    :raises BadTarget: it has none of these forms
    """
    if target[:1] == b"/":
        raw, _, query = target.partition(b"?")
        if _FRAGMENT in target:
            raise BadTarget
    elif target == b"*":
        return "*", target, b""
    else:
        found = _absolute(target)
        raw, query = found.path or b"/", found.query or b""
    if _ESCAPE in raw:
        return unquote_to_bytes(raw).decode("utf-8", "replace"), raw, query
    try:
        return raw.decode("ascii"), raw, query
    except UnicodeDecodeError:
        raise BadTarget from None


def escaped(data: bytes) -> bytes:
    """What begins within a request line, with the letters in that escaped that people type and RFC 3986 does not know (``/straße``)."""
    line, end, rest = data.partition(b"\n")
    return _FOREIGN.sub(lambda found: b"%%%02X" % found[0][0], line) + end + rest


def authority(target: bytes) -> bytes | None:
    """The host that a target in absolute (or asterisk) form names, which counts instead of the header's (RFC 9112, section 3.2.2)."""
    if target == b"*":
        return None
    found = _absolute(target)
    host: bytes = b"[%b]" % found.host if b":" in found.host else found.host
    return b"%b:%d" % (host, found.port) if found.port else host


def is_host(value: bytes) -> bool:
    """Whether a header ``host`` has a form of RFC 9110, section 7.2. It may be empty; letters of other scripts are let through."""
    return _HOST.fullmatch(value) is not None


def _absolute(target: bytes) -> Any:
    try:
        found = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        raise BadTarget from None
    if found.schema is None or found.schema.lower() not in (b"http", b"https") or not found.host:
        raise BadTarget
    return found


class BadHeader(ValueError):
    """A header of an answer has a line break in it, or the status is of no final answer."""


class Heads:
    """Writes the heads of answers, with a date that ``tick`` makes once a second.

    Until then it keeps how those begin: up to their first header, the kind of the content, which many answers share.
    """

    def __init__(self) -> None:
        self._date = b""
        self._kept: dict[tuple[int, tuple[Header, ...]], bytes] = {}
        self.tick()

    def of(self, response: Response, connection: bytes = b"") -> bytes:
        """The head of an answer, with the empty line behind it.

        :param connection: what the header ``connection`` says, nothing for no such header
        :raises BadHeader: the program could break out of a header
        """
        status, headers = response.status, response.headers
        more = b""
        if len(headers) > 1:
            more, headers = _lines(headers[1:]), headers[:1]
        begin = self._kept.get((status, headers)) or self._begin(status, headers)
        every = _EVERY + response.request_id + b"\r\n" if response.request_id else b""
        if connection:
            every += b"connection: %b\r\n" % connection
        if status == 204 or status == 304:
            return b"%b%b%b\r\n" % (begin, more, every)
        return b"%b%b%bcontent-length: %d\r\n\r\n" % (begin, more, every, len(response.body))

    def _begin(self, status: int, headers: tuple[Header, ...]) -> bytes:
        """The status line, the date, and the first header."""
        lines = _lines(headers)
        if status < 200:
            raise BadHeader
        found = (_STATUS.get(status) or b"HTTP/1.1 %d \r\n" % status) + self._date + lines
        if len(self._kept) < _KEPT:
            self._kept[status, headers] = found
        return found

    def tick(self) -> None:
        """Makes the header ``date`` anew."""
        self._date = b"date: %b\r\n" % formatdate(usegmt=True).encode()
        self._kept.clear()


def _lines(headers: tuple[Header, ...]) -> bytes:
    lines = _LINE(headers[0]) if len(headers) == 1 else b"".join(map(_LINE, headers))
    if lines.count(10) != len(headers) or lines.count(13) != len(headers):
        raise BadHeader
    return lines
