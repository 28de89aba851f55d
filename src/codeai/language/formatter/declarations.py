"""Declarations and their clauses as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from codeai.language.formatter.printer import FIELDS, INDENT, quoted
from codeai.language.formatter.statements import Statements
from codeai.language.formatter.words import settled
from codeai.language.lexer import is_dotted, is_name
from codeai.language.parser.scripts import STATEMENTS
from codeai.language.source import SourceFile
from codeai.language.tree import declarations as d
from codeai.language.tree import events as ev
from codeai.language.tree import expressions as ex
from codeai.language.tree import integrations as i
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree import workflows as w
from codeai.language.tree.module import Module
from codeai.language.tree.node import Identifier, Node

_STATEMENT: Final = re.compile(r"[\[(\"'0-9]|\w+[(\[.]|exec \{")  # how an expression begins that is a statement of a script
_CONDITIONS: Final = ", "


class Declarations(Statements):
    """Prints whole files.

    :param kept: declarations that are left as they are written
    """

    def __init__(self, module: Module, file: SourceFile, kept: Sequence[Node] = ()) -> None:
        super().__init__(module, file)
        self.kept = frozenset(id(node) for node in kept)
        self.alone: list[str] = []  # the text of each declaration by itself

    def module(self) -> str:
        """The file: declarations of several lines stand apart, single lines may stand together."""
        return settled(self.items(self.tree.declarations, self.declaration, 0, self.tree.start, self.tree.end, spaced=self._apart))

    def _apart(self, before: tuple[d.Declaration, str], after: tuple[d.Declaration, str]) -> bool:
        several = before[1].count("\n") > 1 or after[1].count("\n") > 1
        return several or type(before[0]) is not type(after[0])

    def declaration(self, node: Node, depth: int) -> str:
        """One declaration, with its annotations."""
        if id(node) in self.kept:
            return self.as_written(node)
        annotations = getattr(node, "annotations", ())
        lead = self.items(annotations, self._annotation, depth, annotations[0].start, node.start) if annotations else ""
        text = self.described(node, depth) + lead + _DECLARATIONS[type(node)](self, node, depth)
        self.printed.clear()
        self.alone.append(settled(text))
        return text

    def described(self, node: Node, depth: int) -> str:
        """The description as a comment, where an older spelling gave it in another form."""
        text: str = getattr(node, "description", "")
        if not text or self.documented(node):
            return ""
        return "".join(f"/// {line.strip()}\n{INDENT * depth}" for line in text.split("\n"))

    def clause(self, node: Node, depth: int) -> str:
        """One clause."""
        return _CLAUSES[type(node)](self, node, depth)

    def _annotation(self, node: d.Annotation, depth: int) -> str:
        arguments = f"({', '.join(self.expression(argument, depth) for argument in node.arguments)})" if node.arguments else ""
        return f"@{node.name.text}{arguments}"

    def name(self, node: Identifier) -> str:
        """A name, quoted where it is none."""
        return node.text if is_dotted(node.text) else quoted(node.text)

    def enum_member(self, node: Identifier) -> str:
        """A member of an enum, which has no dots unless it is quoted."""
        return node.text if is_name(node.text) else quoted(node.text)

    def _names(self, node: d.NamesClause, depth: int) -> str:
        return self.enclosed(f"{node.key.text}: [", [self.name(name) for name in node.names], "]", depth)

    def clauses_of(self, node: Any, head: str, depth: int) -> str:
        """``head { clauses }``."""
        return self.braces(node, head, node.clauses, self.clause, depth)

    def path(self, node: d.Path) -> str:
        """A path, its parameters in braces; quoted where it would begin a comment."""
        path = "/" + "/".join(f"{{{part.text}}}" if part.parameter else part.text for part in node.segments)
        return quoted(path) if path.startswith(("//", "/*")) else path

    def _enum(self, node: d.EnumDeclaration, depth: int) -> str:
        return self.braces(node, f"enum {node.name.text}", node.members, lambda member, inner: self.enum_member(member), depth, joiner=", ")

    def _function(self, node: d.FunctionDeclaration, depth: int) -> str:
        parameters = [p.name.text + (f": {self.type(p.type, depth)}" if p.type is not None else "") for p in node.parameters]
        result = f" -> {self.type(node.result, depth)}" if node.result is not None else ""
        if node.body is None:
            return self.enclosed(f"extern function {node.name.text}(", parameters, f"){result} from {quoted(node.source or '')}", depth)
        head = self.enclosed(f"function {node.name.text}(", parameters, f"){result} {{", depth).removesuffix(" {")
        return self.block(node.body, head, depth)

    def _script(self, node: d.Script, depth: int) -> str:
        return self.items(node.body.statements, self._of_script, depth, node.start, node.end).rstrip("\n")

    def _of_script(self, node: Node, depth: int) -> str:
        """A statement between declarations, which begins as such or stands in parentheses."""
        text = self.statement(node, depth)
        if not isinstance(node, st.ExpressionStatement) or _STATEMENT.match(text) is not None:
            return text
        word = text.partition(" ")[0]
        return text if word in STATEMENTS and "{" not in text[len(word) : len(word) + 2] and word != text else f"({text})"

    def _resource(self, node: d.ResourceDeclaration, depth: int) -> str:
        return self.clauses_of(node, f"resource {node.entity.text} at {self.path(node.path)}", depth)

    def _endpoint(self, node: d.EndpointDeclaration, depth: int) -> str:
        return self.clauses_of(_behind(node, node.path), f"endpoint {node.method.text} {self.path(node.path)}", depth)

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

    # -- clauses ---------------------------------------------------------------------------------------------------

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
        return f"auth: {', '.join(self.name(name) for name in node.names)}"

    def _rate(self, node: d.RateLimitClause, depth: int) -> str:
        by = f" by {node.by.text}" if node.by is not None else ""
        return f"rate_limit: {self.expression(node.requests, depth)} per {self.expression(node.window, depth)}{by}"

    def _value(self, node: d.ValueClause, depth: int) -> str:
        if node.key.text == "isolation" and isinstance(node.value, ex.StringLiteral):
            return f"isolation: {node.value.value}"
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
        terms = [self.expression(term.value, depth) + (" desc" if term.descending else "") for term in node.terms]
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

    def _on(self, node: d.OnClause, depth: int) -> str:
        single = len(node.body.statements) == 1 and not self.between(node.key.end, node.body.start).strip().startswith("{")
        if single and self.between(node.body.start, node.body.start + 1) != "{":
            return f"{node.key.text}: {self.statement(node.body.statements[0], depth)}"
        return self.block(node.body, node.key.text, depth)

    def _actions(self, node: d.ActionSettings, depth: int) -> str:
        return self.clauses_of(node, ", ".join(action.text for action in node.actions), depth)

    # -- events and integrations -----------------------------------------------------------------------------------

    def _event(self, node: ev.EventDeclaration, depth: int) -> str:
        return self.clauses_of(node, f"event {node.name.text}", depth)

    def _handler(self, node: ev.HandlerDeclaration, depth: int) -> str:
        head = f"on {self.reference(node.event)}"
        if node.where is not None:
            head = self.header(f"{head} where ", node.where, depth)
        if node.body is not None:
            return self.block(node.body, head, depth)
        assert node.kind is not None
        assert node.target is not None
        head = f"{head} do {node.kind.text} {self.reference(node.target)}"
        return self.entries(node, head, node.values, depth) if node.values else head

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
        failures = self.expression(node.failures, depth)
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
            return f"{node.key.text}: {self.statement(node.body.statements[0], depth)}"
        assert node.action is not None
        message = f"({self.expression(node.message, depth)})" if node.message is not None else ""
        return f"{node.key.text}: {node.action.text}{message}"


def _behind(node: d.EndpointDeclaration, path: d.Path) -> Any:
    """The declaration from the end of its path, in which braces mean parameters."""
    return d.ActionSettings(path.end, node.end, (), node.clauses)


_Print = Callable[[Declarations, Any, int], str]
_DECLARATIONS: Final[dict[type, _Print]] = {
    d.ImportDeclaration: lambda printer, node, depth: f"import {quoted(node.pattern)}",
    d.ConfigDeclaration: lambda printer, node, depth: printer._settings(node, "config", depth),
    d.EntityDeclaration: lambda printer, node, depth: printer.clauses_of(node, f"entity {node.name.text}", depth),
    d.TypeDeclaration: lambda printer, node, depth: printer.braces(
        node, f"type {node.name.text}", node.fields, printer.field, depth, joiner=FIELDS
    ),
    d.EnumDeclaration: Declarations._enum,
    d.ResourceDeclaration: Declarations._resource,
    d.EndpointDeclaration: Declarations._endpoint,
    d.FunctionDeclaration: Declarations._function,
    d.Script: Declarations._script,
    d.AuthDeclaration: lambda printer, node, depth: printer._settings(node, f"auth {node.name.text}", depth),
    d.RoleDeclaration: lambda printer, node, depth: printer.clauses_of(node, f"role {node.name.text}", depth),
    d.SeedDeclaration: lambda printer, node, depth: printer.block(node.body, "seed", depth),
    d.TestDeclaration: lambda printer, node, depth: printer.block(node.body, f"test {quoted(node.name)}", depth),
    ev.EventDeclaration: Declarations._event,
    ev.HandlerDeclaration: Declarations._handler,
    ev.WebhookDeclaration: lambda printer, node, depth: printer.clauses_of(node, f"webhook {node.name.text}", depth),
    i.IntegrationDeclaration: lambda printer, node, depth: printer.clauses_of(node, f"integration {node.name.text}", depth),
    i.MiddlewareDeclaration: lambda printer, node, depth: printer._settings(node, f"middleware {node.name.text}", depth),
    w.WorkflowDeclaration: lambda printer, node, depth: printer.clauses_of(node, f"workflow {node.name.text}", depth),
    w.JobDeclaration: lambda printer, node, depth: printer.clauses_of(node, f"job {node.name.text}", depth),
}
_CLAUSES: Final[dict[type, _Print]] = {
    d.FieldDeclaration: Declarations.field,
    d.IndexClause: Declarations._index,
    d.CheckClause: lambda printer, node, depth: printer.fitting("check: ", node.condition, depth),
    d.TableClause: lambda printer, node, depth: f"table: {quoted(node.name)}",
    d.TraitsClause: Declarations._traits,
    d.AllowClause: Declarations._allow,
    d.HideClause: Declarations._hide,
    d.AuthClause: Declarations._auth,
    d.NamesClause: Declarations._names,
    d.RateLimitClause: Declarations._rate,
    d.ValueClause: Declarations._value,
    d.InputClause: Declarations._input,
    d.ReturnsClause: Declarations._returns,
    d.ErrorClause: Declarations._error,
    d.FilterClause: Declarations._filter,
    d.SortClause: Declarations._sort,
    d.ValidateClause: Declarations._validate,
    d.OnClause: Declarations._on,
    d.DoClause: lambda printer, node, depth: printer.block(node.body, "do", depth),
    d.ActionSettings: Declarations._actions,
    ev.TriggerClause: Declarations._trigger,
    ev.EventsClause: Declarations._events,
    i.OperationClause: Declarations._operation,
    i.TextClause: Declarations._text,
    i.MapClause: lambda printer, node, depth: printer.entries(node, node.key.text, node.entries, depth),
    i.BreakerClause: lambda printer, node, depth: printer.clauses_of(node, "circuit_breaker", depth),
    i.ThresholdClause: Declarations._threshold,
    w.RetryClause: Declarations._retry,
    w.ScheduleClause: Declarations._schedule,
    w.StepsClause: Declarations._steps,
    w.WorkClause: Declarations._work,
    w.WaitClause: Declarations._wait,
    w.CompensateClause: Declarations._compensate,
    w.OutcomeClause: Declarations._outcome,
}
