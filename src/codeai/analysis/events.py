"""Events, handlers and webhooks (language page, section 8)."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection
from typing import Final

from codeai.analysis.middleware import Middlewares
from codeai.analysis.payloads import wire_name
from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Host, Range, Scope
from codeai.analysis.statements import finish
from codeai.analysis.symbols import EventSymbol, Symbols
from codeai.analysis.unread import report_unread
from codeai.language import types as t
from codeai.language.tree import declarations as d
from codeai.language.tree import events as ev
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree.node import Identifier, Node, Reference, children
from codeai.model import expression as ir
from codeai.model.endpoint import InputField
from codeai.model.event import Change, Event, Handler, Publication, Retry, Webhook

_PUBLICATIONS: Final = ("webhook", "kafka", "slack", "email")
_FORMS: Final = {
    "kafka": re.compile(r"[A-Za-z0-9._-]{1,249}"),
    "slack": re.compile(r"[#@]?[^\s#@]{1,80}"),
    "email": re.compile(r"(.*<)?[^\s@<>]+@[^\s@<>]+>?"),
}
_CALLED: Final = {"kafka": "topic", "slack": "channel", "email": "address"}
_KEYS: Final = (t.Json, t.List, t.Map, t.Record, t.Row, t.Bytes)
_DECLARED: Final = {"integration": "operation", "emit": "event"}  # what the target of a handler is, where the keyword is another


class Events(Middlewares):
    """Elaborates events and what happens on them; ``delivered`` are webhook and event of each ``on E do webhook W``."""

    def __init__(self, symbols: Symbols, reporter: Reporter, *, query_text: bool = False) -> None:
        super().__init__(symbols, reporter, query_text=query_text)
        self.delivered: list[tuple[str, str]] = []
        self.numbers: dict[str, int] = {}

    def declare_event(self, node: ev.EventDeclaration) -> None:
        """Enters an event under the one name that its spellings share."""
        wire = wire_name(node.name.text)
        first = self.symbols.events.get(wire)
        if first is not None:
            self.report.duplicate(node.name, node.name.text, first.declaration.name, named=True)
            return
        self.symbols.events[wire] = EventSymbol(node.name.text, wire, node)

    def declare_payloads(self) -> None:
        """The payload of every event."""
        for symbol in self.symbols.events.values():
            for clause in symbol.declaration.clauses:
                if isinstance(clause, d.InputClause):
                    fields = clause.fields
                    record = self.record(fields) if clause.type is None else self.resolve(clause.type)
                    symbol.payload = t.Record(record.fields, symbol.name) if isinstance(record, t.Record) else t.Record((), symbol.name)

    def event_model(self, symbol: EventSymbol) -> Event:
        """An event, resolved."""
        clauses = symbol.declaration.clauses
        self.single_clauses(clauses)
        payload = next((clause for clause in clauses if isinstance(clause, d.InputClause)), None)
        host = Host("an event", user=False, database=False, values={"event": self.event_record(symbol)})
        key = self.clause_value(clauses, "key")
        return Event(
            name=symbol.name,
            wire=symbol.wire,
            payload=symbol.payload,
            fields=self.taken(payload),
            key=self._event_key(key, symbol, host) if key is not None else None,
            change=self._change(symbol, clauses),
            publish=self._publications(self.clause_value(clauses, "publish_to")),
            description=symbol.declaration.description,
            at=symbol.declaration.start,
        )

    def taken(self, clause: d.InputClause | None) -> tuple[InputField, ...]:
        """The fields of a payload, or what a run takes: those in braces, or those of the record that it is."""
        if clause is None or clause.type is None:
            return self.input_fields(clause.fields if clause is not None else ())
        what, type_ = clause.place.text, self.resolve(clause.type)
        if isinstance(type_, t.Unknown):
            return ()
        if isinstance(type_, t.List | t.Row | t.Json):
            advice = f"write {type_}.pick(…), with the fields that it has" if isinstance(type_, t.Row) else "put it into a field"
            self.report.error(clause.type, f"{_article(what)} {what} is a record, not {type_}", "CAI0501", help_text=advice)
            return ()
        return self.body_shape(clause).fields

    def _event_key(self, node: ex.Expression, symbol: EventSymbol, host: Host) -> ir.Expression:
        """``key: order_id`` names a field of the payload; ``key: event.order_id`` is the same."""
        if isinstance(node, ex.Name) and symbol.payload.field(node.text) is not None:
            field = symbol.payload.field(node.text)
            assert field is not None
            record = ir.HostValue(type=self.event_record(symbol), name="event", at=node.start)
            return self.keyed(node, ir.Member(type=field.type, target=record, name=field.name, at=node.start))
        found = self.expression(node, Scope(host))
        return self.keyed(node, found)

    def keyed(self, node: ex.Expression, value: ir.Expression) -> ir.Expression:
        """A key, by which things are told apart: a plain value."""
        if isinstance(t.required(value.type), _KEYS):
            said = f"a key is a text, a number or the like, not {t.required(value.type)}"
            self.report.error(node, said, "CAI0301", help_text="take a field of it, or make a text of it")
        return value

    def _change(self, symbol: EventSymbol, clauses: tuple[d.Clause, ...]) -> Change | None:
        clause = next((c for c in clauses if isinstance(c, ev.TriggerClause)), None)
        if clause is None:
            return None
        if clause.kind != "change" or clause.where is None:
            hint = "write 'trigger: when Entity.field < 10'"
            self.report.error(clause, "the trigger of an event is a change of data", "CAI0603", help_text=hint)
            return None
        entity = _first_entity(clause.where, self.symbols.entities)
        if entity is None:
            self.report.error(clause.where, "this names no entity", "CAI0603", help_text="write the condition over Entity.field")
            return None
        host = Host("a trigger", user=False, database=False)
        scope = Scope(host, ranges=(Range(entity, "self"),))
        condition = finish(self.condition(clause.where, scope), host)
        if _reaches_out(condition):
            hint = "the condition is over fields of the row that was written"
            self.report.error(clause.where, "a trigger does not follow relations", "CAI0603", help_text=hint)
        row = ir.RangeRow(type=t.Row(entity), alias="self", at=clause.start)
        payload = self.filled(clause, symbol, self.sources_of(row), moment=True)
        return Change(entity=entity, condition=condition, payload=payload)

    def _publications(self, node: ex.Expression | None) -> tuple[Publication, ...]:
        found: list[Publication] = []
        items = node.items if isinstance(node, ex.ListLiteral) else (node,) if node is not None else ()
        if node is not None and not items:
            self.report.error(node, "'publish_to' names nothing", "CAI0505", help_text="name a target, or leave it out")
        seen: dict[tuple[str, str], Node] = {}
        for item in items:
            kind = item.callee.text if isinstance(item, ex.Call) and isinstance(item.callee, ex.Name) else ""
            argument = item.arguments[0].value if isinstance(item, ex.Call) and len(item.arguments) == 1 else None
            text = argument.text if isinstance(argument, ex.Name) else argument.value if isinstance(argument, ex.StringLiteral) else None
            if kind not in _PUBLICATIONS or text is None:
                self.report.unknown(item, f"unknown target '{kind}'" if kind else "this is no target", kind, _PUBLICATIONS, "CAI0127")
                continue
            if (kind, text) in seen:
                self.report.duplicate(item, f"{kind}({text})", seen[kind, text])
            seen.setdefault((kind, text), item)
            if kind in _FORMS and not _FORMS[kind].fullmatch(text):
                self.report.error(argument or item, f"'{text}' is no {_CALLED[kind]}", "CAI0505")
            if kind == "webhook" and text not in self.symbols.webhooks:
                place = argument or item
                named = (Identifier(place.start, place.end, text),)
                target = Reference(place.start, place.end, named, isinstance(argument, ex.StringLiteral))
                self.report.unknown(target, f"unknown webhook '{text}'", text, self.symbols.webhooks, "CAI0129")
            found.append(Publication(kind, text))  # type: ignore[arg-type]  # checked above
        return tuple(found)

    # -- handlers --------------------------------------------------------------------------------------------------

    def handler(self, node: ev.HandlerDeclaration) -> tuple[Handler, Host]:
        """A handler with its host, whose emits the search for cycles needs.

        Handlers of one event are numbered by themselves, so that those of others come and go without renaming these.
        """
        symbol = self.event(node.event)
        host = Host("a handler", user=False, values={"event": self.event_record(symbol)})
        scope = Scope(host)
        where = self.condition(node.where, scope) if node.where is not None else None
        block = node.body if node.body is not None else self._target_block(node, symbol)
        body = self.host_block(block, scope) if block is not None else ()
        if block is None and node.target is not None and node.kind is not None and not self._delivers(node.kind, node.target):
            failing = self.undeclared(_DECLARED.get(node.kind.text, node.kind.text), node.target)
            body = (failing,) if failing is not None else ()
        wire = symbol.wire if symbol is not None else wire_name(node.event.text)
        number = self.numbers[wire] = self.numbers.get(wire, 0) + 1
        return Handler(name=f"{wire}#{number}", event=wire, where=where, body=body, at=node.start), host

    def _delivers(self, kind: Identifier, target: Reference) -> bool:
        """Whether the handler is one of the webhooks, which need no block."""
        return kind.text == "webhook" and target.parts[-1].text in self.symbols.webhooks

    def _target_block(self, node: ev.HandlerDeclaration, symbol: EventSymbol | None) -> st.Block | None:
        """The block that ``on E do workflow W`` stands for: what the target takes is filled from the event by name."""
        assert node.kind is not None
        assert node.target is not None
        kind, target, name = node.kind.text, node.target, node.target.parts[-1]
        statement: st.Statement | None = None
        if kind in ("workflow", "job"):
            table = self.symbols.workflows if kind == "workflow" else self.symbols.jobs
            run = table.get(name.text)
            if run is None and target.quoted:
                self.report.unknown(target, f"unknown {kind} '{target.text}'", target.text, table, "CAI0124")
                return None
            values = node.values or (self._from_event(target, run.input, symbol) if run is not None else ())
            value = q.Start(node.start, node.end, "start" if kind == "workflow" else "run", name, values)
            statement = st.ExpressionStatement(node.start, node.end, value)
        elif kind == "integration":
            operation = self.operation(target)
            if operation is not None:
                values = node.values or self._from_event(target, operation.arguments, symbol)
                statement = st.ExpressionStatement(node.start, node.end, q.CallOperation(node.start, node.end, target, values))
        elif kind == "emit":
            other = self.event(target)
            if other is not None:
                entries = node.values or self._from_event(target, other.payload, symbol)
                statement = st.Emit(node.start, node.end, target, ex.MapLiteral(node.start, node.end, entries))
        elif kind == "webhook":
            if name.text not in self.symbols.webhooks:
                self.report.unknown(target, f"unknown webhook '{target.text}'", target.text, self.symbols.webhooks, "CAI0129")
            elif symbol is not None:
                self.delivered.append((name.text, symbol.wire))
        return st.Block(node.start, node.end, (statement,)) if statement is not None else None

    def _from_event(self, node: Reference, wanted: t.Record, symbol: EventSymbol | None) -> tuple[ex.MapEntry, ...]:
        known = {field.name for field in symbol.payload.fields} if symbol is not None else set()
        event = ex.Name(node.start, node.end, "event")
        found: list[ex.MapEntry] = []
        for field in wanted.fields:
            if field.name in known:
                name = _named(node, field.name)
                found.append(ex.MapEntry(node.start, node.end, name, ex.Member(node.start, node.end, event, name)))
        return tuple(found)

    # -- webhooks --------------------------------------------------------------------------------------------------

    def _signing_key(self, node: ex.Expression) -> None:
        """A key of Standard Webhooks is base64 behind its prefix."""
        if isinstance(node, ex.StringLiteral) and node.value.startswith("whsec_"):
            try:
                base64.b64decode(node.value.removeprefix("whsec_"), validate=True)
            except ValueError:
                self.report.error(node, "behind 'whsec_' stands base64", "CAI0505", help_text="or leave 'whsec_' out")

    def _names_events(self, node: ev.WebhookDeclaration) -> None:
        """Reports an event that a webhook names twice, and a list of none."""
        named = [clause for clause in node.clauses if isinstance(clause, ev.EventsClause)]
        self.distinct(Identifier(name.start, name.end, wire_name(name.text)) for clause in named for name in clause.events)
        for clause in named:
            if not clause.events:
                self.report.error(clause, "'events' names nothing", "CAI0505", help_text="name one, or leave it out")

    def webhook(self, node: ev.WebhookDeclaration) -> Webhook:
        """An outbound webhook."""
        scope = self.settings_scope("a webhook")
        self.single_clauses(tuple(clause for clause in node.clauses if not isinstance(clause, ev.EventsClause)))
        self._names_events(node)
        report_unread("webhook", node.clauses, self.report)
        events: list[str] = []
        for clause in node.clauses:
            if isinstance(clause, ev.EventsClause):
                for name in clause.events:
                    symbol = self.event(name)
                    if symbol is not None:
                        events.append(symbol.wire)
        url, secret = self.clause_value(node.clauses, "url"), self.clause_value(node.clauses, "secret")
        timeout = self.clause_value(node.clauses, "timeout")
        if url is None:
            hint = f"add 'url: env({node.name.text.upper()}_URL)'"
            self.report.absent(node, node.name, f"webhook '{node.name.text}' has no url", "CAI0601", help_text=hint)
        if secret is not None:
            self.secret_literal(secret, node.name.text)
            self._signing_key(secret)
        events += [event for webhook, event in self.delivered if webhook == node.name.text and event not in events]
        return Webhook(
            name=node.name.text,
            events=tuple(events),
            url=self.address(url, "url", scope) if url is not None else ir.Constant(type=t.String(), value=""),
            secret=self.value(secret, scope, t.String(), "secret", nullable=False) if secret is not None else None,
            headers=self.entries_of(node.clauses, "headers", scope),
            retry=self.retry_of(node.clauses, Retry(times=8)) or Retry(times=8),
            timeout=self.milliseconds_of(timeout, "timeout") if timeout is not None else 15_000,
            at=node.start,
        )


def _reaches_out(node: object) -> bool:
    """Whether a resolved condition needs more than the row itself."""
    if isinstance(node, ir.RelatedRow | ir.RelatedRows | ir.Selection):
        return True
    if isinstance(node, tuple):
        return any(map(_reaches_out, node))
    names = node.__struct_fields__ if isinstance(node, ir.Expression | ir.Entry) else ()
    return any(_reaches_out(getattr(node, name)) for name in names if name not in ("type", "at"))


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def _named(node: Reference, text: str) -> Identifier:
    return Identifier(node.start, node.end, text)


def _first_entity(node: Node, entities: Collection[str]) -> str | None:
    """The entity that a condition is about: the first name in it that is one."""
    if isinstance(node, ex.Name) and node.text in entities:
        return node.text
    for child in children(node):
        found = _first_entity(child, entities)
        if found is not None:
            return found
    return None
