"""What is right in form, and means something else than its authors mostly expect: said as a warning or a hint, with what they meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from codeai.analysis.reporter import Reporter
from codeai.analysis.symbols import EntitySymbol, EventSymbol, Symbols
from codeai.analysis.translation import parts, unconverted
from codeai.language import types as t
from codeai.language.diagnostics import Edit, Severity
from codeai.language.source import Sources
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.model import expression as ir
from codeai.model.endpoint import Endpoint
from codeai.model.entity import Entity, Field
from codeai.model.traversal import SCALARS

_UNMOVED: Final = (ir.Constant, ir.Call, ir.Binary, ir.Unary, ir.Convert, ir.ListOf, ir.RecordOf)  # of which a value is made without a row
_SECRETS: Final = frozenset(
    (
        *("password", "passwordhash", "hashedpassword", "passworddigest", "encryptedpassword", "passwd", "passphrase"),
        *("clientsecret", "secretkey", "privatekey", "totpsecret", "mfasecret", "twofactorsecret"),
    )
)


def report_misreadings(
    entities: Sequence[Entity], endpoints: Sequence[Endpoint], symbols: Symbols, sources: Sources, report: Reporter
) -> None:
    """Reports what entities and events say that is mostly not meant."""
    open_ = _Open(endpoints)
    for entity in entities:
        symbol = symbols.entities[entity.name]
        _report_constants(entity, symbol, sources, report)
        _report_passwords(entity, symbol, report)
        _report_ownerless(entity, symbol, open_, report)
    for event in symbols.events.values():
        _report_hidden_id(event, report)


# -- fields ------------------------------------------------------------------------------------------------------------


def _report_constants(entity: Entity, symbol: EntitySymbol, sources: Sources, report: Reporter) -> None:
    """``active: bool = true``, where a default was meant: a computed field that reads nothing of its row."""
    for field in entity.computed:
        node = symbol.places[field.name]
        if node.computed is None or not _unmoved(field.value) or report.broken(node):
            continue
        written = sources.text(node.computed.start, node.computed.end)
        empty = isinstance(node.computed, ex.NullLiteral)
        instead = "" if empty else f", default({written})"
        advice = "leave '= null' out: what is not given is null" if empty else f"a value for what is not given is 'default({written})'"
        edits = (Edit(node.type.end, node.computed.end, instead, safe=False),) if not node.modifiers else ()
        said = f"'{field.name}' is computed, not stored, and the same for every row"
        report.error(node.computed, said, "CAI0218", severity=Severity.WARNING, help_text=advice, edits=edits)


def _unmoved(value: ir.Expression) -> bool:
    return isinstance(value, _UNMOVED) and all(map(_unmoved, parts(value)))


def _report_passwords(entity: Entity, symbol: EntitySymbol, report: Reporter) -> None:
    """What everybody keeps secret is read by whoever may read the row, unless it says so."""
    hidden = {name for hide in entity.hides for name in hide.fields}
    for field in entity.fields:
        told = field.readable and field.name not in hidden and field.name.replace("_", "").lower() in _SECRETS
        if told and isinstance(field.type, t.String | t.Text | t.Bytes):
            node = symbol.places[field.name]
            said = f"whoever may read '{entity.name}' is told its '{field.name}'"
            edits = (Edit(node.end, node.end, ", secret"),)
            advice = "'secret' keeps a field from every answer"
            report.error(node.name, said, "CAI0219", severity=Severity.WARNING, help_text=advice, edits=edits)


# -- policies ----------------------------------------------------------------------------------------------------------


class _Open:
    """The entities that endpoints reach whose callers need not be signed in."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._endpoints = [endpoint for endpoint in endpoints if endpoint.guard.mode != "required"]
        self._reached: set[str] | None = None

    def reaches(self, entity: str) -> bool:
        """Whether one of them reads or writes an entity; looked for only when a policy asks."""
        if self._reached is None:
            self._reached = {name for endpoint in self._endpoints for name in _named(endpoint)}
        return entity in self._reached


