"""Workflows and jobs: what starts them, with what, and when (language page, sections 9 and 10)."""

from __future__ import annotations

import datetime
from typing import Final

from codeai.analysis import kinds as k
from codeai.analysis.configured import check_kind
from codeai.analysis.effects import EXECUTION
from codeai.analysis.payloads import wire_name
from codeai.analysis.schedules import cron_problem, is_timezone, near_timezone
from codeai.analysis.scope import Scope
from codeai.analysis.steps import Run, Steps, first_clause
from codeai.analysis.symbols import RunSymbol
from codeai.analysis.unread import report_unread, report_unscheduled
from codeai.language import types as t
from codeai.language.tree import declarations as d
from codeai.language.tree import events as ev
from codeai.language.tree import expressions as ex
from codeai.language.tree import workflows as w
from codeai.language.tree.node import Node
from codeai.model.endpoint import InputField
from codeai.model.event import Retry
from codeai.model.workflow import Job, Schedule, Trigger, Workflow

_JOB_VALUES: Final = ("queue", "priority", "timeout", "overlap", "catch_up", "concurrency", "key")


class Workflows(Steps):
    """Elaborates what runs durably."""

    def declare_runs(self) -> None:
        """What starts each workflow and job, and with what input."""
        for symbol in (*self.symbols.workflows.values(), *self.symbols.jobs.values()):
            clause = first_clause(symbol.declaration.clauses, d.InputClause)
            taken = self.resolve(clause.type) if clause is not None and clause.type is not None else self.record(_fields(clause))
            symbol.open = clause is None and self.report.torn(symbol.declaration)
            symbol.input = t.Record(taken.fields if isinstance(taken, t.Record) else (), f"{symbol.name} input")
            trigger = first_clause(symbol.declaration.clauses, ev.TriggerClause)
            if trigger is not None and trigger.kind == "event" and trigger.event is not None:
                event = self.event(trigger.event)
                symbol.open = symbol.open or (event is None and clause is None)
                if event is not None:
                    symbol.event = event.wire
                    symbol.input = symbol.input if symbol.input.fields else t.Record(event.payload.fields, event.name)

    # -- workflows and jobs ----------------------------------------------------------------------------------------

    def workflow(self, symbol: RunSymbol) -> tuple[Workflow, list[tuple[str, str]]]:
        """A workflow, with what it emits and starts."""
        node = symbol.declaration
        assert isinstance(node, w.WorkflowDeclaration)
        clauses = node.clauses
        trigger_node = first_clause(clauses, ev.TriggerClause)
        event = self.symbols.events.get(symbol.event) if symbol.event is not None else None
        payload = self.event_record(event) if event is not None else t.Unknown() if symbol.open else symbol.input
        run = Run(symbol.name, {"trigger": payload, "input": payload, "execution": EXECUTION})
        steps = self.steps(clauses, run, node)
        key, concurrency = self.clause_value(clauses, "key"), self.clause_value(clauses, "concurrency")
        self._timezone(node, clauses, scheduled=_by_clock(trigger_node))
        duplicate, once = self.clause_value(clauses, "on_duplicate"), self.clause_value(clauses, "once")
        timeout = self.clause_value(clauses, "timeout")
        key_host = run.host("a key")
        key_host.values.pop("steps")
        found = Workflow(
            name=symbol.name,
            trigger=self._trigger(trigger_node, run, clauses),
            input=self._job_input(first_clause(clauses, d.InputClause), scheduled=_by_clock(trigger_node), what="workflow"),
            trigger_type=payload,
            key=self.keyed(key, self.expression(key, Scope(key_host))) if key is not None else None,
            timeout=self.milliseconds_of(timeout, "timeout") if timeout is not None else None,
            retry=self.retry_of(clauses, Retry()) or Retry(),
            concurrency=self.whole_of(concurrency, "concurrency") if concurrency is not None else None,
            on_duplicate=self.choice_of(duplicate, "on_duplicate", ("return", "reject", "queue")) if duplicate is not None else "return",  # type: ignore[arg-type]  # one of them
            once=once is not None and check_kind(self.report, k.FLAG, once, "once") and isinstance(once, ex.BooleanLiteral) and once.value,
            steps=steps,
            on_complete=self.ending(clauses, "on_complete", run),
            on_fail=self.ending(clauses, "on_fail", run),
            description=node.description,
            at=node.start,
        )
        if found.once and found.on_duplicate == "queue":
            assert once is not None
            hint = "let duplicates return or be rejected, or leave 'once' out"
            self.report.error(once, "who queues for a key that is never free waits for ever", "CAI0613", help_text=hint)
        return found, run.emits

    def job(self, symbol: RunSymbol) -> tuple[Job, list[tuple[str, str]]]:
        """A job, with what it emits and starts."""
        node = symbol.declaration
        clauses = node.clauses
        given = t.Unknown() if symbol.open else symbol.input
        run = Run(symbol.name, {"input": given, "execution": EXECUTION, **{f.name: f.type for f in symbol.input.fields}})
        steps = self.steps(clauses, run, node)
        report_unread("job", clauses, self.report)
        schedule = first_clause(clauses, w.ScheduleClause)
        self._timezone(node, clauses, scheduled=schedule is not None)
        if schedule is None:
            report_unscheduled(clauses, self.report)
        values = {key: self.clause_value(clauses, key) for key in _JOB_VALUES}
        queue, priority, timeout = values["queue"], values["priority"], values["timeout"]
        overlap, catch_up, concurrency, key = values["overlap"], values["catch_up"], values["concurrency"], values["key"]
        found = Job(
            name=symbol.name,
            schedule=self._schedule_of(schedule, clauses) if schedule is not None else None,
            input=self._job_input(first_clause(clauses, d.InputClause), scheduled=schedule is not None),
            input_type=symbol.input,
            queue=self._queue(queue) if queue is not None else "default",
            priority=self.whole_of(priority, "priority", 0, 100) if priority is not None else 5,
            timeout=self.milliseconds_of(timeout, "timeout") if timeout is not None else None,
            retry=self.retry_of(clauses, Retry()) or Retry(),
            overlap=self.choice_of(overlap, "overlap", ("skip", "queue", "allow")) if overlap is not None else "skip",  # type: ignore[arg-type]  # one of them
            catch_up=self.choice_of(catch_up, "catch_up", ("none", "latest", "all")) if catch_up is not None else "latest",  # type: ignore[arg-type]  # one of them
            key=self.keyed(key, self.expression(key, Scope(run.host("a key")))) if key is not None else None,
            concurrency=self.whole_of(concurrency, "concurrency") if concurrency is not None else None,
            steps=steps,
            on_complete=self.ending(clauses, "on_complete", run),
            on_fail=self.ending(clauses, "on_fail", run),
            description=node.description,
            at=node.start,
        )
        return found, run.emits

    def _job_input(self, clause: d.InputClause | None, *, scheduled: bool, what: str = "job") -> tuple[InputField, ...]:
        places = {node.name.text: node.name for node in _fields(clause)}
        found = self.taken(clause)
        for field in found if scheduled else ():
            if field.required and clause is not None:
                said = f"a scheduled {what} cannot ask for '{field.name}'"
                self.report.error(places.get(field.name, clause), said, "CAI0611", help_text="give it a default(…)")
        return found

    def _trigger(self, node: ev.TriggerClause | None, run: Run, clauses: tuple[d.Clause, ...]) -> Trigger:
        if node is None or node.kind == "manual":
            return Trigger()
        if node.kind == "schedule" and node.schedule is not None:
            return Trigger(kind="schedule", schedule=self._schedule_of(node.schedule, clauses))
        if node.kind == "change" or node.event is None:
            self.report.error(
                node,
                "a workflow begins by an event, a schedule or by hand",
                "CAI0603",
                help_text="give this trigger to an event",
            )
            return Trigger()
        symbol = self.event(node.event)
        host = run.host("a trigger", {"event": run.values["trigger"]})
        where = self.condition(node.where, Scope(host)) if node.where is not None else None
        return Trigger(kind="event", event=symbol.wire if symbol is not None else wire_name(node.event.text), where=where)

    def _timezone(self, node: Node, clauses: tuple[d.Clause, ...], *, scheduled: bool) -> None:
        zone = next((c for c in clauses if isinstance(c, d.ValueClause) and c.key.text == "timezone"), None)
        if zone is not None and not scheduled:
            hint = "add 'schedule', or drop 'timezone'"
            self.report.absent(node, zone, "a time zone belongs to a schedule", "CAI0604", help_text=hint)

    def _schedule_of(self, node: w.ScheduleClause, clauses: tuple[d.Clause, ...]) -> Schedule:
        zone = self.clause_value(clauses, "timezone")
        timezone = zone.value if isinstance(zone, ex.StringLiteral) else "UTC"
        if zone is not None and not (isinstance(zone, ex.StringLiteral) and is_timezone(timezone)):
            said = f"unknown time zone '{timezone}'" if isinstance(zone, ex.StringLiteral) else "a time zone is a text"
            self.report.error(zone, said, "CAI0604", help_text=near_timezone(timezone))
            timezone = "UTC"
        value = node.value
        if node.kind == "every":
            return Schedule(kind="every", every=self.milliseconds_of(value, "every"), timezone=timezone)
        text = value.value if isinstance(value, ex.StringLiteral) else ""
        if node.kind == "at":
            self._instant(value, text)
            return Schedule(kind="at", at_time=text, timezone=timezone)
        problem = cron_problem(text)
        spelt = isinstance(value, ex.StringLiteral) and value.end - value.start == len(text)  # @name without quotes: the parser knows
        if problem is not None and not spelt:
            self.report.error(value, problem[0], "CAI0604", help_text=problem[1])
        return Schedule(kind="cron", cron=text, timezone=timezone)

    def _instant(self, node: ex.Expression, text: str) -> None:
        try:
            datetime.datetime.fromisoformat(text)
        except ValueError:
            self.report.error(node, f"'{text}' is no instant", "CAI0604", help_text="as in '2027-01-01T00:00:00Z'")

    def _queue(self, node: ex.Expression) -> str:
        name = node.text if isinstance(node, ex.Name) else node.value if isinstance(node, ex.StringLiteral) else ""
        known = {"default", *(path[2] for path in self.symbols.settings if path[:2] == ("jobs", "queues") and len(path) == 3)}
        if name not in known and isinstance(node, ex.StringLiteral):
            self.report.warning(node, f"queue '{name}' is not declared", "CAI0130", help_text="its jobs run in 'default'")
            return "default"
        if name not in known:
            self.report.unknown(node, f"unknown queue '{name}'", name, sorted(known), "CAI0130")
        return name or "default"


def _fields(clause: d.InputClause | None) -> tuple[d.FieldDeclaration, ...]:
    return clause.fields if clause is not None else ()


def _by_clock(node: ev.TriggerClause | None) -> bool:
    return node is not None and node.kind == "schedule"
