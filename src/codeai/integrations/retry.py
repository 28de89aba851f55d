"""When a failed call may be repeated, and after which time."""

from __future__ import annotations

import datetime
import email.utils
import random
from collections.abc import Callable
from typing import Final

from codeai.model.event import Retry

REPEATABLE_STATUSES: Final = frozenset([429, 502, 503, 504])
# RFC 9110, section 9.2.2: the same request twice has the effect of one.
IDEMPOTENT: Final = frozenset(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
_LONGEST: Final = 86_400.0


def delay(retry: Retry, attempt: int, chance: Callable[[], float] = random.random) -> float:
    """Seconds to wait after the attempt of that number (from 1) has failed.

    Half of the time is fixed and half is chance, so that callers that failed together do not come back together.
    """
    return retry.delay(attempt) * (0.5 + chance() / 2) / 1000


def retry_after(value: str, now: datetime.datetime) -> float | None:
    """Seconds that a ``Retry-After`` asks to wait (RFC 9110, section 10.2.3: a number or a date); None for anything else."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST) if len(text) < 10 else _LONGEST
    try:
        at = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=datetime.UTC)
    return min(max(0.0, (at - now).total_seconds()), _LONGEST)
