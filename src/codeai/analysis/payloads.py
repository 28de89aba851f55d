"""Emitted events and how their payloads are filled (language page, sections 6 and 8)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from codeai.analysis.advice import for_missing
from codeai.analysis.reporter import Reporter, in_quotes
from codeai.analysis.scope import Scope
from codeai.analysis.statements import Statements
from codeai.analysis.symbols import EventSymbol, Symbols
from codeai.language import types as t
from codeai.language.naming import snake_case
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree.node import Node, Reference
from codeai.model import expression as ir
from codeai.model import statement as s

EVENT_FACTS: Final = (
    t.RecordField("id", t.Uuid()),
    t.RecordField("name", t.String()),
    t.RecordField("time", t.Timestamp()),
    t.RecordField("actor", t.optional(t.String())),
    t.RecordField("key", t.optional(t.String())),
    t.RecordField("attempt", t.Int()),
    t.RecordField("replay_of", t.optional(t.Uuid())),
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


def wire_name(name: str) -> str:
    """The dotted name of an event, the same for ``OrderPlaced``, ``order_placed`` and ``order.placed``."""
    return ".".join(word.lower() for part in re.split(r"[._]", name) for word in _WORD.findall(part))


Sources = Mapping[str, ir.Expression]


class Payloads(Statements):
    """Elaborates ``emit``."""

    def __init__(self, symbols: Symbols, reporter: Reporter, *, query_text: bool = False) -> None:
        super().__init__(symbols, reporter, query_text=query_text)
        self._statements[st.Emit] = self._emit

    def event(self, name: Reference) -> EventSymbol | None:
        """The event of that name in any of its spellings; reports an unknown one."""
        found = self.symbols.events.get(wire_name(name.text))
        if found is None:
            known = [symbol.name for symbol in self.symbols.events.values()]
            self.report.unknown(name, f"unknown event '{name.text}'", name.text, known, "CAI0120")
            return None
        self.symbols.use("event", found.wire)
        return found

    def event_record(self, symbol: EventSymbol | None) -> t.Type:
        """What ``event`` holds: the payload beside the facts of every event; a field of the payload wins over a fact."""
        if symbol is None:
            return t.Json()
        names = {field.name for field in symbol.payload.fields}
        facts = tuple(fact for fact in EVENT_FACTS if fact.name not in names)
        return t.Record((*symbol.payload.fields, *facts), symbol.name)

    def _emit(self, node: st.Emit, scope: Scope) -> s.Statement | None:
        symbol = self.event(node.event)
        scope.host.impure = True
        scope.host.writes = True
        if symbol is None:
            if node.payload is not None:
                self.expression(node.payload, scope)
            return self.undeclared("event", node.event)
        scope.host.emits.append(("event", symbol.wire))
        payload = self._payload(node, symbol, scope)
        return s.Emit(event=symbol.wire, payload=payload, at=node.start)

    def undeclared(self, kind: str, name: Reference) -> s.Statement | None:
        """What the use of a quoted name that nothing declares does (there is a warning): it fails and says so."""
        if not name.quoted:
            return None
        message = ir.Constant(type=t.String(), value=f"{kind} '{name.text}' is not declared", at=name.start)
        return s.Fail(failure=s.Failure(501, message, s.NOT_DECLARED), at=name.start)

    def _payload(self, node: st.Emit, symbol: EventSymbol, scope: Scope) -> ir.Expression:
        sources = scope.host.sources
        if node.payload is None and sources is not None:
            return self.filled(node, symbol, sources, moment=True)
        if node.payload is None or isinstance(node.payload, ex.MapLiteral):
            literal = node.payload or ex.MapLiteral(node.start, node.end, ())
            return self.expression(literal, scope, symbol.payload)
        value = self.expression(node.payload, scope)
        type_ = t.required(value.type)
        if isinstance(type_, t.Row | t.Record):
            return self.filled(node.payload, symbol, self.sources_of(value))
        if not isinstance(type_, t.Json | t.Unknown):
            self.report.error(node.payload, f"a payload is a record, not {type_}", "CAI0301")
        return value

    def filled(self, node: Node, symbol: EventSymbol, sources: Sources, *, moment: bool = False) -> ir.Expression:
        """A payload whose fields are taken from sources by name; what has none is null if it may be, else an error.

        :param moment: a timestamp called ``<verb>_at`` that has no source is the time of the transaction
        """
        entries: list[ir.Entry] = []
        missing: list[str] = []
        for field in symbol.payload.fields:
            found = sources.get(field.name)
            if found is None and moment and field.name.endswith("_at") and isinstance(t.required(field.type), t.Timestamp):
                found = ir.Call(type=t.Timestamp(), function="now", arguments=(), at=node.start)
            if found is not None:
                entries.append(ir.Entry(field.name, self.fitted(node, found, field.type, f"field '{field.name}'")))
            elif field.required or not t.is_nullable(field.type):
                missing.append(field.name)
        if missing:
            said = f"missing {in_quotes(missing)} in {symbol.payload or symbol.name}"
            self.report.absent(node, node, said, "CAI0306", owner=symbol.name, lacking=missing, help_text=for_missing(missing))
        return ir.RecordOf(type=symbol.payload, entries=tuple(entries), at=node.start)

    def sources_of(self, value: ir.Expression) -> dict[str, ir.Expression]:
        """The readable fields of a row or record by name; ``product_id`` is the key of a Product besides."""
        type_ = t.required(value.type)
        if isinstance(type_, t.Record):
            return {field.name: ir.Member(type=field.type, target=value, name=field.name, at=value.at) for field in type_.fields}
        if not isinstance(type_, t.Row):
            return {}
        entity = self.symbols.entities[type_.entity]
        found: dict[str, ir.Expression] = {
            field.name: ir.FieldValue(
                type=t.optional(field.type) if field.nullable else field.type, row=value, field=field.name, at=value.at
            )
            for field in entity.fields.values()
            if field.readable
        }
        if entity.primary:
            key = ir.FieldValue(type=entity.key_type, row=value, field=entity.primary, at=value.at)
            found.setdefault(snake_case(entity.name) + "_id", key)
        return found
