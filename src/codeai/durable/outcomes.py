"""How a part of a run ends."""

from __future__ import annotations

from typing import Any, Final

import msgspec


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
