"""Functions that call themselves on every way, also through others: they never come back."""

from __future__ import annotations

from collections.abc import Iterable

from codeai.analysis.circles import circles, shown
from codeai.analysis.reporter import Reporter
from codeai.analysis.symbols import FunctionSymbol
from codeai.analysis.ways import certain


def report_endless(functions: Iterable[FunctionSymbol], report: Reporter) -> None:
    """Warns of each circle of functions in which every way through each leads to a call of the next; at the first one of it."""
    bodies = {function.name: function.declaration.body for function in functions}
    surely = {name: certain(body) for name, body in bodies.items() if body is not None}
    calls = {name: [called for kind, called in found if kind == "function"] for name, found in surely.items()}
    for circle in circles(calls):
        name, following = circle[0], circle[1 % len(circle)]
        said = f"function '{name}' calls itself on every way{shown(circle)}"
        report.warning(surely[name]["function", following], said, "CAI0351", help_text="return before it under some condition")
