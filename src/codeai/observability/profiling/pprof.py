"""Writes profiles as ``profile.proto`` of google/pprof, gzipped.

No writer of this format exists on PyPI; the encoding of Protocol Buffers that it needs is a dozen lines.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from typing import Final

from codeai.observability.profiling.stacks import Frame, Kind, Sample, ValueType

_MAPPING: Final = 1


def profile(kind: Kind, samples: Iterable[Sample], *, began: int, duration: int = 0) -> bytes:
    """A whole profile.

    :param began: nanoseconds since the epoch
    :param duration: nanoseconds
    """
    return gzip.compress(_Writer().profile(kind, samples, began, duration), 5)


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value) if value else b""


def _bytes(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _packed(field: int, values: Iterable[int]) -> bytes:
    return _bytes(field, b"".join(map(_varint, values)))


class _Writer:
    """The tables of one profile: strings, functions and locations are written once each and referred to by number."""

    def __init__(self) -> None:
        self._strings: dict[str, int] = {"": 0}
        self._functions: dict[tuple[str, str, int], int] = {}
        self._locations: dict[Frame, int] = {}

    def profile(self, kind: Kind, samples: Iterable[Sample], began: int, duration: int) -> bytes:
        parts = [_bytes(1, self._value_type(found)) for found in kind.types]
        parts += [_bytes(2, self._sample(sample)) for sample in samples]
        parts.append(_bytes(3, self._mapping()))
        parts += [_bytes(4, self._location(frame, number)) for frame, number in self._locations.items()]
        parts += [_bytes(5, self._function(key, number)) for key, number in self._functions.items()]
        parts += [_number(9, began), _number(10, duration)]
        parts += [_bytes(11, self._value_type(kind.period_type)), _number(12, kind.period)]
        parts.append(_number(14, self._string(kind.default)))
        # The strings come last, when all of them are known; the order of fields does not matter.
        parts += [_bytes(6, text.encode("utf-8", "backslashreplace")) for text in self._strings]
        return b"".join(parts)

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))

    def _value_type(self, value: ValueType) -> bytes:
        return _number(1, self._string(value.type)) + _number(2, self._string(value.unit))

    def _sample(self, sample: Sample) -> bytes:
        locations = [self._locations.setdefault(frame, len(self._locations) + 1) for frame in sample.stack]
        labels = [
            _bytes(3, _number(1, self._string(key)) + _number(2, self._string(value))) for key, value in sorted(sample.labels.items())
        ]
        return _packed(1, locations) + _packed(2, sample.values) + b"".join(labels)

    def _mapping(self) -> bytes:
        """One mapping that has all symbols, so that nobody looks for them in a binary."""
        flags = b"".join(_number(field, 1) for field in (7, 8, 9, 10))
        return _number(1, _MAPPING) + _number(3, 1 << 48) + _number(5, self._string("python")) + flags

    def _location(self, frame: Frame, number: int) -> bytes:
        key = (frame.function, frame.file, frame.begins)
        function = self._functions.setdefault(key, len(self._functions) + 1)
        line = _number(1, function) + _number(2, frame.line)
        return _number(1, number) + _number(2, _MAPPING) + _number(3, number) + _bytes(4, line)

    def _function(self, key: tuple[str, str, int], number: int) -> bytes:
        name, file, begins = key
        text = self._string(name)
        return _number(1, number) + _number(2, text) + _number(3, text) + _number(4, self._string(file)) + _number(5, begins)
