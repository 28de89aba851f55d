"""What functions do through the functions that they call: whether they write, what they begin, what they do outside of the database."""

from __future__ import annotations

from collections.abc import Mapping

from codeai.analysis.payloads import wire_name
from codeai.analysis.scope import Host
from codeai.analysis.symbols import FunctionSymbol
from codeai.analysis.ways import certain
from codeai.language.tree import statements as st


def spread(functions: Mapping[str, FunctionSymbol], hosts: Mapping[str, Host]) -> None:
    """Completes the symbols of functions; whoever calls one afterwards does what it does.

    :param hosts: the checked body of each function, by name
    """
    for name, host in hosts.items():
        functions[name].writes = host.writes
        functions[name].effects = {word for word, _ in host.effects}
        surely = certainly(functions[name].declaration.body, functions) if host.emits else ()
        functions[name].emits = {begun: begun in surely for begun in host.emits}
    users: dict[str, set[str]] = {}
    for name, host in hosts.items():
        for called in host.calls:
            users.setdefault(called, set()).add(name)
    waiting = list(hosts)
    while waiting:
        other = functions[waiting.pop()]
        for name in users.get(other.name, ()):
            if _take_over(functions[name], other, certainly(functions[name].declaration.body, functions) if other.emits else set()):
                waiting.append(name)


def _take_over(symbol: FunctionSymbol, called: FunctionSymbol, surely: set[tuple[str, str]]) -> bool:
    """Adds to a function what one that it calls does; whether that was news."""
    before = (symbol.writes, len(symbol.effects), dict(symbol.emits))
    symbol.writes = symbol.writes or called.writes
    symbol.effects |= called.effects
    for begun in called.emits:
        symbol.emits[begun] = symbol.emits.get(begun, False) or begun in surely
    return before != (symbol.writes, len(symbol.effects), symbol.emits)


def certainly(body: st.Block | None, functions: Mapping[str, FunctionSymbol]) -> set[tuple[str, str]]:
    """The events and executions that every way through a block begins, itself or through the functions that it calls."""
    found: set[tuple[str, str]] = set()
    for kind, name in certain(body) if body is not None else ():
        if kind != "function":
            found.add((kind, wire_name(name) if kind == "event" else name))
        elif name in functions:
            found.update(begun for begun, sure in functions[name].emits.items() if sure)
    return found
