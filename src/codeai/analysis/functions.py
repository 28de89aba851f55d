"""Functions once all bodies are known: which are pure, which are expressions, and what entities mean by calling them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Host
from codeai.analysis.symbols import Symbols
from codeai.model.application import Function
from codeai.model.entity import Entity
from codeai.model.inlining import Inliner, NotInlinable

_HELP = "compute it before, with 'let', or make the function of 'let', 'if' and 'return' only"


def settled(functions: Iterable[Function], hosts: Mapping[str, Host]) -> tuple[Function, ...]:
    """The functions, each pure only if all that it calls are."""
    functions = tuple(functions)
    pure = {function.name for function in functions if function.pure}
    users: dict[str, set[str]] = {}
    for name, host in hosts.items():
        for called in host.calls:
            users.setdefault(called, set()).add(name)
    waiting = [function.name for function in functions if not function.pure]
    while waiting:
        for user in users.get(waiting.pop(), set()) & pure:
            pure.discard(user)
            waiting.append(user)
    return tuple(msgspec.structs.replace(function, pure=function.name in pure) for function in functions)


def report_not_inlinable(functions: Iterable[Function], symbols: Symbols, report: Reporter) -> None:
    """Reports calls over rows of functions that no database can compute."""
    inliner = Inliner({function.name: function for function in functions})
    reasons: dict[str, str | None] = {}
    for node, name in symbols.calls_over_rows:
        if name not in reasons:
            reasons[name] = inliner.refusal(name)
        if reasons[name] is not None:
            said = f"function '{name}' cannot be computed for rows of the database: it {reasons[name]}"
            report.error(node, said, "CAI0360", help_text=_HELP)


def inlined(entities: Iterable[Entity], functions: Iterable[Function]) -> tuple[Entity, ...]:
    """The entities with the functions that their policies, checks and computed fields call over rows written out."""
    known = {function.name: function for function in functions}
    return tuple(_written_out(entity, known) for entity in entities) if known else tuple(entities)


def _written_out(entity: Entity, functions: Mapping[str, Function]) -> Entity:
    def written(node: msgspec.Struct, name: str) -> msgspec.Struct:
        value = getattr(node, name)
        try:
            return node if value is None else msgspec.structs.replace(node, **{name: Inliner(functions).written_out(value)})
        except NotInlinable:  # reported, or of nothing that a row has
            return node

    return msgspec.structs.replace(
        entity,
        computed=tuple(written(field, "value") for field in entity.computed),
        checks=tuple(written(check, "condition") for check in entity.checks),
        allows=tuple(written(rule, "condition") for rule in entity.allows),
        hides=tuple(written(rule, "unless") for rule in entity.hides),
    )
