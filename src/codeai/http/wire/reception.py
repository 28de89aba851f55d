"""What comes on a connection, cut into requests. The bytes are parsed by llhttp; here is what may come, and how much of it.

A request is parsed when it can be answered, not before: what a client sends ahead stays bytes. So bytes are given to the parser in pieces
that end where a message may end, and what comes out does not depend on how they came in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, Protocol

import httptools

from codeai.http.messages import NO_BODY, Body, Header, Request, own_id, request_id
from codeai.http.problems import Problem
from codeai.http.wire.bodies import Source, WireBody
from codeai.http.wire.heads import BadTarget, authority, escaped, is_host, split_target
from codeai.http.wire.repeated import Repeated

_LONGEST_HEAD: Final = 65_536  # far beyond what the application refuses with a better answer
_MOST_HEADERS: Final = 200
_SMALL: Final = 32_768
_MOST_WRAPPING: Final = 16  # bytes around a byte of a chunked body, when its chunks are as small as can be and say something more
_WISHES: Final = (b"upgrade", b"http2-settings")
_ALLOW: Final = ((b"allow", b"DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),)
_BREAKS: Final = re.compile(rb"[\r\n]+")
_ONE_BREAK: Final = re.compile(rb"\r*\n|\r+")
_BREAK: Final = ord(b"\r")
_EMPTY_LINE: Final = b"\r\n\r\n"


class Received(Request):
    """A request with what its connection has to know of it."""

    stream: WireBody | None = None
    keep_alive = True
    source: Body = NO_BODY

    def __init__(
        self,
        method: str,
        path: str,
        raw_path: bytes,
        query_string: bytes,
        pairs: list[Header],
        headers: Mapping[bytes, bytes],
        peer: str | None,
        version: str,
        bound: int | None,
    ) -> None:
        # Says what ``Request`` says of itself, without asking what cannot be here: no step is taken as often as this one.
        self.method = method
        self.path = path
        self.raw_path = raw_path
        self.query_string = query_string
        self.pairs = pairs
        self.headers = headers
        self.id = own_id() if b"x-request-id" not in headers else request_id(headers)
        self.peer = peer
        self.version = version
        self.bound = bound


class Taker(Source, Protocol):
    """Who answers the requests."""

    def ready(self) -> bool:
        """Whether the next one may come."""

    def begun(self, request: Received) -> None:
        """The head of one is there; what belongs to its body follows."""


class Reception:
    """Reads requests for a taker.

    ``stream`` is the body that is being received, ``in_head`` says that a head is. ``reading`` is set while the parser works: what it calls
    must not make it read.
    """

    def __init__(self, taker: Taker, peer: str | None) -> None:
        self._taker = taker
        self._peer = peer
        self._parser: Any = httptools.HttpRequestParser(self)
        self._data = b""
        self._at = 0
        self._target = b""
        self._pairs: list[Header] = []
        self._repeated = Repeated()
        self._whole = b""  # the head that is being parsed, if it came as a whole
        self._first = 0  # the first byte of a request whose head comes in pieces
        self._line_ended = False  # of that
        self._size = 0  # of the head; of a chunked body with all that is around it
        self._problem: Problem | None = None  # that stopped the parser
        self._length = 0  # of the body, 0 for a chunked one
        self.in_head = self.reading = False
        self.stream: WireBody | None = None

    @property
    def waits(self) -> bool:
        """Whether something has come that has not been read."""
        return self._at < len(self._data)

    def read(self, data: bytes = b"") -> None:
        """Reads what has come, up to a request that the taker is not ready for.

        :param data: what has come since
        :raises Problem: it is no request; nothing more can be read
        :raises httptools.HttpParserCallbackError: the taker has failed
        """
        if data:
            self._data = self._data[self._at :] + data if self._at < len(self._data) else data
            self._at = 0
        self.reading = True
        try:
            while self._at < len(self._data):
                if self.stream is not None:
                    self._read_body(self.stream)
                elif self._taker.ready():
                    self._read_head()
                else:
                    break
        except httptools.HttpParserCallbackError:
            if self._problem is not None:
                raise self._problem from None
            raise
        finally:
            self.reading = False

    def again(self, data: bytes) -> Received | None:
        """What has come as a request, if it is one that differs from the last in its first line only; None asks for ``read``."""
        if self.in_head or self.stream is not None or self._at < len(self._data):
            return None
        repeated = self._repeated
        known = repeated.of(data)
        if known is None:
            return None
        method, path, query = known
        return Received(method, path.decode("ascii"), path, query, repeated.pairs, repeated.headers, self._peer, "1.1", len(data))

    def drop(self) -> None:
        """Nothing more will be read."""
        self._parser = None  # which holds this
        self._data = b""
        self._at = 0

    def break_off(self, problem: Problem) -> None:
        """No more of the body will come, if one is being received."""
        if self.stream is not None:
            self.stream.break_off(problem)
            self.stream = None

    def _take(self, until: int) -> bytes:
        """What has come up to there, and no more than that."""
        data, at = self._data, self._at
        self._at = until
        return data if at == 0 and until >= len(data) else data[at:until]

    def _part(self) -> bytes:
        """What comes next, up to where a message or its head may end: behind an empty line, some of which may have come before.

        Within a head no more than one break is taken then, since the next may be of the body already.
        """
        data, at = self._data, self._at
        if breaks := (_ONE_BREAK if self.in_head else _BREAKS).match(data, at):
            return self._take(breaks.end())
        end = data.find(_EMPTY_LINE, at)
        return self._take(end + 4 if end >= 0 else len(data))

    def _read_head(self) -> None:
        begins = not self.in_head
        piece = self._data
        if self._at == 0 and piece.find(_EMPTY_LINE) + 4 == len(piece) and piece[0] > _BREAK:  # as nearly all requests come
            self._at = len(piece)
            self._whole = piece if begins else b""
        else:
            piece = self._part()
            self._whole = b""
        self._size = len(piece) if begins else self._size + len(piece)
        if begins:
            self._first, self._line_ended = piece[0], False
        if self._size > _LONGEST_HEAD:
            raise self._too_long(piece)
        self._feed_head(piece if self._line_ended or piece.isascii() else escaped(piece))
        if self.in_head and b"\n" in piece:
            self._line_ended = True

    def _too_long(self, piece: bytes) -> Problem:
        if not self._line_ended and piece.find(b"\n", 0, _LONGEST_HEAD) < 0:
            return Problem(414, f"the target of the request is longer than {_LONGEST_HEAD:,} bytes", hint="send what is long in a body")
        return Problem(431, f"the headers are larger than {_LONGEST_HEAD:,} bytes")

    def _feed_head(self, piece: bytes) -> None:
        try:
            self._parser.feed_data(piece)
            return
        except httptools.HttpParserUpgrade:
            pass
        except httptools.HttpParserCallbackError:
            raise
        except httptools.HttpParserError as error:
            raise self._malformed(error) from None
        self._without_upgrade()

    def _read_body(self, stream: WireBody) -> None:
        if self._length:
            self._parser.feed_data(self._take(self._at + self._length - stream.size))
            return
        piece = self._part()
        self._size += len(piece)
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserCallbackError:
            raise
        except httptools.HttpParserError:
            raise Problem(400, "the chunks of the body are malformed", "malformed_request") from None
        if self._size - stream.size > _LONGEST_HEAD + _MOST_WRAPPING * stream.size:
            raise Problem(400, "there is far more around the body than in it", "malformed_request")

    def _malformed(self, error: httptools.HttpParserError) -> Problem:
        said = str(error)
        if "Invalid method" in said and 65 <= self._first <= 90:
            return Problem(405, "the method is unknown", headers=_ALLOW)
        if "PRI" in said or "HTTP/2" in said:
            return Problem(505, "this is HTTP/2; HTTP/1.1 is spoken here")
        return Problem(400, f"this is no HTTP/1.1 request: {said}", "malformed_request")

    def _without_upgrade(self) -> None:
        """Reads a head that asks for another protocol once more, without that wish: nothing but HTTP/1.1 is spoken here."""
        method = self._parser.get_method()
        if method == b"CONNECT":
            raise Problem(405, "this is no proxy", headers=_ALLOW)
        version = self._parser.get_http_version().encode()
        head = b"".join(b"%b: %b\r\n" % pair for pair in self._pairs if pair[0] not in _WISHES)
        self._parser = httptools.HttpRequestParser(self)
        self._feed_head(b"%b %b HTTP/%b\r\n%b\r\n" % (method, self._target, version, head))

    # -- the parser ------------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request begins."""
        self.in_head = True
        self._target = b""
        self._pairs = []

    def on_url(self, part: bytes) -> None:
        """Some of its target."""
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers, or of what may follow its body."""
        self._pairs.append((name.lower(), value.strip()))

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self.in_head = False
        parser = self._parser
        if parser.should_upgrade():
            return
        try:
            request = self._received(parser.get_method().decode("ascii"), parser.get_http_version())
        except Problem as problem:
            self._problem = problem
            raise
        request.keep_alive = parser.should_keep_alive()
        if self._whole and request.keep_alive and request.stream is None and request.version == "1.1":
            self._repeated.remember(self._whole, request.pairs, request.headers)
        self._pairs = []  # what follows the body is no header (RFC 9110, section 6.5.1)
        self._taker.begun(request)

    def on_body(self, chunk: bytes) -> None:
        """Some of its body."""
        if self.stream is not None:
            self.stream.feed(chunk)

    def on_message_complete(self) -> None:
        """All of it is there."""
        if self.stream is not None:
            self.stream.finish()
            self.stream = None

    def _received(self, method: str, version: str) -> Received:
        pairs = self._pairs
        if len(pairs) > _MOST_HEADERS:
            raise Problem(431, f"there are more than {_MOST_HEADERS} headers")
        try:
            path, raw, query = split_target(self._target)
            host = authority(self._target) if self._target[:1] != b"/" else None
        except BadTarget:
            raise Problem(400, "the target of the request is malformed", "malformed_target") from None
        if host is not None and pairs:
            pairs = [(name, host if name == b"host" else value) for name, value in pairs]
        bound = self._size if self._size < _SMALL else None
        headers = dict(pairs)
        request = Received(method, path, raw, query, pairs, headers, self._peer, version, bound)
        if version == "1.1":
            if b"host" not in headers or _twice(b"host", pairs, headers):
                raise Problem(400, "an HTTP/1.1 request has one header 'host'", "malformed_host")
            if not is_host(headers[b"host"]):
                raise Problem(
                    400, "the header 'host' names no host", "malformed_host", hint="send a name or an address, and a port behind a colon"
                )
        elif version != "1.0":
            raise Problem(505, f"this is HTTP/{version}; HTTP/1.1 is spoken here")
        self._length = 0
        if b"content-length" in headers:
            self._length = int(headers[b"content-length"])
        elif b"transfer-encoding" in headers:
            _check_coding(version, pairs, headers)
            self._size = 0
        else:
            return request
        if self._length or b"transfer-encoding" in headers:
            request.stream = request.source = self.stream = WireBody(self._taker)
        return request


def _check_coding(version: str, pairs: list[Header], headers: dict[bytes, bytes]) -> None:
    """Whether a body is chunked and nothing else, and its sender knows what that is (RFC 9112, section 6.1)."""
    if version == "1.0":
        raise Problem(400, "HTTP/1.0 knows no transfer encoding", "malformed_request")
    if headers[b"transfer-encoding"].lower() != b"chunked" or _twice(b"transfer-encoding", pairs, headers):
        raise Problem(501, "the transfer encoding is unknown", hint="send the body as it is, or chunked")


def _twice(name: bytes, pairs: list[Header], headers: dict[bytes, bytes]) -> bool:
    return len(headers) < len(pairs) and sum(known == name for known, _ in pairs) > 1
