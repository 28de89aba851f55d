"""The counts of all processes of one server, in a mapped file: what they have without Redis, and while it is away.

The file is a table of buckets. A bucket holds ``_WAYS`` keys as digests, and behind them their states. Whoever decides holds the lock of
the bucket (``fcntl``) for some microseconds; it ends with its process, so that one that dies locks nobody out. A process that was stopped
with a lock in its hand (it has one at most) stops the others once, for a moment: from then on they decide by counts of their own, until
the lock is free.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
import sys
import time
from pathlib import Path
from typing import Final

from codeai.limits.rules import Decision, Rule, State, take
from codeai.limits.stores import LocalLimits, Milliseconds, wall_clock
from codeai.observability.reserving import reserve

if sys.platform != "win32":  # where servers have one process
    import fcntl

_DIGEST: Final = 16
_WAYS: Final = 16
_STATE: Final = struct.Struct("<dqqd")
_KEYS: Final = _WAYS * _DIGEST
_BUCKET: Final = _KEYS + _WAYS * _STATE.size
_PATIENCE: Final = 0.05  # on a busy machine the holder may have to wait for a processor
_FEWEST: Final = 50  # tries: a machine that stood still for that long gave the holder no time either
_NAP: Final = 0.0002
_EMPTY: Final = bytes(_DIGEST)
BUCKETS: Final = 4096  # 65,536 keys in 3 MB


class MappedLimits:
    """See ``LimitStore``.

    :param path: the file, made by whichever process needs it first
    :param now: milliseconds of a clock that the processes share
    :param buckets: how many; the same in all processes
    :raises OSError: there is no room for the file
    """

    def __init__(self, path: Path, now: Milliseconds = wall_clock, buckets: int = BUCKETS) -> None:
        self._now = now
        self._buckets = buckets
        self._own = LocalLimits(now)
        self._given_up: set[int] = set()  # buckets whose lock somebody keeps; nobody waits for them again
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            reserve(self._file, buckets * _BUCKET)
            self._memory = mmap.mmap(self._file, buckets * _BUCKET)
        except BaseException:
            os.close(self._file)
            raise

    async def take(self, name: str, key: str, rule: Rule) -> Decision:
        """See ``LimitStore``."""
        return self.decide(name, key, rule)

    def decide(self, name: str, key: str, rule: Rule) -> Decision:
        """The same without waiting."""
        digest = hashlib.blake2b(f"{name}\0{key}".encode("utf-8", "surrogateescape"), digest_size=_DIGEST).digest()
        bucket = int.from_bytes(digest[:8], "little") % self._buckets
        if not self._locked(bucket):
            return self._own.decide(name, key, rule)
        try:
            return self._decided(bucket * _BUCKET, digest, rule)
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, bucket)

    def _locked(self, bucket: int) -> bool:
        """Takes the lock of a bucket, if nobody keeps it for long."""
        if self._tried(bucket):
            if self._given_up:
                self._given_up.discard(bucket)
            return True
        if bucket in self._given_up:
            return False
        end, tries = time.monotonic() + _PATIENCE, 0
        while time.monotonic() < end or tries < _FEWEST:
            time.sleep(_NAP)
            tries += 1
            if self._tried(bucket):
                return True
        self._given_up.add(bucket)
        return False

    def _tried(self, bucket: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, bucket)
        except OSError:
            return False
        return True

    def _decided(self, start: int, digest: bytes, rule: Rule) -> Decision:
        way = self._way(start, digest)
        state = State()
        if way is not None:
            state.at, state.count, state.before, state.until = _STATE.unpack_from(self._memory, self._place(start, way))
        decision = take(rule, state, self._now())
        if way is None:
            way = self._free(start)
            self._memory[start + way * _DIGEST : start + (way + 1) * _DIGEST] = digest
        _STATE.pack_into(self._memory, self._place(start, way), state.at, state.count, state.before, state.until)
        return decision

    @staticmethod
    def _place(start: int, way: int) -> int:
        return start + _KEYS + way * _STATE.size

    def _way(self, start: int, digest: bytes) -> int | None:
        """Where a key is."""
        found = self._memory.find(digest, start, start + _KEYS)
        while found >= 0 and (found - start) % _DIGEST:
            found = self._memory.find(digest, found + 1, start + _KEYS)
        return None if found < 0 else (found - start) // _DIGEST

    def _free(self, start: int) -> int:
        """A place for a new key: an empty one, or that of the key that runs out first."""
        empty = self._way(start, _EMPTY)
        if empty is not None:
            return empty
        ends = [_STATE.unpack_from(self._memory, self._place(start, way))[3] for way in range(_WAYS)]
        return min(range(_WAYS), key=ends.__getitem__)

    def close(self) -> None:
        """Lets go of the file."""
        self._memory.close()
        os.close(self._file)
