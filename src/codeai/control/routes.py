"""The table of the control API: which path is answered by what."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from codeai.control.events import EventPages
from codeai.control.exchange import PREFIX, Answer, ControlPage
from codeai.control.executions import ExecutionPages
from codeai.control.integrations import IntegrationPages
from codeai.control.jobs import JobPages
from codeai.control.lists import ListPage
from codeai.control.many import ManyPages
from codeai.control.query import QueryPage
from codeai.control.queues import QueuePages
from codeai.control.schedules import SchedulePages
from codeai.control.workflows import WorkflowPages
from codeai.http.application import Handler
from codeai.http.deadlines import Deadlines

Route = tuple[str, str, Handler]


class ControlPages(msgspec.Struct, frozen=True, kw_only=True):
    """The rooms of the API."""

    lists: tuple[ListPage, ...]
    query: QueryPage
    workflows: WorkflowPages
    executions: ExecutionPages
    many: ManyPages
    jobs: JobPages
    events: EventPages
    schedules: SchedulePages
    queues: QueuePages
    integrations: IntegrationPages


def routes(pages: ControlPages, deadlines: Deadlines) -> Iterator[Route]:
    """All routes: method, path, handler."""
    for listed in pages.lists:
        yield "GET", listed.template, listed
    for method, path, answer in _answers(pages):
        yield method, PREFIX + path, ControlPage(PREFIX + path, answer, deadlines)


def _answers(pages: ControlPages) -> Iterator[tuple[str, str, Answer]]:
    yield "POST", "/query", pages.query.run
    yield "GET", "/workflows", pages.workflows.list
    yield "POST", "/workflows", pages.workflows.register
    yield "GET", "/workflows/{name}", pages.workflows.show
    yield "PATCH", "/workflows/{name}", pages.workflows.change
    yield "POST", "/workflows/{name}/executions", pages.workflows.start
    yield "GET", "/executions/{id}", pages.executions.show
    yield "GET", "/executions/{id}/steps", pages.executions.steps
    yield "POST", "/executions/{id}/retry", pages.executions.retry
    yield "POST", "/executions/{id}/compensate", pages.executions.compensate
    yield "POST", "/executions/{id}/cancel", pages.executions.cancel
    yield "POST", "/executions/{id}/signal", pages.executions.signal
    yield "POST", "/executions/{id}/fork", pages.executions.fork
    yield "POST", "/executions/retry", pages.many.retry
    yield "POST", "/executions/compensate", pages.many.compensate
    yield "POST", "/executions/cancel", pages.many.cancel
    yield "POST", "/admin/jobs", pages.jobs.enqueue
    yield "POST", "/admin/jobs/purge", pages.jobs.purge
    yield "GET", "/admin/jobs/{id}", pages.jobs.show
    yield "DELETE", "/admin/jobs/{id}", pages.jobs.cancel
    yield "POST", "/admin/jobs/{id}/retry", pages.jobs.retry
    yield "GET", "/events/{id}", pages.events.show
    yield "POST", "/events/{id}/replay", pages.events.replay
    yield "GET", "/dead-letters/{id}", pages.events.show_delivery
    yield "POST", "/dead-letters/{id}/replay", pages.events.replay_delivery
    yield "POST", "/dead-letters/replay", pages.many.replay
    yield "GET", "/webhooks", pages.events.webhooks
    yield "PATCH", "/webhooks/{name}", pages.events.switch
    yield "GET", "/webhooks/deliveries/{id}", pages.events.show_delivery
    yield "POST", "/webhooks/deliveries/{id}/replay", pages.events.replay_delivery
    yield "GET", "/integrations", pages.integrations.list
    yield "POST", "/integrations/{name}/breaker/reset", pages.integrations.reset
    yield "GET", "/admin/queues", pages.queues.list
    yield "PATCH", "/admin/queues/{name}", pages.queues.change
    yield "GET", "/admin/schedules", pages.schedules.list
    yield "GET", "/admin/schedules/{name}", pages.schedules.show
    yield "POST", "/admin/schedules/{name}/pause", pages.schedules.pause
    yield "POST", "/admin/schedules/{name}/resume", pages.schedules.resume
    yield "POST", "/admin/schedules/{name}/trigger", pages.schedules.trigger
    yield "POST", "/admin/schedules/{name}/backfill", pages.schedules.fill
