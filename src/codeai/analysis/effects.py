"""What reaches beyond the rows: operations of integrations, executions, messages (language page, sections 7 to 11)."""

from __future__ import annotations

from typing import Final

from codeai.analysis.advice import for_missing
from codeai.analysis.payloads import Payloads
from codeai.analysis.reporter import Reporter, in_quotes
from codeai.analysis.scope import Scope, broken
from codeai.analysis.symbols import OperationSymbol, RunSymbol, Symbols
from codeai.language import types as t
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree.node import Node, Reference
from codeai.model import expression as ir
from codeai.model import statement as s

EXECUTION: Final = t.Record(
    (
        t.RecordField("id", t.Uuid()),
        t.RecordField("name", t.String()),
        t.RecordField("status", t.String()),
        t.RecordField("started_at", t.Timestamp()),
        t.RecordField("attempt", t.Int()),
    ),
    "execution",
)
_OF_FAILURE: Final = ("status", "body")
_FAILURES: Final = "a text, a status, or a record: fails { status: 503, body: { … } }"
_CHANNELS: Final[dict[str, tuple[str, ...]]] = {
    "email": ("template", "subject", "text", "html", "data", "attachment", "from", "cc", "bcc", "reply_to"),
    "slack": ("message", "text", "channel", "data"),
}


