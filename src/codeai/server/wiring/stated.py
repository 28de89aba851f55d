"""What a declaration states in its settings, by type; anything of another type stops the start with the place."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from typing import Any

from codeai.evaluate.operations import text
from codeai.server.errors import StartError


class Stated:
    """The settings of one declaration.

    :param what: how messages call it (``middleware 'limited'``)
    :param at: its place in the program
    """

    def __init__(self, values: Mapping[str, object], what: str, at: int) -> None:
        self._values = values
        self._what = what
        self.at = at

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[tuple[str, object]]:
        return iter(self._values.items())

    def fail(self, name: str, wanted: str) -> StartError:
        """The error about a setting."""
        return StartError(f"'{name}' of {self._what} takes {wanted}", self.at)

    def whole(self, name: str, fallback: int, low: int = 1, high: int = 1_000_000_000) -> int:
        """A whole number (sizes are numbers of bytes)."""
        value = self._values.get(name, fallback)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.fail(name, f"a number from {low:,} to {high:,}")
        return value

    def seconds(self, name: str, fallback: float) -> float:
        """A duration."""
        value = self._values.get(name)
        if value is None:
            return fallback
        if not isinstance(value, datetime.timedelta) or value <= datetime.timedelta():
            raise self.fail(name, "a duration, as in 5s")
        return value.total_seconds()

    def flag(self, name: str, fallback: bool = False) -> bool:
        """True or false."""
        value = self._values.get(name, fallback)
        if not isinstance(value, bool):
            raise self.fail(name, "true or false")
        return value

    def one_of(self, name: str, known: tuple[str, ...], fallback: str) -> str:
        """One of several words."""
        value = self._values.get(name, fallback)
        if value not in known:
            raise self.fail(name, ", ".join(known))
        return str(value)

    def texts(self, name: str) -> list[str]:
        """A list of texts; one text is a list of what stands between its commas."""
        value: Any = self._values.get(name)
        if value is None:
            return []
        if isinstance(value, list | tuple):
            return [text(item) for item in value]
        if not isinstance(value, str):
            raise self.fail(name, "a list of texts")
        return [part.strip() for part in value.split(",") if part.strip()]
