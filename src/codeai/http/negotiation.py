"""What client and server agree on: media types, compression, validators (RFC 9110, sections 12 and 13)."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable

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


def compressed(response: Response, accept_encoding: bytes | None, threshold: int) -> Response:
    """The response in the encoding that the client likes best, if it is large enough for that to pay."""
    if accept_encoding is None or len(response.body) < threshold:
        return response
    if any(name == b"content-encoding" for name, _ in response.headers):
        return response
    weights = dict(_weights(accept_encoding))
    best, choice = 0.0, ""
    for name in ("br", "gzip"):
        weight = weights.get(name, weights.get("*", 0.0))
        if weight > best:
            best, choice = weight, name
    if not choice or weights.get("identity", 0.0) > best:
        return response
    body = brotli.compress(response.body, quality=4) if choice == "br" else _gzip(response.body)
    headers = tuple((name, b"W/" + value if name == b"etag" and not value.startswith(b"W/") else value) for name, value in response.headers)
    return Response(response.status, body, (*headers, (b"content-encoding", choice.encode()), (b"vary", b"Accept-Encoding")))


def _gzip(body: bytes) -> bytes:
    worker = zlib.compressobj(5, zlib.DEFLATED, 31)
    return worker.compress(body) + worker.flush()


def etag(body: bytes) -> bytes:
    """A strong validator: the hash of the bytes."""
    return b'"' + hashlib.blake2b(body, digest_size=12).hexdigest().encode() + b'"'


def matches(header: bytes, tag: bytes) -> bool:
    """Whether a list of tags (or ``*``) names a tag, by weak comparison (RFC 9110, section 8.8.3.2)."""
    if header.strip() == b"*":
        return True
    bare = tag.removeprefix(b"W/")
    return any(part.strip().removeprefix(b"W/") == bare for part in header.split(b","))


def not_modified(tag: bytes, headers: tuple[Header, ...]) -> Response:
    """The answer to a condition that holds."""
    return Response(304, b"", ((b"etag", tag), *(header for header in headers if header[0] in (b"vary", b"cache-control"))))
