"""Where figures are counted: numbers in a mapped file, one file per process, which outlives a process that dies.

The file is a row of records: the length of the key (4 bytes), the number of doubles (4), the key (UTF-8, filled up to a
multiple of 8), the doubles. The length is written last, so that a process that dies meanwhile leaves no half record. A process
that takes the place of a dead one opens the same file and counts on.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

from codeai.observability.reserving import reserve

_HEAD: Final = struct.Struct("<II")
SIZE: Final = 2 * 1024 * 1024
Cell: TypeAlias = "memoryview[float]"
"""A row of doubles; ``cell[0] += 1.0`` counts."""


class CellFile:
    """The cells of one process.

    :param path: the file, None for memory of this process alone
    :param size: bytes; what does not fit any more is counted nowhere
    """

    def __init__(self, path: Path | None, size: int = SIZE) -> None:
        self._memory = _mapped(path, size)
        self._view = memoryview(self._memory)
        self._lock = threading.Lock()
        self._known: dict[str, Cell] = {}
        self._end = 0
        for key, start, count, end in _records(self._view):
            self._known[key] = self._doubles(start, count)
            self._end = end

    def cell(self, key: str, count: int) -> Cell:
        """The cell of a key with ``count`` doubles, made when it is new."""
        with self._lock:
            found = self._known.get(key)
            if found is None or len(found) != count:
                found = self._known[key] = self._added(key, count)
            return found

    def _added(self, key: str, count: int) -> Cell:
        text = key.encode()
        start = self._end + _HEAD.size + -(-len(text) // 8) * 8
        end = start + count * 8
        if end + _HEAD.size > len(self._view):
            return memoryview(bytearray(count * 8)).cast("d")
        self._view[self._end + _HEAD.size : self._end + _HEAD.size + len(text)] = text
        self._view[start:end] = bytes(count * 8)
        _HEAD.pack_into(self._view, end, 0, 0)
        _HEAD.pack_into(self._view, self._end, 0, count)
        struct.pack_into("<I", self._view, self._end, len(text))
        self._end = end
        return self._doubles(start, count)

    def _doubles(self, start: int, count: int) -> Cell:
        return self._view[start : start + count * 8].cast("d")

    def read(self) -> Iterator[tuple[str, list[float]]]:
        """All keys with their numbers."""
        return _values(self._view)


def read_file(path: Path) -> list[tuple[str, list[float]]]:
    """The keys and numbers of a file that another process writes; none when it is gone."""
    try:
        content = path.read_bytes()
    except OSError:
        return []
    return list(_values(memoryview(content)))


def _mapped(path: Path | None, size: int) -> mmap.mmap:
    if path is None:
        return mmap.mmap(-1, size)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        reserve(file, size)
        return mmap.mmap(file, size)
    finally:
        os.close(file)


def _records(view: memoryview[int]) -> Iterator[tuple[str, int, int, int]]:
    at = 0
    while at + _HEAD.size <= len(view):
        length, count = _HEAD.unpack_from(view, at)
        start = at + _HEAD.size + -(-length // 8) * 8
        end = start + count * 8
        if not length or end > len(view):
            return
        yield str(view[at + _HEAD.size : at + _HEAD.size + length], "utf-8"), start, count, end
        at = end


def _values(view: memoryview[int]) -> Iterator[tuple[str, list[float]]]:
    for key, start, count, _ in _records(view):
        yield key, list(struct.unpack_from(f"<{count}d", view, start))
