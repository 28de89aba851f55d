"""The schedules of a program: jobs with one, and workflows that one starts."""

from __future__ import annotations

from typing import Literal

import msgspec

from codeai.jobs.catching_up import CatchUp
from codeai.jobs.timetable import Timetable, shown, timetable
from codeai.model.application import Application
from codeai.model.workflow import Job, Schedule, Workflow

Overlap = Literal["skip", "queue", "allow"]


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One schedule with its policies. ``definition`` is equal in two versions of a program when nothing of it has changed."""

    name: str
    kind: Literal["job", "workflow"]
    schedule: Schedule
    overlap: Overlap = "skip"
    catch_up: CatchUp = "latest"

    @property
    def definition(self) -> str:
        """All of it as text."""
        return msgspec.json.encode(self).decode()

    @property
    def expression(self) -> str:
        """The schedule as an operator reads it."""
        return shown(self.schedule)

    @property
    def timetable(self) -> Timetable:
        """Its instants."""
        return timetable(self.schedule)


def planned(run: Workflow | Job) -> Planned | None:
    """The schedule of a job or workflow, None when it has none. A workflow skips and catches up like a job that says nothing of it."""
    if isinstance(run, Job):
        if run.schedule is None:
            return None
        return Planned(name=run.name, kind="job", schedule=run.schedule, overlap=run.overlap, catch_up=run.catch_up)
    schedule = run.trigger.schedule
    return Planned(name=run.name, kind="workflow", schedule=schedule) if schedule is not None else None


def definitions(application: Application) -> list[str]:
    """The definitions of all schedules of a program."""
    runs: list[Workflow | Job] = [*application.workflows, *application.jobs]
    return [found.definition for found in map(planned, runs) if found is not None]