def _named(part: object) -> Iterator[str]:
    if isinstance(part, msgspec.Struct):
        for name in part.__struct_fields__:
            inside = getattr(part, name)
            if type(inside) not in SCALARS:
                yield from _named(inside)
            elif name == "entity" and isinstance(inside, str):
                yield inside
    elif isinstance(part, tuple):
        for inside in part:
            yield from _named(inside)


def _report_ownerless(entity: Entity, symbol: EntitySymbol, open_: _Open, report: Reporter) -> None:
    """``allow read: owner == user.id`` where both may be null: two nulls are equal, so the rows of nobody are everybody's."""
    nullable = {field.name: field for field in entity.fields if field.nullable}
    clauses = {clause.start: clause for clause in symbol.declaration.clauses if isinstance(clause, d.AllowClause)}
    for rule in entity.allows:
        found = _both_null(rule.condition, nullable) if rule.condition is not None else None
        clause = clauses.pop(rule.at, None) if found is not None else None  # once for a line with several actions
        if found is None or clause is None or not open_.reaches(entity.name):
            continue
        field, attribute = found
        said = f"'{field.name}' may be null, as 'user.{attribute}' is of who is not signed in: then the two are equal"
        advice = f"make '{field.name}' required, or write 'user.{attribute} != null and {field.name} == user.{attribute}'"
        report.warning(clause, said, "CAI0524", help_text=advice)


def _both_null(value: ir.Expression, nullable: dict[str, Field]) -> tuple[Field, str] | None:
    """The field and the attribute of the caller that a condition compares, which it takes for equal when both are null."""
    if not isinstance(value, ir.Binary):
        return None
    if value.operator == "and":
        sides = (value.left, value.right)
        return None if any(map(_signed_in, sides)) else next(filter(None, (_both_null(side, nullable) for side in sides)), None)
    if value.operator == "or":
        return _both_null(value.left, nullable) or _both_null(value.right, nullable)
    if value.operator != "==":
        return None
    left, right = unconverted(value.left), unconverted(value.right)
    if isinstance(left, ir.CurrentUser):
        left, right = right, left
    if not (isinstance(left, ir.FieldValue) and isinstance(left.row, ir.RangeRow) and isinstance(right, ir.CurrentUser)):
        return None
    return (nullable[left.field], right.attribute) if left.field in nullable and right.attribute else None


def _signed_in(value: ir.Expression) -> bool:
    """Whether a condition holds for those only who are signed in: it asks for a role, or whether there is an id."""
    if isinstance(value, ir.Binary) and value.operator == "and":
        return _signed_in(value.left) or _signed_in(value.right)
    if isinstance(value, ir.Binary) and value.operator == "or":
        return _signed_in(value.left) and _signed_in(value.right)
    if isinstance(value, ir.Binary) and value.operator == "!=":
        sides = (unconverted(value.left), unconverted(value.right))
        return any(isinstance(side, ir.CurrentUser) for side in sides) and any(isinstance(side, ir.Constant) for side in sides)
    if isinstance(value, ir.IsNull):
        return value.negated and isinstance(unconverted(value.operand), ir.CurrentUser)
    return isinstance(value, ir.Call) and value.function in ("has_role", "has_permission")


# -- events ------------------------------------------------------------------------------------------------------------


def _report_hidden_id(event: EventSymbol, report: Reporter) -> None:
    """A payload with an ``id``: behind ``event`` it is the payload's, and the one by which deliveries are told apart is out of reach."""
    fields = [field for clause in event.declaration.clauses if isinstance(clause, d.InputClause) for field in clause.fields]
    name = next((field.name for field in fields if field.name.text == "id"), None)
    if name is not None:
        said = "this 'id' hides the event's own: 'event.id' is that of the payload"
        advice = f"to read both, call it otherwise, as in '{event.wire.split('.')[0]}_id'"
        report.error(name, said, "CAI0616", severity=Severity.HINT, help_text=advice)
