"""Workflows, jobs and their steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from codeai.language.diagnostics import Edit
from codeai.language.lexer import DURATION, END, INTEGER, NAME
from codeai.language.parser import foreign_headers, foreign_repetitions, foreign_statements
from codeai.language.parser.clauses import Clauses
from codeai.language.spellings import descriptions, jobs, step_clauses, step_order
from codeai.language.spellings import workflows as older
from codeai.language.spellings.hosts import Host, block_end
from codeai.language.suggestions import nearest
from codeai.language.tree import declarations as d
from codeai.language.tree import events as ev
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree import workflows as w
from codeai.language.tree.node import Identifier, Node

OUTCOMES: Final = ("rollback", "continue", "fail")
_INSTEAD: Final = {
    "fail": "say why, as in fail(\"no stock\"); without 'on_fail' a step that fails ends the run as failed",
    "retry": "a step is tried again by 'retry: 3 times'; 'on_fail' says what follows the last try",
    **dict.fromkeys(("compensate", "undo"), "write 'rollback', which runs the compensations of what was done"),
}
_NO_STEP_NAMES: Final = ("parallel", "steps", "on_success", "on_fail")
_NAMED_SCHEDULES: Final = ("yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly")


class Workflows(Clauses):
    """Parses what runs durably."""

    def head(self) -> tuple[int, Identifier]:
        """Steps over the keyword of a declaration and takes its name."""
        start = self.start
        self.i += 1
        return start, self.new_name()

    def _workflow(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start, name = self.head()
        given = foreign_headers.given(self)
        self.host = Host(inputs=older.inputs(self), failing=True, end=block_end(self))
        self.expect("{", "'{'")
        clauses = given + self.items(
            lambda: () if foreign_headers.stray_step(self) else self.known_clause(_WORKFLOW, "clause", older.WORKFLOW)
        )
        return w.WorkflowDeclaration(start, self.previous_end, description, name, clauses)

    def _job(self, description: str, _: tuple[d.Annotation, ...]) -> d.Declaration:
        start, name = self.head()
        given = foreign_headers.given(self)
        foreign_headers.scheduled(self)
        self.host = Host(inputs=older.inputs(self), failing=True, end=block_end(self))
        self.expect("{", "'{'")
        clauses = given + self.items(lambda: self.known_clause(_JOB, "clause", jobs.JOB))
        return w.JobDeclaration(start, self.previous_end, description, name, clauses)

    # -- when something runs ---------------------------------------------------------------------------------------

    def trigger(self) -> d.Clause:
        """``trigger: …`` of a workflow or an event."""
        key = self.key()
        if self.at_word("when"):
            self.i += 1
            condition = self.expression()
            return ev.TriggerClause(key.start, condition.end, "change", where=condition)
        if self.at_word("manual"):
            self.i += 1
            return ev.TriggerClause(key.start, self.previous_end, "manual")
        if self.at_word("schedule"):
            schedule = self.schedule_clause()
            return ev.TriggerClause(key.start, schedule.end, "schedule", schedule=schedule)
        event = self.event_reference()
        where = self.expression() if self.take_word("where") else None
        return ev.TriggerClause(key.start, self.previous_end, "event", event, where)

    def schedule_clause(self) -> w.ScheduleClause:
        """``schedule: …``."""
        key = self.key()
        for kind in ("every", "at"):
            if self.take_word(kind):
                value = self.length_of_time() if kind == "every" else self.expression()
                return w.ScheduleClause(key.start, value.end, kind, value)
        start = self.start
        if self.take("@"):
            name = self.identifier("the name of a schedule")
            if name.text not in _NAMED_SCHEDULES:
                self.unknown("schedule", name, _NAMED_SCHEDULES, "CAI0022")
            literal = ex.StringLiteral(start, name.end, f"@{name.text}")
            return w.ScheduleClause(key.start, name.end, "cron", literal)
        end = self.ends[self.i]
        literal = ex.StringLiteral(start, end, self.text_literal("a cron expression, 'every', 'at' or '@daily'"))
        return w.ScheduleClause(key.start, end, "cron", literal)

    def retry(self) -> d.Clause:
        """``retry: 3 times with exponential_backoff``."""
        key = self.key()
        if self.at("{"):
            settings = self.settings()
            return w.RetryClause(key.start, self.previous_end, None, None, settings)
        times = self.times()
        if not self.take_word("times") and not self.take_word("time"):
            self._misspelt_times()
        backoff = self._backoff() if self.take_word("with") else None
        settings = self.settings() if self.at("{") and not self.breaks[self.i] else ()
        return w.RetryClause(key.start, self.previous_end, times, backoff, settings)

    def _backoff(self) -> Identifier:
        name = self.identifier("a kind of back-off")
        if self.at_word("backoff") and not self.breaks[self.i]:
            self.i += 1
            known = Identifier(name.start, self.previous_end, f"{name.text}_backoff")
            edits = (Edit(known.start, known.end, known.text),)
            message, advice = f"unknown back-off '{name.text} backoff'", f"did you mean '{known.text}'?"
            self.report(message, "CAI0127", known.start, known.end, help_text=advice, edits=edits)
            return known
        return name

    def _misspelt_times(self) -> None:
        """``3 tims`` is one mistake, and no clause of its own."""
        if not self.at(NAME) or self.breaks[self.i] or self.kind_at(1) in (":", "{"):
            return
        near = nearest(self.texts[self.i], ("times",))
        if near is not None:
            name = self.identifier()
            self.unknown("word", name, ("times",), "CAI0013")

    def times(self) -> ex.Expression:
        """How often: a whole number."""
        found = self.literal() if self.at(INTEGER) else None
        return found if found is not None else self.fail_expected("a number of times")

    # -- steps -----------------------------------------------------------------------------------------------------

    def _steps(self) -> d.Clause:
        key = self.key()
        self.expect("{", "'{'")
        steps = step_order.sequence(self.items(self.step))
        return w.StepsClause(key.start, self.previous_end, steps)

    def step(self) -> Node | tuple[Node, ...]:
        """A step, or ``parallel { … }``; an older spelling may stand for several steps."""
        begin = self.i
        description = self.tokens.docs.get(self.i, "")
        start = self.start
        if self.at_word("parallel") and self.kind_at(1) == "{":
            self.i += 2
            steps = self.items(self.step)
            return w.ParallelSteps(start, self.previous_end, steps)
        return descriptions.described(self, lambda: self._single_step(start, begin, description))

    def _single_step(self, start: int, begin: int, description: str) -> Node | tuple[Node, ...]:
        name = foreign_repetitions.name(self) or self.identifier("a step")
        if name.text in _NO_STEP_NAMES:
            self.fail(f"'{name.text}' cannot name a step", "CAI0023", name.start, name.end, help_text="call it otherwise")
        foreign_headers.one_line_step(self, name)
        item, items, parallel = self._repetition(name)
        self.expect("{", "'{'")
        beside: list[w.ParallelSteps] = []
        clauses = self.items(lambda: self.clause_of_step(name, beside))
        if beside and not clauses:
            return tuple(beside)
        step = w.Step(start, self.previous_end, name, clauses, item, items, parallel, description)
        return step_order.finished(self, step, begin)

    def clause_of_step(self, name: Identifier, beside: list[w.ParallelSteps]) -> d.Clause | tuple[d.Clause, ...] | None:
        """A clause; ``parallel { … }``, which is none, goes to ``beside``."""
        loop = foreign_repetitions.clause(self, name)
        if loop is not None:
            return loop
        if not (self.at_word("parallel") and self.kind_at(1) == "{"):
            return self.known_clause(_STEP, "clause", step_clauses.STEP)
        start, advice = self.start, f"write it among the steps, without '{name.text} {{ … }}' around it"
        self.report("'parallel { … }' is no clause of a step", "CAI0023", start, self.ends[self.i], help_text=advice)
        group = self.step()
        beside.extend(found for found in (group if isinstance(group, tuple) else (group,)) if isinstance(found, w.ParallelSteps))
        return ()

    def _repetition(self, name: Identifier) -> tuple[Identifier | None, ex.Expression | None, ex.Expression | None]:
        item = items = parallel = None
        foreign = foreign_repetitions.header(self, name)
        if foreign is not None:
            item, items = foreign
        elif self.take_word("for_each"):
            item = self.identifier("a name for the item")
            self.expect_word("in")
            items = self.headed()
        if self.take_word("parallel"):
            parallel = self.headed()
        return item, items, parallel

    def _work(self) -> d.Clause:
        key = self.key()
        statement = _WORK[key.text](self)
        return w.WorkClause(key.start, self.previous_end, key, statement)

    def evaluated(self, value: ex.Expression) -> st.Statement:
        """An expression as a statement."""
        return st.ExpressionStatement(value.start, value.end, value)

    def _operation_call(self) -> st.Statement:
        start = self.start
        operation = self.event_reference("operation")
        values = self._given("call:", operation.text)
        return self.evaluated(q.CallOperation(start, self.previous_end, operation, values))

    def _activity_call(self) -> st.Statement:
        start = self.start
        function = self.reference("a Python function")
        values = self._given("activity:", function.text)
        return self.evaluated(q.CallActivity(start, self.previous_end, function, values))

    def _given(self, word: str, name: str) -> tuple[ex.MapEntry, ...]:
        """The values in braces behind what is called, as far as there are some."""
        return self.map_entries() if self.at("{") and not self.breaks[self.i] else foreign_statements.carried(self, word, name)

    def _emitted(self) -> st.Statement:
        start = self.start
        event = self.event_reference()
        payload = self.map_literal() if self.at("{") and not self.breaks[self.i] else None
        return st.Emit(start, self.previous_end, event, payload)

    def _sent(self) -> st.Statement:
        start = self.start
        target = self.headed()
        values = self.map_entries() if self.at("{") and not self.breaks[self.i] else ()
        return st.Send(start, self.previous_end, target, values)

    def _slept(self) -> st.Statement:
        duration = self.length_of_time()
        return st.Sleep(duration.start, duration.end, duration)

    def _started(self) -> st.Statement:
        start = self.start
        target = self.identifier("a workflow")
        values = self.map_entries() if self.at("{") and not self.breaks[self.i] else ()
        return self.evaluated(q.Start(start, self.previous_end, "start", target, values))

    def _wait(self) -> d.Clause:
        key = self.key()
        if self.kinds[self.i] in (INTEGER, DURATION):
            return foreign_statements.waited(self, key)
        event = self.event_reference()
        where = self.expression() if self.take_word("where") else None
        return w.WaitClause(key.start, self.previous_end, event, where)

    def _compensate(self) -> d.Clause:
        key = self.key()
        if self.at("{"):
            body = self.block()
        else:
            operation = self.at(NAME) and self.kind_at(1) == "."
            statement = self._operation_call() if operation else self.single_statement()
            body = st.Block(statement.start, statement.end, (statement,))
        return w.CompensateClause(key.start, body.end, body)

    def _unknown_outcome(self, key: Identifier) -> d.Clause:
        """One word that is no outcome: ``retry``, ``fail`` without a text."""
        action = self.identifier()
        near = nearest(action.text, OUTCOMES[:2])
        edits = (Edit(action.start, action.end, near.name, near.sure),) if near is not None else ()
        advice = _INSTEAD.get(action.text, 'write rollback, continue, fail("text") or a block of statements')
        advice = f"did you mean '{near.name}'?" if near is not None else advice
        self.report(f"unknown outcome '{action.text}'", "CAI0013", action.start, action.end, help_text=advice, edits=edits)
        return w.OutcomeClause(key.start, action.end, key, Identifier(action.start, action.end, "rollback"))

    def _outcome(self) -> d.Clause:
        key = self.key()
        if self.at("{"):
            body = self.block()
            return w.OutcomeClause(key.start, body.end, key, body=body)
        if self.at_word("fail") and self.kind_at(1) == "(":
            action = self.identifier()
            self.i += 1
            message = self.inside(self.expression)
            self.expect(")", "')'")
            return w.OutcomeClause(key.start, self.previous_end, key, action, message)
        if self.at(NAME) and self.texts[self.i] in OUTCOMES[:2]:
            action = self.identifier()
            return w.OutcomeClause(key.start, action.end, key, action)
        if self.at(NAME) and (self.breaks_at(1) or self.kind_at(1) in ("}", ",", ";", END)):
            return self._unknown_outcome(key)
        statement = self.single_statement()
        return w.OutcomeClause(key.start, statement.end, key, body=st.Block(statement.start, statement.end, (statement,)))

    def _ending(self) -> d.Clause:
        """``on_fail: statement`` of a whole workflow or job, which has no outcome to choose."""
        at = 1 + (self.kind_at(1) == ":")
        word = self.text_at(at)
        if word in OUTCOMES[:2] and (self.breaks_at(at + 1) or self.kind_at(at + 1) in ("}", ",", ";", NAME)):
            place, advice = self.i + at, f"write 'on_fail: {word}' in the step that may fail"
            self.fail(f"'{word}' is the outcome of a step", "CAI0013", self.starts[place], self.ends[place], help_text=advice)
        return self.on_clause()

    def _action(self) -> d.Clause:
        return self._work()


_Parse = Callable[[Workflows], d.Clause]
_WORK: Final[dict[str, Callable[[Workflows], st.Statement]]] = {
    "call": Workflows._operation_call,
    "activity": Workflows._activity_call,
    "action": Workflows.single_statement,
    "query": lambda parser: parser.evaluated(parser.expression()),
    "emit": Workflows._emitted,
    "send": Workflows._sent,
    "check": lambda parser: parser.evaluated(parser.expression()),
    "sleep": Workflows._slept,
    "start": Workflows._started,
}
_STEP: Final[dict[str, _Parse]] = {
    "do": Workflows._do,
    **dict.fromkeys(_WORK, Workflows._work),
    "wait": Workflows._wait,
    "compensate": Workflows._compensate,
    **dict.fromkeys(("when", "for_each", "as_item", "parallel", "timeout", "as", "await"), Workflows.value_clause),
    "retry": Workflows.retry,
    "on_fail": Workflows._outcome,
    "on_timeout": Workflows._outcome,
}
_RUNNING: Final[dict[str, _Parse]] = {
    **dict.fromkeys(("key", "timeout", "concurrency", "on_duplicate", "once"), Workflows.value_clause),
    "retry": Workflows.retry,
    "input": Workflows.input_clause,
    "steps": Workflows._steps,
    "on_complete": Workflows.on_clause,
    "on_fail": Workflows._ending,
}
_WORKFLOW: Final[dict[str, _Parse]] = {**_RUNNING, "trigger": Workflows.trigger, "timezone": Workflows.value_clause}
_JOB: Final[dict[str, _Parse]] = {
    **_RUNNING,
    "schedule": Workflows.schedule_clause,
    **dict.fromkeys(("timezone", "queue", "priority", "overlap", "catch_up", "delay"), Workflows.value_clause),
    "rate_limit": Workflows._rate_limit,
    "do": Workflows._do,
    "action": Workflows._action,
}
