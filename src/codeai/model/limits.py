"""How often something may happen."""

from __future__ import annotations

import msgspec


class RateLimit(msgspec.Struct, frozen=True, gc=False):
    """So many calls in a window of so many milliseconds; ``by`` says whose are counted together."""

    requests: int
    window: int
    by: str = ""
