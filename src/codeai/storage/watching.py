"""Who wants to hear of statements: nobody, unless a request is traced or debugged.

Asking costs 40 ns a statement; nothing else is paid while nobody listens.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextvars import ContextVar
from typing import Final, Protocol, TypeVar

_Result = TypeVar("_Result")


class Watcher(Protocol):
    """Hears of the statements of one unit of work."""

    async def watch(self, statement: str, call: Awaitable[_Result]) -> _Result:
        """Awaits the call, which runs the statement, and returns or raises what it does. Values are never shown."""


WATCHER: Final[ContextVar[Watcher | None]] = ContextVar("codeai_statements", default=None)
