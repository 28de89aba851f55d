"""Steps of workflows and jobs (language page, section 9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeVar

import msgspec

from codeai.analysis import kinds as k
from codeai.analysis.advice import for_list
from codeai.analysis.events import Events
from codeai.analysis.names import shown_with
from codeai.analysis.payloads import wire_name
from codeai.analysis.sagas import is_saga, report_never_undone, report_uncompensated
from codeai.analysis.scope import Host, Scope
from codeai.analysis.statements import finish
from codeai.analysis.symbols import EntitySymbol
from codeai.language import types as t
from codeai.language.diagnostics import DiagnosticClass
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree import workflows as w
from codeai.language.tree.node import Identifier, Node
from codeai.model import expression as ir
from codeai.model import statement as s
from codeai.model.workflow import Group, Outcome, Step, Work

_AT_ONCE: Final = k.whole(1, 1_000)
_TAKEN: Final = ("steps", "error", "result", "event", "config")
_Clause = TypeVar("_Clause", bound=d.Clause)
_FAILURE: Final = t.Record(
    (
        t.RecordField("message", t.String()),
        t.RecordField("code", t.optional(t.String())),
        t.RecordField("step", t.optional(t.String())),
        t.RecordField("status", t.optional(t.Int())),
        t.RecordField("body", t.Json()),
    ),
    "error",
)

_MEANING: Final = "it means something in steps already: call it otherwise"
_WITH_STEPS: Final = "add 'steps { … }'"


class Run:
    """A workflow or job while its steps are resolved: what they may refer to, and what was found out."""

    def __init__(self, name: str, values: dict[str, t.Type]) -> None:
        self.name = name
        self.values = values
        self.steps: dict[str, t.RecordField] = {}
        self.places: dict[str, Node] = {}
        self.aliases: dict[str, t.Type] = {}
        self.named: dict[str, Node] = {}
        self.emits: list[tuple[str, str]] = []
        self.carried: dict[str, tuple[ir.RelationPath, ...]] = {}  # the relations that the rows of an item hold
        self.saga = False

    def host(self, kind: str, more: dict[str, t.Type] | None = None, *, result: t.Type | None = None) -> Host:
        """A host that sees what the run gives at this point."""
        steps = t.Record(tuple(self.steps.values()), "steps")
        values = {**self.values, "steps": steps, **self.aliases, **(more or {})}
        return Host(kind, user=False, values=values, result=result, carried=dict(self.carried))


class Steps(Events):
    """Elaborates what an execution does, step by step."""

    def ending(self, clauses: tuple[d.Clause, ...], key: str, run: Run) -> s.Block:
        """What follows the last step: ``on_complete`` or ``on_fail``."""
        clause = next((c for c in clauses if isinstance(c, d.OnClause) and c.key.text == key), None)
        if clause is None:
            return ()
        host = run.host(f"'{key}'", {"error": _FAILURE} if key == "on_fail" else None)
        body = self.host_block(clause.body, Scope(host))
        run.emits.extend(host.emits)
        return body

    def steps(self, clauses: tuple[d.Clause, ...], run: Run, node: d.Declaration) -> tuple[Step | Group, ...]:
        """All steps of a workflow or job; one ``do`` or ``action`` stands for a step called ``run``."""
        self.single_clauses(clauses)
        self.shadowed = {}
        run.saga = is_saga(clauses)
        report_never_undone(clauses, self.report)
        clause = first_clause(clauses, w.StepsClause)
        self.declared_steps = frozenset(_names(clause.steps)) if clause is not None else frozenset()
        work = [c for c in clauses if isinstance(c, d.DoClause | w.WorkClause)]
        if (clause is None or not clause.steps) and not work:
            hint = _WITH_STEPS
            self.report.absent(node, node.name, f"'{run.name}' has no steps", "CAI0605", help_text=hint)  # type: ignore[attr-defined]  # both declarations have names
            return ()
        if clause is None:
            name = Identifier(node.start, node.end, "run")
            return (self._step(w.Step(node.start, node.end, name, tuple(work)), run),)
        if work:
            self.report.error(work[0], "steps, or one 'do' or 'action', not both", "CAI0605", help_text="make it a step of its own")
        return tuple(self._step_or_group(step, run) for step in clause.steps)

    def _step_or_group(self, node: Node, run: Run) -> Step | Group:
        if isinstance(node, w.ParallelSteps):
            if not node.steps:
                self.report.error(node, "nothing runs side by side here", "CAI0605", help_text="put steps into 'parallel { … }'")
            before = dict(run.steps)
            found: list[Step | Group] = []
            after: dict[str, t.RecordField] = {}
            for step in node.steps:
                run.steps = dict(before)  # branches run side by side and do not see each other
                found.append(self._step_or_group(step, run))
                after |= run.steps
            run.steps = after or before
            return Group(steps=tuple(found), at=node.start)
        assert isinstance(node, w.Step)
        return self._step(node, run)

    def _step(self, node: w.Step, run: Run) -> Step:
        name = node.name.text
        if name in run.places:
            self.report.duplicate(node.name, name, run.places[name], named=True)
        run.places[name] = node.name
        clauses = node.clauses
        self.single_clauses(tuple(clause for clause in clauses if not isinstance(clause, d.DoClause | w.WaitClause)))
        item, items, more = self._repetition(node, run)
        values: dict[str, ex.Expression | None] = {key: self.clause_value(clauses, key) for key in ("when", "parallel", "timeout", "as")}
        when, timeout, alias = values["when"], values["timeout"], values["as"]
        parallel = node.parallel or values["parallel"]
        self._repeated(node, parallel, repeated=items is not None)
        self._check_alias(alias, run)
        works, output, hosts = self._works(clauses, run, more)
        if self._awaits(clauses):
            works, output = self._awaited(works, output, node)
        if not works:
            self.report.absent(node, node.name, f"step '{name}' does nothing", "CAI0605", help_text="give it do, call, activity, wait …")
            output = t.Unknown() if self.report.torn(node) else output
        result = t.List(output) if items is not None else output
        compensate = self._compensation(clauses, run, more, output)
        if run.saga:
            report_uncompensated(node, hosts, self.symbols, self.report)
        found = Step(
            name=name,
            works=works,
            output=result,
            when=self._finished(when, run, more if items is None else {}) if when is not None else None,
            item=item,
            items=items,
            parallel=self.value(parallel, Scope(run.host("a step")), t.Int(), "parallel") if parallel is not None else None,
            alias=_alias(alias),
            timeout=self.milliseconds_of(timeout, "timeout") if timeout is not None else None,
            retry=self.retry_of(clauses, None),
            compensate=compensate,
            on_fail=self._outcome_of(clauses, "on_fail", run, more),
            on_timeout=self._outcome_of(clauses, "on_timeout", run, more),
            description=node.description,
            at=node.start,
        )
        run.carried = {}
        run.steps[name] = t.RecordField(name, self._step_record(name, result))
        if found.alias is not None:
            run.aliases[found.alias] = t.optional(result)
        return found

    def _repeated(self, node: w.Step, parallel: ex.Expression | None, *, repeated: bool) -> None:
        """What is said of the items of a step that has some."""
        for key, value in (("parallel", parallel), ("as_item", self.clause_value(node.clauses, "as_item"))):
            if value is not None and not repeated:
                hint = "add 'for_each x in …', or put steps into 'parallel { … }'" if key == "parallel" else "add 'for_each: …'"
                self.report.error(value, f"'{key}' says something of the items of 'for_each'", "CAI0605", help_text=hint)
        number = isinstance(parallel, ex.IntLiteral | ex.Unary)  # what is none is said by its type
        if parallel is not None and number and k.misfit(_AT_ONCE, parallel) is not None:
            self.report.error(parallel, f"'parallel' takes {_AT_ONCE.wanted}", "CAI0505")

    def _check_alias(self, alias: ex.Expression | None, run: Run) -> None:
        """A name for the result of a step, which hides nothing."""
        if alias is None:
            return
        name = alias.text if isinstance(alias, ex.Name) else alias.value if isinstance(alias, ex.StringLiteral) else ""
        if not name:
            self.report.error(alias, "'as' takes a name", "CAI0505", help_text="as in as: order")
        elif name in run.values or name in (*_TAKEN, "steps"):
            self.report.error(alias, f"duplicate declaration '{name}'", "CAI0102", kind=DiagnosticClass.SCOPE, help_text=_MEANING)
        elif name in run.named:
            self.report.duplicate(alias, name, run.named[name], named=True)
        run.named.setdefault(name, alias)

    def _step_record(self, name: str, output: t.Type) -> t.Type:
        """What ``steps.name`` offers: its output, whether it finished, and the fields of the output."""
        plain = t.required(output)
        if isinstance(plain, t.Unknown) and self.report.failed:
            return plain
        inner = plain.fields if isinstance(plain, t.Record) else ()
        taken = {"output", "ok", "error"}
        self.shadowed[f"step '{name}'"] = frozenset(field.name for field in inner) & taken
        fields = tuple(t.RecordField(field.name, t.optional(field.type)) for field in inner if field.name not in taken)
        facts = (t.RecordField("output", t.optional(output)), t.RecordField("ok", t.Bool()), t.RecordField("error", t.optional(_FAILURE)))
        return t.Record((*facts, *fields), f"step '{name}'")

    def _repetition(self, node: w.Step, run: Run) -> tuple[str | None, ir.Expression | None, dict[str, t.Type]]:
        listed = node.items or self.clause_value(node.clauses, "for_each")
        if listed is None:
            return None, None, {}
        named = self.clause_value(node.clauses, "as_item")
        place: Node = node.item or named or listed
        if named is not None and not isinstance(named, ex.Name):
            self.report.error(named, "'as_item' takes a name", "CAI0505", help_text="as in as_item: order")
        name = node.item.text if node.item is not None else named.text if isinstance(named, ex.Name) else "item"
        if name in run.values or name in _TAKEN:
            self.report.error(place, f"duplicate declaration '{name}'", "CAI0102", kind=DiagnosticClass.SCOPE, help_text=_MEANING)
        host = run.host("a step")
        items = finish(self.expression(listed, Scope(host)), host)
        type_ = t.required(items.type)
        item: t.Type = type_.item if isinstance(type_, t.List) else t.Json()
        if isinstance(item, t.Row):
            run.carried = {name: shown_with(items, Scope(host))}
        if not isinstance(type_, t.List | t.Json | t.Unknown):
            said = f"cannot iterate over non-array type '{type_}'"
            self.report.error(listed, said, "CAI0350", kind=DiagnosticClass.TYPE, help_text=for_list(type_))
        return name, items, {name: item, "index": t.Int()}

    def _finished(self, node: ex.Expression, run: Run, more: dict[str, t.Type]) -> ir.Expression:
        host = run.host("a step", more)
        return finish(self.condition(node, Scope(host)), host)

    def _works(self, clauses: tuple[d.Clause, ...], run: Run, more: dict[str, t.Type]) -> tuple[tuple[Work, ...], t.Type, list[Host]]:
        found: list[Work] = []
        hosts: list[Host] = []
        output: t.Type = t.Null()
        for clause in clauses:
            host = run.host("a step", more)
            scope = Scope(host)
            work: Work | None = None
            if isinstance(clause, d.DoClause):
                work = Work(kind="do", body=self.host_block(clause.body, scope), at=clause.start)
                output = self._result_of(host)
                self._only_inside(host)
            elif isinstance(clause, w.WorkClause):
                work, output = self._work(clause, scope)
            elif isinstance(clause, w.WaitClause):
                work, output = self._wait(clause, run, more)
            if work is not None:
                found.append(msgspec.structs.replace(work, output=output))
                hosts.append(host)
                run.emits.extend(host.emits)
        return tuple(found), output, hosts

    def _awaits(self, clauses: tuple[d.Clause, ...]) -> bool:
        node = self.clause_value(clauses, "await")
        if node is not None and not isinstance(node, ex.BooleanLiteral):
            self.report.error(node, "'await' is true or false", "CAI0505")
        return isinstance(node, ex.BooleanLiteral) and node.value

    def _awaited(self, works: tuple[Work, ...], output: t.Type, node: w.Step) -> tuple[tuple[Work, ...], t.Type]:
        """A step lasts until the workflow that it starts has ended, whose output is not known before."""
        if works and works[-1].kind != "start":
            problem = f"step '{node.name.text}' awaits nothing"
            self.report.error(node.name, problem, "CAI0605", help_text="'await' belongs to a step that ends with 'start: W'")
            return works, output
        last = msgspec.structs.replace(works[-1], awaits=True, output=t.Json()) if works else None
        return ((*works[:-1], last), t.Json()) if last is not None else (works, output)

    def _result_of(self, host: Host) -> t.Type:
        """What the ``return`` of a block gives, as it is recorded."""
        if not host.returned:
            return t.Null()
        found = [self._as_data(type_, shown) for type_, shown in zip(host.returned, host.returned_with, strict=True)]
        return found[0] if all(t.required(other) == t.required(found[0]) for other in found) else t.Json()

    def _only_inside(self, host: Host) -> None:
        """The ``do`` of a step commits with its record, so that nothing outside of the database may stand in it."""
        for word, node in (*host.effects, *(("sleep", node) for node in host.sleeps)):
            self.report.error(node, f"'{word}' is a step of its own", "CAI0606", help_text=f"move it to a step with '{word}:'")

    def _work(self, clause: w.WorkClause, scope: Scope) -> tuple[Work, t.Type]:
        kind: Any = clause.key.text
        statement = clause.statement
        if isinstance(statement, st.Sleep):
            value = self.ahead(statement.duration, scope, "sleep")
            return Work(kind="sleep", value=value, at=clause.start), t.Null()
        if kind == "check" and isinstance(statement, st.ExpressionStatement):
            condition = finish(self.condition(statement.value, scope), scope.host)
            return Work(kind="check", value=condition, at=clause.start), t.Bool()
        if isinstance(statement, st.ExpressionStatement):
            value = finish(self.expression(statement.value, scope), scope.host)
            self._works_for(kind, statement.value, value)
            return Work(kind=kind, value=value, at=clause.start), self._as_data(value.type, shown_with(value, scope))
        body = self.host_block(st.Block(statement.start, statement.end, (statement,)), scope)
        return Work(kind=kind, body=body, at=clause.start), t.Null()

    def _works_for(self, kind: str, node: ex.Expression, value: ir.Expression) -> None:
        """What an ``action`` and a ``query`` do; a value alone is nothing to record."""
        if kind not in ("action", "query") or isinstance(value.type, t.Unknown):
            return
        if isinstance(value, ir.Constant | ir.Local) or (kind == "query" and isinstance(value, ir.ListOf | ir.RecordOf)):
            what = (
                "runs a function or a statement, as in total(input.items)" if kind == "action" else "reads rows, as in first Order where …"
            )
            self.report.error(node, f"'{kind}' {what}", "CAI0605")

    def _wait(self, clause: w.WaitClause, run: Run, more: dict[str, t.Type]) -> tuple[Work, t.Type]:
        symbol = self.event(clause.event)
        record = self.event_record(symbol)
        host = run.host("a wait", {**more, "event": record})
        where = finish(self.condition(clause.where, Scope(host)), host) if clause.where is not None else None
        return Work(
            kind="wait", value=where, event=symbol.wire if symbol is not None else wire_name(clause.event.text), at=clause.start
        ), record

    def _as_data(self, type_: t.Type, shown: tuple[ir.RelationPath, ...] = ()) -> t.Type:
        """A result as it is recorded: rows become records of their stored fields and of the relations that they show."""
        plain = t.required(type_)
        if isinstance(plain, t.Row):
            data: t.Type = self._row_as_data(self.symbols.entities[plain.entity], shown)
        elif isinstance(plain, t.List):
            data = t.List(self._as_data(plain.item, shown))
        else:
            data = plain
        return t.optional(data) if t.is_nullable(type_) else data

    def _row_as_data(self, entity: EntitySymbol, shown: tuple[ir.RelationPath, ...]) -> t.Record:
        fields = {
            field.name: t.RecordField(field.name, t.optional(field.type) if field.nullable else field.type)
            for field in entity.fields.values()
            if field.readable
        }
        for name in dict.fromkeys(path[0] for path in shown):
            relation = entity.relations[name]
            row = self._row_as_data(self.symbols.entities[relation.entity], tuple(p[1:] for p in shown if p[0] == name and len(p) > 1))
            related: t.Type = t.List(row) if relation.kind == "many" else t.optional(row) if relation.nullable else row
            fields[name] = t.RecordField(name, related)
        return t.Record(tuple(fields.values()), entity.name)

    def _compensation(self, clauses: tuple[d.Clause, ...], run: Run, more: dict[str, t.Type], output: t.Type) -> s.Block | None:
        clause = first_clause(clauses, w.CompensateClause)
        if clause is None:
            return None
        host = run.host("a compensation", {**more, "result": output})
        body = self.host_block(clause.body, Scope(host))
        run.emits.extend(host.emits)
        return body

    def _outcome_of(self, clauses: tuple[d.Clause, ...], key: str, run: Run, more: dict[str, t.Type]) -> Outcome | None:
        clause = next((c for c in clauses if isinstance(c, w.OutcomeClause) and c.key.text == key), None)
        if clause is None:
            return None
        host = run.host(f"'{key}'", {**more, "error": _FAILURE})
        if clause.body is not None:
            body = self.host_block(clause.body, Scope(host))
            run.emits.extend(host.emits)
            return Outcome(action="block", body=body)
        message = self.value(clause.message, Scope(host), t.String(), "the message") if clause.message is not None else None
        action: Any = clause.action.text if clause.action is not None else "rollback"
        return Outcome(action=action, message=message)


def _alias(node: ex.Expression | None) -> str | None:
    return node.text if isinstance(node, ex.Name) else node.value if isinstance(node, ex.StringLiteral) and node.value else None


def _names(steps: tuple[Node, ...]) -> Iterator[str]:
    """The names of all steps, those side by side, too."""
    for step in steps:
        if isinstance(step, w.Step):
            yield step.name.text
        elif isinstance(step, w.ParallelSteps):
            yield from _names(step.steps)


def first_clause(clauses: tuple[d.Clause, ...], kind: type[_Clause]) -> _Clause | None:
    """The first clause of that kind."""
    return next((clause for clause in clauses if isinstance(clause, kind)), None)
