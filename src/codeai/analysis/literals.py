"""Literals: numbers, texts with interpolation, lists and maps."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from codeai.analysis.advice import for_missing, for_step
from codeai.analysis.conversions import is_text, wider_number
from codeai.analysis.reporter import in_quotes
from codeai.analysis.scope import Host, Scope
from codeai.analysis.values import Values
from codeai.language import types as t
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Node
from codeai.model import expression as ir

_FILLED: Final = re.compile(r"\{[A-Za-z_][^{}]*\}")
_AS_LIST: Final = "make a list of records, '[{ key: k, value: v }]', of what the program knows only when it runs"


class Literals(Values):
    """Elaborates values that stand for themselves."""

    def _integer(self, node: ex.IntLiteral, scope: Scope, expected: t.Type | None) -> ir.Expression:
        if node.value >= 2**63:
            self.report.error(
                node,
                f"number {node.value} does not fit in 64 bits",
                "CAI0304",
                help_text="as a decimal it has more digits: write '.0' behind it",
            )
        return ir.Constant(type=t.Int(), value=node.value, at=node.start)

    def _decimal(self, node: ex.DecimalLiteral, scope: Scope, expected: t.Type | None) -> ir.Expression:
        if expected is not None and isinstance(t.required(expected), t.Float):
            return ir.Constant(type=t.Float(), value=float(node.text), at=node.start)
        value = Decimal(node.text)
        if abs(value.adjusted()) > 100:
            self.report.error(node, f"number '{node.text}' is out of range", "CAI0304")
            value = Decimal(0)
        return ir.Constant(type=t.Decimal(), value=value, at=node.start)

    def _duration(self, node: ex.DurationLiteral, scope: Scope, expected: t.Type | None) -> ir.Expression:
        value = datetime.timedelta(milliseconds=node.milliseconds)
        return ir.Constant(type=t.Duration(), value=value, at=node.start)

    def _interpolation(self, node: ex.Interpolation, scope: Scope, expected: t.Type | None) -> ir.Expression:
        parts = tuple(self.expression(part, scope) for part in node.parts)
        for part, resolved in zip(node.parts, parts, strict=True):
            if isinstance(t.required(resolved.type), t.List | t.Record | t.Row | t.Map | t.Function):
                advice = for_step(resolved.type) or "use to_json(…)"
                self.report.error(part, f"cannot put {resolved.type} into a string", "CAI0305", help_text=advice)
        return ir.Interpolate(type=t.String(), parts=parts, at=node.start)

    def _list(self, node: ex.ListLiteral, scope: Scope, expected: t.Type | None) -> ir.Expression:
        wanted = t.required(expected) if expected is not None else None
        item = wanted.item if isinstance(wanted, t.List) else None
        items = tuple(self.expression(value, scope, item) for value in node.items)
        fitted = tuple(self.fit(found, item) for found in items) if item is not None else (None,)
        if item is None or None in fitted:  # what the place wants is not there: its message says what is
            item, items = self._common(node, items)
        else:
            items = tuple(found for found in fitted if found is not None)
        return ir.ListOf(type=t.List(item), items=items, at=node.start)

    def _common(self, node: Node, items: tuple[ir.Expression, ...]) -> tuple[t.Type, tuple[ir.Expression, ...]]:
        """The one type of all items, numbers widened; json when they differ."""
        if not items:
            return t.Unknown(), items
        common = items[0].type
        for item in items[1:]:
            if t.required(item.type) == t.required(common) or isinstance(item.type, t.Null):
                continue
            wider = wider_number(t.required(common), t.required(item.type))
            if wider is None and not (is_text(common) and is_text(item.type)):
                return t.Json(), items
            common = wider or t.String()
        return common, tuple(self.fit(item, common) or item for item in items)

    def _map(self, node: ex.MapLiteral, scope: Scope, expected: t.Type | None) -> ir.Expression:
        wanted = self.symbols.whole(t.required(expected)) if expected is not None else None
        entries: list[ir.Entry] = []
        fields: list[t.RecordField] = []
        seen: dict[str, Node] = {}
        for entry in node.entries:
            name = entry.key.text
            if name in seen:
                self.report.duplicate(entry.key, name, seen[name])
                continue
            seen[name] = entry.key
            if _FILLED.search(name):
                self.report.error(entry.key, f"a key is a fixed text: '{name}' is not filled in", "CAI0361", help_text=_AS_LIST)
            value = self._entry_value(entry, scope, wanted)
            entries.append(ir.Entry(name, value))
            fields.append(t.RecordField(name, value.type))
        if isinstance(wanted, t.Record):
            self._missing_members(node, wanted, seen)
            entries.extend(self._defaulted(wanted, seen))
        return ir.RecordOf(type=wanted if isinstance(wanted, t.Record) else t.Record(tuple(fields)), entries=tuple(entries), at=node.start)

    def _entry_value(self, entry: ex.MapEntry, scope: Scope, wanted: t.Type | None) -> ir.Expression:
        if not isinstance(wanted, t.Record):
            if isinstance(wanted, t.Map):
                return self.value(entry.value, scope, wanted.value, f"value '{entry.key.text}'")
            return self.expression(entry.value, scope)
        field = wanted.field(entry.key.text)
        if field is None:
            self.report.unknown(
                entry.key,
                f"unknown field '{entry.key.text}' in {wanted}",
                entry.key.text,
                [known.name for known in wanted.fields],
                "CAI0106",
                owner=wanted.name,
            )
            return self.expression(entry.value, scope)
        return self.value(entry.value, scope, field.type, f"field '{field.name}'", nullable=t.is_nullable(field.type))

    def _defaulted(self, wanted: t.Record, seen: dict[str, Node]) -> Iterator[ir.Entry]:
        """The members that are not given and have a default; whether that fits is said at its declaration."""
        declared = {**self.symbols.record_fields, **self.symbols.inline_fields}.get(wanted.name, ())
        if wanted.name in self.filling:
            return  # a type that cannot be, which is said elsewhere
        marks = len(self.report.diagnostics)
        self.filling.add(wanted.name)
        for field in declared:
            member, default = wanted.field(field.name.text), default_of(field)
            if member is not None and default is not None and member.name not in seen:
                value = self.value(default, Scope(Host("a default", database=False)), member.type, "a default")
                yield ir.Entry(member.name, value)
        self.filling.discard(wanted.name)
        self.report.forget(marks)

    def _missing_members(self, node: Node, wanted: t.Record, seen: dict[str, Node]) -> None:
        missing = [field.name for field in wanted.fields if field.required and field.name not in seen]
        if missing:
            said, hint = f"missing {in_quotes(missing)} in {wanted}", for_missing(missing)
            self.report.absent(node, node, said, "CAI0306", help_text=hint, owner=wanted.name, lacking=missing)


def default_of(field: d.FieldDeclaration) -> ex.Expression | None:
    """What ``default(…)`` of a field says."""
    return next((one.arguments[0] for one in field.modifiers if one.name.text == "default" and one.arguments), None)
