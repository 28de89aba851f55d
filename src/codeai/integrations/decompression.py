"""Compressed answers, decompressed within bounds: a few kilobytes can hold a gigabyte of zeros."""

from __future__ import annotations

import zlib
from typing import Final

from codeai.integrations.errors import AnswerTooLarge, AnswerUnreadable

ACCEPTED: Final = "gzip, deflate"


class Plain:
    """Collects an answer that is not compressed.

    :param largest: bytes that are accepted
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._body = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Takes a part; raises AnswerTooLarge."""
        self._body += chunk
        if len(self._body) > self._largest:
            raise AnswerTooLarge(f"the answer is larger than {self._largest:,} bytes")

    def finish(self) -> bytes:
        """The whole."""
        return bytes(self._body)


class Deflated(Plain):
    """Collects a gzip or zlib stream; never holds more than the limit decompressed."""

    def __init__(self, largest: int) -> None:
        super().__init__(largest)
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 32)

    def feed(self, chunk: bytes) -> None:
        """See ``Plain``; raises AnswerUnreadable."""
        try:
            while chunk:
                if self._stream.eof:  # gzip allows several members, one after the other (RFC 1952, section 2.2)
                    self._stream = zlib.decompressobj(zlib.MAX_WBITS | 32)
                super().feed(self._stream.decompress(chunk, self._largest + 1 - len(self._body)))
                chunk = self._stream.unused_data
        except zlib.error as error:
            raise AnswerUnreadable(f"the answer is not compressed as it says: {error}") from error

    def finish(self) -> bytes:
        """See ``Plain``; raises AnswerUnreadable for a stream that was cut off."""
        if not self._stream.eof:
            raise AnswerUnreadable("the compressed answer ends too early")
        return super().finish()


def collector(encoding: str, largest: int) -> Plain:
    """What collects an answer of that ``Content-Encoding``.

    :raises AnswerUnreadable: it is one that was not asked for
    """
    wanted = encoding.strip().lower()
    if wanted in ("", "identity"):
        return Plain(largest)
    if wanted in ("gzip", "x-gzip", "deflate"):
        return Deflated(largest)
    raise AnswerUnreadable(f"the answer is encoded as '{wanted[:40]}', which was not asked for")
