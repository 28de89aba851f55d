"""What nothing refers to."""

from __future__ import annotations

from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Host
from codeai.analysis.symbols import Symbols
from codeai.language.diagnostics import Severity, Subject
from codeai.language.tree.events import TriggerClause
from codeai.language.tree.node import Node


def report_unused(symbols: Symbols, report: Reporter) -> None:
    """Warns of declarations that nothing refers to. Entities are tables, and what HTTP or a clock begins needs no reference."""
    for wire, event in symbols.events.items():
        changes = any(isinstance(clause, TriggerClause) for clause in event.declaration.clauses)
        if not changes:
            _unused(symbols, report, "event", wire, event.declaration.name, event.name)
    for name, middleware in symbols.middleware.items():
        _unused(symbols, report, "middleware", name, middleware.name)
    for name, integration in symbols.integrations.items():
        _unused(symbols, report, "integration", name, integration.declaration.name)
        for operation in integration.operations.values() if f"integration {name}" in symbols.used else ():
            key, at = f"{name}.{operation.name}", operation.clause.name
            _unused(symbols, report, "operation", key, at, severity=Severity.HINT)  # an integration describes all that a peer can do
    for name, function in symbols.functions.items():
        _unused(symbols, report, "function", name, function.declaration.name)
    for name in (*symbols.records, *(name for name, enum in symbols.enums.items() if enum.members)):
        place = symbols.places.get(f"type {name}")
        if place is not None:
            _unused(symbols, report, "type", name, place)


def _unused(
    symbols: Symbols, report: Reporter, space: str, key: str, place: Node, name: str = "", *, severity: Severity = Severity.WARNING
) -> None:
    if f"{space} {key}" not in symbols.used:
        said, hint = f"{space} '{name or key}' is never used", "use it, or leave it out" if severity is Severity.WARNING else ""
        report.error(place, said, "CAI0131", severity=severity, help_text=hint, subject=Subject(name or key))


def report_unused_variables(host: Host, report: Reporter) -> None:
    """Warns of variables that are never read. Those of tests and steps are results that others may look at."""
    if host.test or host.kind == "a step":
        return
    for variable in host.declared:
        if not variable.used and not variable.name.startswith("_") and variable.node is not None:
            hint = f"drop 'let {variable.name} =', or call it '_{variable.name}'"
            report.warning(variable.node, f"variable '{variable.name}' is never used", "CAI0133", help_text=hint)
