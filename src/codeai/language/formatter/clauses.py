"""Clauses of declarations as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from codeai.language.formatter.printer import FIELDS, INDENT, quoted
from codeai.language.formatter.statements import Statements, leftmost
from codeai.language.lexer import is_dotted
from codeai.language.operators import NEGATION
from codeai.language.parser.workflows import OUTCOMES
from codeai.language.spellings.step_clauses import FORMER_OUTCOMES
from codeai.language.tree import declarations as d
from codeai.language.tree import events as ev
from codeai.language.tree import expressions as ex
from codeai.language.tree import integrations as i
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree import workflows as w
from codeai.language.tree.node import Identifier, Node

_CONDITIONS: Final = ", "


class Clauses(Statements):
    """Prints what stands in the braces of a declaration."""

    def described(self, node: Node, depth: int) -> str:
        """The description as a comment, where an older spelling gave it in another form."""
        text: str = getattr(node, "description", "")
        if not text or self.documented(node):
            return ""
        return "".join(f"/// {line.strip()}\n{INDENT * depth}" for line in text.split("\n"))

    def clause(self, node: Node, depth: int) -> str:
        """One clause."""
        return _CLAUSES[type(node)](self, node, depth)

    def name(self, node: Identifier) -> str:
        """A name, quoted where it is none."""
        return node.text if is_dotted(node.text) else quoted(node.text)

    def _names(self, node: d.NamesClause, depth: int) -> str:
        return self.enclosed(f"{node.key.text}: [", [self.name(name) for name in node.names], "]", depth)

    def clauses_of(self, node: Any, head: str, depth: int) -> str:
        """``head { clauses }``."""
        return self.braces(node, head, node.clauses, self.clause, depth)

    def path(self, node: d.Path) -> str:
        """A path, its parameters in braces; quoted where it would begin a comment."""
        path = "/" + "/".join(f"{{{part.text}}}" if part.parameter else part.text for part in node.segments)
        return quoted(path) if path.startswith(("//", "/*")) else path

    def _settings(self, node: Any, head: str, depth: int) -> str:
        return self.braces(node, head, node.settings, self.setting, depth)

    def setting(self, node: Node, depth: int) -> str:
        """``key: value``, ``key { … }``."""
        assert isinstance(node, d.Setting)
        key = self.key(node.key)
        value = node.value
        if value is None:
            return self.braces(node, key, node.children, self.setting, depth)
        if not node.children:
            return self.fitted(lambda: f"{key}: {self.headed(value, depth)}", depth)
        return self.braces(node, self.header(f"{key}: ", value, depth), node.children, self.setting, depth)

    def _index(self, node: d.IndexClause, depth: int) -> str:
        columns = [column.name.text + (" desc" if column.descending else "") for column in node.columns]
        return self.enclosed("index: [", columns, f"]{' unique' if node.unique else ''}", depth)

    def _traits(self, node: d.TraitsClause, depth: int) -> str:
        traits = [trait.name.text + (f"({', '.join(a.text for a in trait.arguments)})" if trait.arguments else "") for trait in node.traits]
        return f"traits: [{', '.join(traits)}]"

    def _allow(self, node: d.AllowClause, depth: int) -> str:
        return self.fitting(f"allow {', '.join(action.text for action in node.actions)}: ", node.condition, depth)

    def _hide(self, node: d.HideClause, depth: int) -> str:
        head = self.enumerated("hide ", [field.text for field in node.fields], depth)
        return self.fitting(f"{head} unless ", node.unless, depth) if node.unless is not None else head

    def _auth(self, node: d.AuthClause, depth: int) -> str:
        names = ", ".join(self.name(name) for name in node.names)
        return f"auth: [{names}]" if '"' in names else f"auth: {names}"

    def _rate(self, node: d.RateLimitClause, depth: int) -> str:
        by = f" by {node.by.text}" if node.by is not None else ""
        return f"rate_limit: {self.expression(node.requests, depth)} per {self.expression(node.window, depth, NEGATION + 1)}{by}"

    def _value(self, node: d.ValueClause, depth: int) -> str:
        if node.key.text == "isolation" and isinstance(node.value, ex.StringLiteral):
            return f"isolation: {node.value.value}"
        if node.key.text == "queue" and not isinstance(node.value, ex.StringLiteral):
            text = self.expression(node.value, depth)
            return f"queue: ({text})" if text.startswith(('"', "'")) else f"queue: {text}"
        return self.fitting(f"{node.key.text}: ", node.value, depth)

    def _input(self, node: d.InputClause, depth: int) -> str:
        if node.type is not None:
            return f"{node.place.text}: {self.type(node.type, depth)}"
        return self.braces(node, node.place.text, node.fields, self.field, depth, joiner=FIELDS)

    def _returns(self, node: d.ReturnsClause, depth: int) -> str:
        text = f"returns: {self.type(node.type, depth)}"
        if node.status is not None:
            text += f" status {self.expression(node.status, depth)}"
        return text + (f" as {quoted(node.media_type)}" if node.media_type is not None else "")

    def _error(self, node: d.ErrorClause, depth: int) -> str:
        code = f" code {quoted(node.code)}" if node.code is not None else ""
        return f"error {self.expression(node.status, depth)}: {quoted(node.message)}{code}"

    def _filter(self, node: d.FilterClause, depth: int) -> str:
        return self.braces(node, "filter", node.conditions, self._condition, depth, joiner=_CONDITIONS)

    def _condition(self, node: Node, depth: int) -> str:
        return self.fitting("", node, depth)

    def _sort(self, node: d.SortClause, depth: int) -> str:
        values = [self.expression(term.value, depth) for term in node.terms]
        if values[0].startswith(("-", "[")):  # as others say that an order is descending, and list fields to sort by
            values[0] = f"({values[0]})"
        terms = [value + (" desc" if term.descending else "") for value, term in zip(values, node.terms, strict=True)]
        return self.enumerated("sort: ", terms, depth)

    def _validate(self, node: d.ValidateClause, depth: int) -> str:
        return self.braces(node, "validate", node.rules, self._rule, depth, joiner=_CONDITIONS)

    def _rule(self, node: Node, depth: int) -> str:
        assert isinstance(node, d.ValidationRule)
        tail = f" else {quoted(node.message)}" if node.message is not None else ""
        if node.field is not None:
            return f"{node.field.text} {'is unique' if node.kind == 'unique' else 'exists'}{tail}"
        assert node.condition is not None
        return self.fitting("", node.condition, depth, lambda: tail)

    def only_statement(self, node: st.Block, depth: int) -> str:
        """The one statement of a clause without braces; in parentheses where it begins with a word that would be an outcome."""
        statement = node.statements[0]
        text = self.statement(statement, depth)
        leading = leftmost(statement.value) if isinstance(statement, st.ExpressionStatement) and not text.startswith("(") else ""
        return f"({text})" if leading and (leading in (*OUTCOMES, *FORMER_OUTCOMES) or text == leading) else text

    def _on(self, node: d.OnClause, depth: int) -> str:
        single = len(node.body.statements) == 1 and not self.between(node.key.end, node.body.start).strip().startswith("{")
        if single and self.between(node.body.start, node.body.start + 1) != "{":
            return f"{node.key.text}: {self.only_statement(node.body, depth)}"
        return self.block(node.body, node.key.text, depth)

    def _actions(self, node: d.ActionSettings, depth: int) -> str:
        return self.clauses_of(node, ", ".join(action.text for action in node.actions), depth)

    def _trigger(self, node: ev.TriggerClause, depth: int) -> str:
        if node.schedule is not None:
            return f"trigger: schedule {self._schedule_value(node.schedule, depth)}"
        if node.kind == "change" and node.where is not None:
            return self.fitting("trigger: when ", node.where, depth)
        if node.event is None:
            return "trigger: manual"
        head = f"trigger: {self.reference(node.event)}"
        return self.fitting(f"{head} where ", node.where, depth) if node.where is not None else head

    def _events(self, node: ev.EventsClause, depth: int) -> str:
        if len(node.events) == 1:
            return f"event: {self.reference(node.events[0])}"
        return self.enclosed("events: [", [self.reference(event) for event in node.events], "]", depth)

    def _threshold(self, node: i.ThresholdClause, depth: int) -> str:
        failures = self.expression(node.failures, depth, NEGATION + 1)
        if node.window is None:
            return f"threshold: {failures} consecutive failures"
        return f"threshold: {failures} failures in {self.expression(node.window, depth)}"

    def _operation(self, node: i.OperationClause, depth: int) -> str:
        return self.described(node, depth) + self.clauses_of(node, f"operation {node.name.text}", depth)

    def _text(self, node: i.TextClause, depth: int) -> str:
        return f"{node.key.text}: {self.literal_text(node.literal)}"

    # -- workflows -------------------------------------------------------------------------------------------------

    def _retry(self, node: w.RetryClause, depth: int) -> str:
        if node.times is None:
            return self._settings(node, "retry", depth)
        head = f"retry: {self.expression(node.times, depth)} times"
        if node.backoff is not None:
            head += f" with {node.backoff.text}"
        return self._settings(node, head, depth) if node.settings else head

    def _schedule(self, node: w.ScheduleClause, depth: int) -> str:
        return f"schedule: {self._schedule_value(node, depth)}"

    def _schedule_value(self, node: w.ScheduleClause, depth: int) -> str:
        if node.kind == "cron" and isinstance(node.value, ex.StringLiteral):
            return node.value.value if node.value.value.startswith("@") else quoted(node.value.value)
        return f"{node.kind} {self.expression(node.value, depth)}"

    def _steps(self, node: w.StepsClause, depth: int) -> str:
        return self.braces(node, "steps", node.steps, self._step, depth)

    def _step(self, node: Node, depth: int) -> str:
        if isinstance(node, w.ParallelSteps):
            return self.braces(node, "parallel", node.steps, self._step, depth)
        assert isinstance(node, w.Step)
        head = node.name.text
        if node.items is not None and node.item is not None:
            head += f" for_each {node.item.text} in {self.headed(node.items, depth)}"
        if node.parallel is not None:
            head += f" parallel {self.headed(node.parallel, depth)}"
        return self.described(node, depth) + self.clauses_of(node, head, depth)

    def _work(self, node: w.WorkClause, depth: int) -> str:
        head = f"{node.key.text}: "
        statement = node.statement
        if isinstance(statement, st.Emit) and node.key.text == "emit":
            return self.emission(statement, head, depth)
        if isinstance(statement, st.Send) and node.key.text == "send":
            return self.sending(statement, head, depth)
        if isinstance(statement, st.Sleep) and node.key.text == "sleep":
            return f"{head}{self.expression(statement.duration, depth)}"
        if isinstance(statement, st.ExpressionStatement):
            value = statement.value
            if node.key.text == "call" and isinstance(value, q.CallOperation):
                return self._invocation(value, f"{head}{self.reference(value.operation)}", depth)
            if node.key.text == "start" and isinstance(value, q.Start):
                return self._invocation(value, f"{head}{value.target.text}", depth)
            return self.fitting(head, value, depth)
        return f"{head}{self.statement(statement, depth)}"

    def _wait(self, node: w.WaitClause, depth: int) -> str:
        head = f"wait: {self.reference(node.event)}"
        return self.fitting(f"{head} where ", node.where, depth) if node.where is not None else head

    def _compensate(self, node: w.CompensateClause, depth: int) -> str:
        body = node.body
        if self.between(body.start, body.start + 1) == "{" or len(body.statements) != 1:
            return self.block(body, "compensate", depth)
        statement = body.statements[0]
        value = statement.value if isinstance(statement, st.ExpressionStatement) else None
        if isinstance(value, q.CallOperation):
            return self._invocation(value, f"compensate: {value.operation.text}", depth)
        return f"compensate: {self.statement(statement, depth)}"

    def _outcome(self, node: w.OutcomeClause, depth: int) -> str:
        if node.body is not None:
            if self.between(node.body.start, node.body.start + 1) == "{" or len(node.body.statements) != 1:
                return self.block(node.body, node.key.text, depth)
            return f"{node.key.text}: {self.only_statement(node.body, depth)}"
        assert node.action is not None
        message = f"({self.expression(node.message, depth)})" if node.message is not None else ""
        return f"{node.key.text}: {node.action.text}{message}"


_Print = Callable[[Clauses, Any, int], str]
_CLAUSES: Final[dict[type, _Print]] = {
    d.FieldDeclaration: Clauses.field,
    d.IndexClause: Clauses._index,
    d.CheckClause: lambda printer, node, depth: printer.fitting("check: ", node.condition, depth),
    d.TableClause: lambda printer, node, depth: f"table: {quoted(node.name)}",
    d.TraitsClause: Clauses._traits,
    d.AllowClause: Clauses._allow,
    d.HideClause: Clauses._hide,
    d.AuthClause: Clauses._auth,
    d.NamesClause: Clauses._names,
    d.RateLimitClause: Clauses._rate,
    d.ValueClause: Clauses._value,
    d.InputClause: Clauses._input,
    d.ReturnsClause: Clauses._returns,
    d.ErrorClause: Clauses._error,
    d.FilterClause: Clauses._filter,
    d.SortClause: Clauses._sort,
    d.ValidateClause: Clauses._validate,
    d.OnClause: Clauses._on,
    d.DoClause: lambda printer, node, depth: printer.block(node.body, "do", depth),
    d.ActionSettings: Clauses._actions,
    ev.TriggerClause: Clauses._trigger,
    ev.EventsClause: Clauses._events,
    i.OperationClause: Clauses._operation,
    i.TextClause: Clauses._text,
    i.MapClause: lambda printer, node, depth: printer.entries(node, node.key.text, node.entries, depth),
    i.BreakerClause: lambda printer, node, depth: printer.clauses_of(node, "circuit_breaker", depth),
    i.ThresholdClause: Clauses._threshold,
    w.RetryClause: Clauses._retry,
    w.ScheduleClause: Clauses._schedule,
    w.StepsClause: Clauses._steps,
    w.WorkClause: Clauses._work,
    w.WaitClause: Clauses._wait,
    w.CompensateClause: Clauses._compensate,
    w.OutcomeClause: Clauses._outcome,
}
