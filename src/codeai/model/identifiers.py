"""Identifiers that the server makes: UUIDs of version 7."""

from __future__ import annotations

import os
import threading
import time
import uuid
from typing import Final


class Uuid7:
    """RFC 9562 version 7, growing within a process (section 6.2, method 3: the clock's fraction in rand_a)."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def __call__(self) -> uuid.UUID:
        """The next identifier."""
        with self._lock:
            tick = max(self._last + 1, (time.time_ns() << 12) // 1_000_000)
            self._last = tick
        milliseconds, fraction = tick >> 12, tick & 0xFFF
        value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62
        return uuid.UUID(int=value | int.from_bytes(os.urandom(8), "big") >> 2)


new_uuid: Final = Uuid7()
