"""What tests ask about: executions, calls of other systems, events, messages (language page, section 11)."""

from __future__ import annotations

from typing import Final

from codeai.analysis.effects import EXECUTION, Effects
from codeai.analysis.scope import Scope, broken
from codeai.language import types as t
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier, Reference
from codeai.model import expression as ir

_WANTED: Final = {
    "executions": "a workflow or job, as in executions(Refunding)",
    "calls": "an operation, as in calls(Payments.refund)",
    "events": "an event, as in events(OrderPlaced)",
    "messages": "nothing",
}
_MESSAGE: Final = t.Record(
    (t.RecordField("kind", t.String()), t.RecordField("to", t.String()), t.RecordField("content", t.Json())), "message"
)


class Inquiries(Effects):
    """Elaborates what tests ask about."""

    def inquired(self, node: ex.Call, name: str, scope: Scope) -> ir.Expression:
        """``executions(W)``, ``calls(I.operation)``, ``events(E)`` and ``messages()``: all there were, the oldest first."""
        scope.host.impure = True
        named = reference_of(node.arguments[0].value) if len(node.arguments) == 1 else None
        if (named is None or len(node.arguments) > 1) if name != "messages" else node.arguments:
            said = f"'{name}' takes {_WANTED[name]}"
            self.report.error(node, said, "CAI0301")
            return broken(node)
        what, type_ = self._asked(name, named) if named is not None else ("", _MESSAGE)
        if type_ is None:
            return broken(node)
        argument = ir.Constant(type=t.String(), value=what)
        return ir.Call(type=t.List(type_), function=name, arguments=(argument,), at=node.start)

    def _asked(self, name: str, named: Reference) -> tuple[str, t.Type | None]:
        """What is asked about, by the name that the runtime knows, and what is told of each."""
        if name == "events":
            event = self.event(named)
            return (event.wire, self.event_record(event)) if event is not None else ("", None)
        if name == "calls":
            operation = self.operation(named)
            return named.text, operation.arguments if operation is not None else None
        known = {**self.symbols.workflows, **self.symbols.jobs}
        if named.text not in known:
            self.report.unknown(named, f"unknown workflow '{named.text}'", named.text, known, "CAI0124")
            return "", None
        self.symbols.use("workflow" if named.text in self.symbols.workflows else "job", named.text)
        return named.text, EXECUTION


def reference_of(node: ex.Expression) -> Reference | None:
    """The dotted name that stands where a value could, or None where one does."""
    parts: list[Identifier] = []
    at = node
    while isinstance(at, ex.Member):
        parts.insert(0, at.name)
        at = at.target
    if not isinstance(at, ex.Name):
        return None
    return Reference(node.start, node.end, (Identifier(at.start, at.end, at.text), *parts))
