"""A time that tests move."""

import datetime
from collections.abc import Awaitable, Callable

from codeai.storage.interface import Database

Opening = Callable[[], Awaitable[Database]]


class Clock:
    """The present of a test."""

    def __init__(self, text: str) -> None:
        self.now = datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)

    def __call__(self) -> datetime.datetime:
        return self.now

    def milliseconds(self) -> int:
        return int(self.now.timestamp() * 1000)

    def set(self, text: str) -> None:
        self.now = datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)

    def advance(self, **parts: float) -> None:
        self.now += datetime.timedelta(**parts)
