"""Signatures of webhooks, made and verified: Standard Webhooks 1.0 (standardwebhooks.com) and plain HMAC-SHA256 of the body.

Everything works on the raw bytes of the body; comparisons take the same time wherever two codes differ.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

PREFIX: Final = "whsec_"
_MANY: Final = 10  # signatures in one header that are looked at
_LONGEST: Final = 256  # characters of an identifier


class SignatureRejected(Exception):
    """A webhook that does not prove where it comes from. ``code`` is stable; the text is for the sender and names no secret."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def secret_keys(secret: object) -> tuple[bytes, ...]:
    """The keys of a secret: one ``whsec_<base64>`` or several, as a list or in one text with spaces or commas between them.

    A text without the prefix is base64 if it decodes, as in the libraries of the specification, and else its own bytes.

    :raises ValueError: a secret is empty, or has the prefix and is no base64
    """
    texts: list[str] = []
    for part in secret if isinstance(secret, list | tuple) else (secret,):
        texts.extend(text for text in re.split(r"[\s,]+", str(part or "")) if text)
    if not texts:
        raise ValueError("the secret is empty")
    return tuple(map(_key, texts))


def _key(text: str) -> bytes:
    try:
        found = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        if text.startswith(PREFIX):
            raise ValueError(f"behind '{PREFIX}' stands base64") from None
        return text.encode()
    if not found:
        raise ValueError("the secret is empty")
    return found


def sign(identifier: str, timestamp: int, body: bytes, keys: Sequence[bytes]) -> str:
    """The ``webhook-signature`` of a message: one ``v1`` code per key, so that receivers may know the old secret or the new one.

    :param timestamp: seconds since the epoch
    """
    content = f"{identifier}.{timestamp}.".encode() + body
    return " ".join("v1," + base64.b64encode(_code(key, content)).decode() for key in keys)


def _code(key: bytes, content: bytes) -> bytes:
    return hmac.new(key, content, hashlib.sha256).digest()


class StandardVerifier:
    """Verifies by Standard Webhooks.

    :param keys: any of them will do
    :param tolerance: seconds by which the sender's clock may differ
    :param clock: seconds since the epoch
    """

    def __init__(self, keys: Sequence[bytes], tolerance: float, clock: Callable[[], float]) -> None:
        self._keys = keys
        self._tolerance = tolerance
        self._clock = clock

    def verify(self, headers: Mapping[bytes, bytes], body: bytes) -> str:
        """The identifier of the message.

        :param headers: by lower-case name
        :raises SignatureRejected: it is not from who knows a secret, or not from now
        """
        identifier = _header(headers, "webhook-id")
        if len(identifier) > _LONGEST or "." in identifier:
            raise SignatureRejected("bad_signature", "'webhook-id' has no usable form")
        timestamp = _moment(headers, "webhook-timestamp", self._tolerance, self._clock())
        content = f"{identifier}.{timestamp}.".encode() + body
        given = [part[3:] for part in _header(headers, "webhook-signature").split(" ") if part.startswith("v1,")]
        if not _any_matches(content, self._keys, (_decoded(text) for text in given[:_MANY])):
            raise SignatureRejected("bad_signature", "the signature does not belong to this message")
        return identifier


class HmacVerifier:
    """Verifies a code of the raw body, in hexadecimal or base64, with or without ``sha256=`` before it.

    :param header: where the code stands
    :param id_header: what identifies a delivery; '' for the code itself
    :param timestamp_header: seconds since the epoch, which then are part of what is signed (``<timestamp>.<body>``); '' for none
    """

    def __init__(
        self,
        keys: Sequence[bytes],
        header: str,
        id_header: str,
        timestamp_header: str,
        tolerance: float,
        clock: Callable[[], float],
    ) -> None:
        self._keys = keys
        self._header = header.lower()
        self._id = id_header.lower()
        self._timestamp = timestamp_header.lower()
        self._tolerance = tolerance
        self._clock = clock

    def verify(self, headers: Mapping[bytes, bytes], body: bytes) -> str:
        """See ``StandardVerifier.verify``."""
        given = _header(headers, self._header).removeprefix("sha256=").removeprefix("v1=")
        content = body
        if self._timestamp:
            content = f"{_moment(headers, self._timestamp, self._tolerance, self._clock())}.".encode() + body
        if not _any_matches(content, self._keys, (_decoded(given),)):
            raise SignatureRejected("bad_signature", "the signature does not belong to this message")
        identifier = _header(headers, self._id) if self._id else hashlib.sha256(content).hexdigest()
        if len(identifier) > _LONGEST:
            raise SignatureRejected("bad_signature", f"'{self._id}' is too long")
        return identifier


def _header(headers: Mapping[bytes, bytes], name: str) -> str:
    found = headers.get(name.encode("latin-1"), b"").decode("latin-1").strip()
    if not found:
        raise SignatureRejected("missing_signature", f"the header '{name}' is missing")
    return found


def _moment(headers: Mapping[bytes, bytes], name: str, tolerance: float, now: float) -> str:
    """The text of a timestamp that is near enough."""
    text = _header(headers, name)
    if not re.fullmatch(r"[0-9]{1,12}", text):
        raise SignatureRejected("bad_timestamp", f"'{name}' is not a number of seconds")
    if abs(now - int(text)) > tolerance:
        raise SignatureRejected("bad_timestamp", f"'{name}' is more than {tolerance:g} s away from now")
    return text


def _decoded(text: str) -> bytes:
    """A code from hexadecimal or base64; what is neither matches nothing."""
    try:
        if re.fullmatch(r"[0-9a-fA-F]{64}", text):
            return bytes.fromhex(text)
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _any_matches(content: bytes, keys: Sequence[bytes], codes: Iterable[bytes]) -> bool:
    expected = [_code(key, content) for key in keys]
    found = False
    for code in codes:
        for wanted in expected:
            found |= hmac.compare_digest(code, wanted)
    return found
