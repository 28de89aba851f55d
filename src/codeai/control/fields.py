"""Fields of requests of operators: keys, priorities, durations."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from codeai.http.problems import FieldError, Problem
from codeai.language.durations import duration_milliseconds

_LONGEST_MS: Final = 366 * 24 * 3_600_000
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Priority = Annotated[int, msgspec.Meta(ge=0, le=100)]


def duration_of(name: str, value: str | float | None) -> int:
    """A duration in milliseconds; 0 when there is none. Raises Problem for what is none, or too long."""
    if value is None:
        return 0
    seconds = float(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12 else value
    found = duration_milliseconds(seconds) if isinstance(seconds, str) else round(min(seconds * 1000, _LONGEST_MS + 1))
    if found is None or not 0 <= found <= _LONGEST_MS:
        raise wrong(name, "must be a duration, as in 30s or 24h, of a year at most")
    return found


def wrong(field: str, message: str) -> Problem:
    """422 for a value that is not as it must be."""
    return Problem(422, "the request has invalid values", "invalid", errors=(FieldError(field, "wrong_value", message),))