class Effects(Payloads):
    """Elaborates calls, starts and messages; emits come from ``Payloads``."""

    def __init__(self, symbols: Symbols, reporter: Reporter, *, query_text: bool = False) -> None:
        super().__init__(symbols, reporter, query_text=query_text)
        self._dispatch |= {q.CallOperation: self._call_operation, q.CallActivity: self._call_activity, q.Start: self._start}
        self._statements |= {st.Send: self._send, st.Mock: self._mock, st.Advance: self._advance}

    # -- operations and activities ---------------------------------------------------------------------------------

    def operation(self, name: Reference) -> OperationSymbol | None:
        """``Integration.operation``; reports what is unknown, a quoted name as a warning."""
        first = name.parts[0]
        integration = self.symbols.integrations.get(first.text)
        if integration is None:
            node = name if name.quoted else first
            self.report.unknown(node, f"unknown integration '{first.text}'", first.text, self.symbols.integrations, "CAI0121")
            return None
        self.symbols.use("integration", first.text)
        if len(name.parts) != 2:
            self.report.error(name, "an operation is written Integration.operation", "CAI0122")
            return None
        second = name.parts[1]
        found = integration.operations.get(second.text)
        if found is None:
            node = name if name.quoted else second
            said = f"integration '{first.text}' has no operation '{second.text}'"
            near = self.report.unknown(node, said, second.text, integration.operations, "CAI0122", owner=first.text)
            if near is not None:
                self.symbols.use("operation", f"{first.text}.{near}")  # one mistake, one finding
            return None
        self.symbols.use("operation", name.text)
        return found

    def _call_operation(self, node: q.CallOperation, scope: Scope, expected: t.Type | None) -> ir.Expression:
        scope.host.impure = True
        scope.host.effects.append(("call", node))
        symbol = self.operation(node.operation)
        if symbol is None:
            given = tuple(ir.Entry(entry.key.text, self.expression(entry.value, scope)) for entry in node.values)
            if not node.operation.quoted:
                return broken(node)
            integration, _, operation = node.operation.text.partition(".")
            return ir.CallOperation(type=t.Json(), integration=integration, operation=operation, values=given, at=node.start)
        values = self._arguments_of(node, node.values, symbol, scope)
        first, second = node.operation.parts
        return ir.CallOperation(type=symbol.result, integration=first.text, operation=second.text, values=values, at=node.start)

    def _arguments_of(self, node: Node, values: tuple[ex.MapEntry, ...], symbol: OperationSymbol, scope: Scope) -> tuple[ir.Entry, ...]:
        found: list[ir.Entry] = []
        seen: dict[str, Node] = {}
        for entry in values:
            name = entry.key.text
            if name in seen:
                self.report.duplicate(entry.key, name, seen[name])
            seen[name] = entry.key
            found.append(ir.Entry(name, self._argument_of(entry, symbol, scope)))
        missing = [field.name for field in symbol.arguments.fields if field.required and field.name not in seen]
        if missing:
            said = f"missing {in_quotes(missing)} in the call of '{symbol.name}'"
            self.report.absent(node, node, said, "CAI0306", owner=symbol.name, lacking=missing, help_text=for_missing(missing))
        return tuple(found)

    def _argument_of(self, entry: ex.MapEntry, symbol: OperationSymbol, scope: Scope) -> ir.Expression:
        name = entry.key.text
        field = symbol.arguments.field(name)
        if field is not None:
            return self.value(
                entry.value, scope, field.type, f"argument '{name}'", nullable=not field.required or t.is_nullable(field.type)
            )
        if name != "idempotency_key" and not symbol.open:
            known = [known.name for known in symbol.arguments.fields]
            self.report.unknown(entry.key, f"operation '{symbol.name}' takes no '{name}'", name, known, "CAI0106", owner=symbol.name)
        return self.expression(entry.value, scope)

    def _call_activity(self, node: q.CallActivity, scope: Scope, expected: t.Type | None) -> ir.Expression:
        scope.host.impure = True
        scope.host.effects.append(("activity", node))
        if len(node.function.parts) < 2:
            hint = "the module lies in activities/ beside the program"
            self.report.error(node.function, "an activity is written module.function", "CAI0123", help_text=hint)
        values = tuple(ir.Entry(entry.key.text, self.expression(entry.value, scope)) for entry in node.values)
        return ir.CallActivity(type=t.Json(), source=node.function.text, values=values, at=node.start)

    # -- executions ------------------------------------------------------------------------------------------------

    def _start(self, node: q.Start, scope: Scope, expected: t.Type | None) -> ir.Expression:
        scope.host.impure = True
        scope.host.writes = True
        table, kind = (self.symbols.jobs, "job") if node.kind == "run" else (self.symbols.workflows, "workflow")
        name = node.target.text
        symbol = table.get(name)
        if symbol is None:
            other = self.symbols.workflows if node.kind == "run" else self.symbols.jobs
            if name in other:
                word = "start" if node.kind == "run" else "run"
                self.report.error(node.target, f"'{name}' is no {kind}", "CAI0124", help_text=f"write '{word} {name}'")
            else:
                self.report.unknown(node.target, f"unknown {kind} '{name}'", name, table, "CAI0124")
            return broken(node)
        self.symbols.use(kind, name)
        scope.host.emits.append((kind, name))
        values = self.run_input(node, node.values, symbol, scope)
        return ir.StartRun(type=EXECUTION, kind=kind, target=name, values=values, at=node.start)  # type: ignore[arg-type]  # one of two

    def run_input(self, node: Node, values: tuple[ex.MapEntry, ...], symbol: RunSymbol, scope: Scope) -> tuple[ir.Entry, ...]:
        """The input of a workflow or job, checked against its declaration."""
        literal = ex.MapLiteral(node.start, node.end, values)
        found = self.expression(literal, scope, symbol.input)
        return found.entries if isinstance(found, ir.RecordOf) else ()

    # -- messages --------------------------------------------------------------------------------------------------

    def _send(self, node: st.Send, scope: Scope) -> s.Statement | None:
        scope.host.impure = True
        scope.host.writes = True  # a message waits in the database for the commit
        scope.host.effects.append(("send", node))
        target = node.target
        name = target.callee.text if isinstance(target, ex.Call) and isinstance(target.callee, ex.Name) else ""
        if not isinstance(target, ex.Call) or name not in _CHANNELS or len(target.arguments) != 1:
            place = target.callee if name and name not in _CHANNELS and isinstance(target, ex.Call) else target
            self.report.unknown(
                place, f"unknown channel '{name}'" if name else "send goes to email(…) or slack(…)", name, _CHANNELS, "CAI0125"
            )
            return None
        to = self.value(target.arguments[0].value, scope, t.String(), f"the address of '{name}'", nullable=False)
        values: list[ir.Entry] = []
        for entry in node.values:
            if entry.key.text not in _CHANNELS[name]:
                self.report.unknown(
                    entry.key, f"'{name}' takes no '{entry.key.text}'", entry.key.text, _CHANNELS[name], "CAI0106", owner=name
                )
            values.append(ir.Entry(entry.key.text, self.expression(entry.value, scope)))
        return s.Send(channel=name, target=to, values=tuple(values), at=node.start)  # type: ignore[arg-type]  # checked above

    # -- tests -----------------------------------------------------------------------------------------------------

    def _mock(self, node: st.Mock, scope: Scope) -> s.Statement | None:
        if not scope.host.test:
            self.report.error(node, "'mock' stands in tests only", "CAI0346", help_text="move it into a 'test \"…\" { … }'")
        symbol = self.operation(node.operation)
        if node.outcome.text not in ("returns", "fails"):
            self.report.unknown(node.outcome, f"unknown outcome '{node.outcome.text}'", node.outcome.text, ("returns", "fails"), "CAI0126")
        fails = node.outcome.text == "fails"
        if symbol is not None and not fails and not isinstance(symbol.result, t.Void | t.Json):
            value = self.value(node.value, scope, symbol.result, f"the answer of '{symbol.name}'", nullable=t.is_nullable(symbol.result))
        else:
            value = self.expression(node.value, scope)
        if fails:
            self._mocked_failure(node.value, value.type)
        if symbol is None:
            return None
        first, second = node.operation.parts
        return s.Mock(integration=first.text, operation=second.text, fails=fails, value=value, at=node.start)

    def _mocked_failure(self, node: ex.Expression, type_: t.Type) -> None:
        """What a peer fails with: a text, a status, or a record of ``status`` and ``body``."""
        statuses = [node]
        if isinstance(node, ex.MapLiteral):
            for entry in node.entries:
                if entry.key.text not in _OF_FAILURE:
                    said = f"'fails' takes no '{entry.key.text}'"
                    self.report.unknown(entry.key, said, entry.key.text, _OF_FAILURE, "CAI0106", owner="fails", otherwise=_FAILURES)
            statuses = [entry.value for entry in node.entries if entry.key.text == "status"]
        elif not isinstance(t.required(type_), t.String | t.Text | t.Int | t.Record | t.Map | t.Json | t.Unknown):
            self.report.error(node, f"'fails' takes no {t.required(type_)}", "CAI0301", help_text=_FAILURES)
        for status in statuses:
            if isinstance(status, ex.IntLiteral) and not 300 <= status.value <= 599:
                self.report.error(status, "a peer fails with a status from 300 to 599", "CAI0343", help_text="what succeeds is 'returns'")

    def _advance(self, node: st.Advance, scope: Scope) -> s.Statement:
        if not scope.host.test:
            self.report.error(node, "'advance' stands in tests only", "CAI0346", help_text="move it into a 'test \"…\" { … }'")
        return s.Advance(duration=self.ahead(node.duration, scope, "advance"), at=node.start)
