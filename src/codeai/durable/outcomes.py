"""How a part of a run ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Final

import msgspec

from codeai.durable.failures import BLAMELESS


class Gone(msgspec.Struct, frozen=True):
    """It is done, the run goes on."""


class Parked(msgspec.Struct, frozen=True):
    """It goes on later: at ``due_ms`` by the database's clock, or when somebody says so."""

    due_ms: int | None = None


class Broken(msgspec.Struct, frozen=True):
    """It failed for good; ``then`` is ``rollback`` or ``fail``."""

    error: dict[str, Any]
    then: str = "fail"


Outcome = Gone | Parked | Broken
GO: Final = Gone()


async def side_by_side(branches: Sequence[Coroutine[Any, Any, Outcome]]) -> list[Outcome]:
    """Runs branches until all have ended.

    :raises LeaseLost: of one of them; the others are cut short
    :raises StorageError: likewise, one that is nobody's fault
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(branch) for branch in branches]
    except* BLAMELESS as errors:
        raise _first(errors) from None
    return [task.result() for task in running]


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    found: BaseException = group
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


def together(outcomes: list[Outcome]) -> Outcome:
    """How parts that ran side by side end together: all run to their end before a failure counts."""
    parked = [outcome for outcome in outcomes if isinstance(outcome, Parked)]
    if parked:
        dues = [outcome.due_ms for outcome in parked if outcome.due_ms is not None]
        return Parked(min(dues) if dues else None)
    broken = [outcome for outcome in outcomes if isinstance(outcome, Broken)]
    if not broken:
        return GO
    return next((outcome for outcome in broken if outcome.then == "rollback"), broken[0])
