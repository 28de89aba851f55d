"""Addresses for places in Python, which have none: the old text forms of profiles name places by address (acceptance S61)."""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import Final

from codeai.observability.profiling.goroutines import Goroutine
from codeai.observability.profiling.stacks import Frame

_KEPT: Final = 20_000
_STEP: Final = 16


class Symbols:
    """Gives addresses, the same ones in every process, and knows those that it has given."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, str] = OrderedDict()

    def address(self, frame: Frame) -> int:
        """The address of a place."""
        text = f"{frame.function}\0{frame.file}\0{frame.line}".encode("utf-8", "backslashreplace")
        found = int.from_bytes(hashlib.blake2b(text, digest_size=5).digest(), "big") * _STEP + (1 << 45)
        self._known[found] = frame.function
        self._known.move_to_end(found)
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return found

    def name(self, address: int) -> str | None:
        """The function at an address; readers subtract one, to land in the call and not behind it."""
        return self._known.get(-(-address // _STEP) * _STEP)

    def goroutine_text(self, goroutines: Iterable[Goroutine], *, detailed: bool) -> str:
        """``goroutine profile: total N``, then how many stand at each stack (``debug=0`` and ``debug=1``)."""
        found = [goroutine for goroutine in goroutines if goroutine.stack]  # one that has just ended has none, and readers want a place
        lines = [f"goroutine profile: total {len(found)}"]
        for stack, count in Counter(goroutine.stack for goroutine in found).most_common():
            addresses = [self.address(frame) for frame in stack]
            lines.append(f"{count} @ " + " ".join(f"{address:#x}" for address in addresses))
            if detailed:
                places = zip(addresses, stack, strict=True)
                lines += [f"#\t{address:#x}\t{frame.function}+0x0\t{frame.file}:{frame.line}" for address, frame in places]
            lines.append("")
        return "\n".join(lines) + "\n"
