"""What client and server agree on: media types, compression, validators (RFC 9110, sections 12 and 13)."""

from __future__ import annotations

import hashlib
import zlib
from binascii import hexlify
from collections.abc import Iterable
from typing import Final

import brotli

from codeai.http.messages import Header, Response


def _weights(header: bytes) -> Iterable[tuple[str, float]]:
    for part in header.decode("latin-1").lower().split(","):
        name, _, rest = part.strip().partition(";")
        weight = 1.0
        for parameter in rest.split(";"):
            key, _, value = parameter.strip().partition("=")
            if key == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        if name.strip():
            yield name.strip(), weight


def accepts(header: bytes | None, media_type: str) -> bool:
    """Whether an ``Accept`` header admits a media type; the most specific range decides."""
    if header is None or header == b"*/*":
        return True
    area = media_type.partition("/")[0] + "/*"
    ranges = dict(_weights(header))
    if not ranges:
        return True
    for candidate in (media_type, "application/problem+json" if media_type == "application/json" else "", area, "*/*"):
        if candidate in ranges:
            return ranges[candidate] > 0
    return False


_VARY: Final[Header] = (b"vary", b"Accept-Encoding")
_ENCODINGS: Final = ("br", "gzip")
_DIGEST: Final = hashlib.blake2b(digest_size=12)  # copied, which takes less than its arguments do


def compressed(response: Response, accept_encoding: bytes | None, threshold: int, level: int = 4) -> Response:
    """The response in the encoding that the client likes best, if it is large enough for that to pay.

    A tag becomes that of the encoded form (``"abc"`` → ``"abc-br"``), since strong tags tell apart the bytes that are sent.
    """
    if len(response.body) < threshold or any(name == b"content-encoding" for name, _ in response.headers):
        return response
    choice = _best_encoding(accept_encoding) if accept_encoding is not None else ""
    if not choice:
        return Response(response.status, response.body, (*response.headers, _VARY))
    body = brotli.compress(response.body, quality=level) if choice == "br" else _gzip(response.body, level)
    mark = f'-{choice}"'.encode()
    headers = tuple((name, value[:-1] + mark if name == b"etag" and value.endswith(b'"') else value) for name, value in response.headers)
    return Response(response.status, body, (*headers, (b"content-encoding", choice.encode()), _VARY))


def _best_encoding(accept_encoding: bytes) -> str:
    weights = dict(_weights(accept_encoding))
    best, choice = 0.0, ""
    for name in _ENCODINGS:
        weight = weights.get(name, weights.get("*", 0.0))
        if weight > best:
            best, choice = weight, name
    return choice if weights.get("identity", 0.0) <= best else ""


def _gzip(body: bytes, level: int) -> bytes:
    worker = zlib.compressobj(min(level + 1, 9), zlib.DEFLATED, 31)
    return worker.compress(body) + worker.flush()


def etag(body: bytes) -> bytes:
    """A strong validator: the hash of the bytes."""
    digest = _DIGEST.copy()
    digest.update(body)
    return b'"%b"' % hexlify(digest.digest())


def matching(header: bytes, tag: bytes, *, strong: bool) -> bytes | None:
    """The tag of a list (or of ``*``) that names a row's tag, in whatever encoding the client got it.

    :param strong: weak tags match nothing (RFC 9110, section 8.8.3.2): for ``If-Match``; else for ``If-None-Match``
    """
    if header.strip() == b"*":
        return tag
    for part in header.split(b","):
        given = part.strip()
        if not given.startswith(b"W/") or not strong:
            bare = given.removeprefix(b"W/")
            if bare == tag or any(bare == tag[:-1] + f'-{encoding}"'.encode() for encoding in _ENCODINGS):
                return bare
    return None


def not_modified(tag: bytes, headers: tuple[Header, ...]) -> Response:
    """The answer to a condition that holds."""
    return Response(304, b"", ((b"etag", tag), *(header for header in headers if header[0] in (b"vary", b"cache-control"))))


def is_json(content_type: bytes) -> bool:
    """Whether a ``Content-Type`` says JSON in UTF-8 (RFC 8259, section 8.1)."""
    kind, _, parameters = content_type.lower().partition(b";")
    kind = kind.strip()
    if kind != b"application/json" and not (kind.startswith(b"application/") and kind.endswith(b"+json")):
        return False
    for parameter in parameters.split(b";"):
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"charset" and value.strip().strip(b'"') not in (b"utf-8", b"utf8", b"us-ascii"):
            return False
    return True
