"""Permissions that nobody has, and policies that no index serves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from codeai.analysis.reporter import Reporter
from codeai.analysis.symbols import EntitySymbol, Symbols
from codeai.analysis.translation import unconverted
from codeai.language.diagnostics import Severity
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier, Node
from codeai.model import expression as ir
from codeai.model.entity import Entity

_PERMISSION: Final = re.compile(r"\*|\*:\*|[^*:\s,]+:\*|[^*:\s,]+(?::[^*:\s,]+)*")


def check_permission(name: Identifier, symbols: Symbols, report: Reporter) -> None:
    """Reports a malformed permission, or one that no role gives (where tokens bring some along, or no roles are declared, any may be)."""
    if not well_formed(name, report):
        return
    given = _given(symbols)
    if given is not None and not any(_grants(pattern, name.text) for pattern in given):
        report.unknown(name, f"unknown permission '{name.text}'", name.text, given, "CAI0134")


def well_formed(name: Identifier, report: Reporter) -> bool:
    """Whether a permission is one; reports what is none, such as a ``*`` in a place where it is no wildcard."""
    if _PERMISSION.fullmatch(name.text):
        return True
    area, _, action = name.text.rpartition(":")
    told = "it is written 'area:action', 'area:*' or '*:*'"
    if area == "*" and action and "*" not in action:
        told += f"; '{action}' of each area is named with its area"
    report.error(name, f"malformed permission '{name.text}'", "CAI0139", help_text=told)
    return False


def asks_who_calls(clauses: Iterable[d.Clause], symbols: Symbols) -> bool:
    """Whether a middleware that an endpoint uses lets in only those whom it knows."""
    used = [name.text for clause in clauses if isinstance(clause, d.NamesClause) and clause.key.text == "use" for name in clause.names]
    settings = (setting for name in used if name in symbols.middleware for setting in symbols.middleware[name].settings)
    kinds = (setting.value for setting in settings if setting.key.text == "type")
    return any(isinstance(kind, ex.Name) and kind.text in ("authentication", "authorization") for kind in kinds)


def _given(symbols: Symbols) -> list[str] | None:
    from_tokens = any(setting.key.text == "permissions_claim" for provider in symbols.providers.values() for setting in provider.settings)
    if from_tokens or not symbols.roles:
        return None
    given = [
        part.text for role in symbols.roles.values() for clause in role.clauses if clause.key.text == "permissions" for part in clause.names
    ]
    return given if all(map(_PERMISSION.fullmatch, given)) else None  # what a malformed one was meant to give is not known


def _grants(pattern: str, permission: str) -> bool:
    area, colon, _ = permission.partition(":")
    return pattern in (permission, "*", "*:*") or bool(colon and pattern == f"{area}:*")


def report_slow_policies(entity: Entity, symbol: EntitySymbol, places: Iterable[tuple[int, Node]], report: Reporter) -> None:
    """Hints at policies of reading that compare fields of which none begins an index: each list would look at every row.

    :param places: the ``allow`` clauses by the offset that their rules carry
    """
    indexed = {entity.primary, *(field.name for field in entity.fields if field.unique or symbol.is_reference(field.name))}
    indexed |= {index.columns[0][0] for index in entity.indexes if index.columns}
    nodes = dict(places)
    for rule in entity.allows:
        if rule.action != "read" or rule.condition is None:
            continue
        compared = _compared(rule.condition)
        if compared and not compared & indexed and rule.at in nodes:
            name = min(compared)
            report.error(
                nodes[rule.at],
                f"no index serves the policy on '{name}'",
                "CAI0520",
                severity=Severity.HINT,
                help_text=f"add 'index: [{name}]'",
            )


def _compared(value: ir.Expression) -> set[str]:
    """The own fields that must equal something; what stands beside ``or`` narrows nothing."""
    if isinstance(value, ir.Binary) and value.operator == "and":
        return _compared(value.left) | _compared(value.right)
    if isinstance(value, ir.Binary) and value.operator == "or":
        left, right = _compared(value.left), _compared(value.right)
        return left | right if (left and right) or not (_fields(value.left) and _fields(value.right)) else set()
    if isinstance(value, ir.Binary) and value.operator in ("==", "in"):
        return {
            side.field for side in (unconverted(value.left), unconverted(value.right)) if isinstance(side, ir.FieldValue) and _own(side)
        }
    return set()


def _own(value: ir.FieldValue) -> bool:
    return isinstance(value.row, ir.RangeRow)


def _fields(value: ir.Expression) -> bool:
    """Whether a condition depends on the row."""
    waiting: list[object] = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, ir.RangeRow):
            return True
        if isinstance(part, ir.Expression):
            waiting.extend(getattr(part, name) for name in part.__struct_fields__)
        elif isinstance(part, tuple):
            waiting.extend(part)
    return False
