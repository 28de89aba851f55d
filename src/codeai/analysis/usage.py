"""What nothing refers to, and settings that look like misspelt ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Host
from codeai.analysis.symbols import Symbols
from codeai.language.diagnostics import Severity
from codeai.language.suggestions import nearest
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree.events import TriggerClause
from codeai.language.tree.node import Node

_SETTINGS: Final = (
    *("name", "version", "language", "api_prefix", "database", "cache", "cors", "jobs", "auth", "default_auth", "rate_limit"),
    *("logging", "metrics", "tracing", "timeout", "max_body", "queues", "scheduler"),
)
_SECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "cors": ("origins", "methods", "headers", "credentials", "max_age", "expose"),
    "jobs": ("queues", "concurrency"),
    "database": ("url", "pool_size", "host", "port", "user", "password", "name"),
}


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
        report.error(place, f"{space} '{name or key}' is never used", "CAI0131", severity=severity)


def report_unused_variables(host: Host, report: Reporter) -> None:
    """Warns of variables that are never read. Those of tests and steps are results that others may look at."""
    if host.test or host.kind == "a step":
        return
    for variable in host.declared:
        if not variable.used and not variable.name.startswith("_") and variable.node is not None:
            hint = f"drop 'let {variable.name} =', or call it '_{variable.name}'"
            report.warning(variable.node, f"variable '{variable.name}' is never used", "CAI0133", help_text=hint)


def report_misspelt_settings(settings: Iterable[d.Setting], symbols: Symbols, report: Reporter) -> None:
    """Warns of keys of ``config`` that nothing reads and that are a letter away from one that the server knows; hints at more.

    Unknown keys are the program's own, so that nothing can be said about those that are like no other.
    """
    for setting in settings:
        key = setting.key.text
        if key not in _SETTINGS and f"setting {key}" not in symbols.used:
            _misspelt(setting, _SETTINGS, report)
        for child in setting.children if key in _SECTIONS else ():
            if (key, child.key.text) == ("jobs", "queues"):
                _weights(child, report)
            if child.key.text not in _SECTIONS[key]:
                _misspelt(child, _SECTIONS[key], report)


def _weights(queues: d.Setting, report: Reporter) -> None:
    for queue in queues.children:
        value = queue.value
        if not (isinstance(value, ex.IntLiteral) and 1 <= value.value <= 1_000):
            report.error(queue, f"queue '{queue.key.text}' has a weight from 1 to 1,000", "CAI0505")


def _misspelt(setting: d.Setting, known: tuple[str, ...], report: Reporter) -> None:
    near = nearest(setting.key.text, known)
    if near is not None:
        severity = Severity.WARNING if near.sure else Severity.HINT
        said, advice = f"nothing reads the setting '{setting.key.text}'", f"did you mean '{near.name}'?"
        report.error(setting.key, said, "CAI0135", severity=severity, help_text=advice)
