"""The runs of schedules, as executions of the durable room."""

from __future__ import annotations

from typing import Final

from codeai.durable.executions import Executions, KeyTaken
from codeai.jobs.schedules import Planned
from codeai.jobs.timetable import Instant
from codeai.storage.interface import Session

QUEUED: Final = "@schedule"  # the key of the ticks of a job that says `overlap: queue`: one begins when the one before has ended


class ScheduledRuns:
    """See ``scheduler.Runs``."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    async def begin(self, session: Session, planned: Planned, tick: Instant | None, *, origin: str | None, actor: str | None) -> str | None:
        """See ``scheduler.Runs``."""
        key = QUEUED if planned.overlap == "queue" else None
        try:
            started = await self._executions.begin(
                session, planned.kind, planned.name, {}, key=key, origin=origin, actor=actor, scheduled_for=tick
            )
        except KeyTaken:
            return None
        return started.id
