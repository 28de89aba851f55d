"""What functions do through the functions that they call: whether they write, and what they do outside of the database."""

from __future__ import annotations

from collections.abc import Mapping

from codeai.analysis.scope import Host
from codeai.analysis.symbols import FunctionSymbol


def spread(functions: Mapping[str, FunctionSymbol], hosts: Mapping[str, Host]) -> None:
    """Completes the symbols of functions; whoever calls one afterwards does what it does.

    :param hosts: the checked body of each function, by name
    """
    for name, host in hosts.items():
        functions[name].writes = host.writes
        functions[name].effects = {word for word, _ in host.effects}
    changed = True
    while changed:
        changed = False
        for name, host in hosts.items():
            symbol = functions[name]
            for other in (functions[called] for called in host.calls):
                if (other.writes and not symbol.writes) or not other.effects <= symbol.effects:
                    symbol.writes = symbol.writes or other.writes
                    symbol.effects |= other.effects
                    changed = True
