"""Events that lead to themselves, through the handlers, workflows and functions that they begin."""

from __future__ import annotations

from codeai.analysis.reporter import Reporter
from codeai.analysis.symbols import Symbols
from codeai.language.tree.node import Node

Step = tuple[str, str]  # kind and name: ``("event", "order.placed")``, ``("workflow", "Ship")``
Edge = tuple[Step, Node, bool]  # where it leads, the place that says so, and whether only under a condition
Edges = dict[Step, list[Edge]]


def check_cycles(edges: Edges, symbols: Symbols, report: Reporter) -> None:
    """Finds events that lead to themselves; an error when nothing on the way is conditional, else a warning."""
    reported: set[frozenset[Step]] = set()
    for origin in edges:
        if origin[0] != "event":
            continue
        found = _cycle(origin, edges)
        if found is None:
            continue
        names = frozenset(step for step, _, _ in found)
        if names in reported:
            continue
        reported.add(names)
        path = " → ".join(_label(step, symbols) for step in (origin, *(step for step, _, _ in found)))
        conditional = any(condition for _, _, condition in found)
        place = found[0][1]
        if conditional:
            report.warning(
                place, f"this may go in circles: {path}", "CAI0608", help_text="see to it that the condition is false at some time"
            )
        else:
            report.error(place, f"this goes in circles: {path}", "CAI0608", help_text="break it with a condition, 'where …'")


def _label(step: Step, symbols: Symbols) -> str:
    symbol = symbols.events.get(step[1]) if step[0] == "event" else None
    return symbol.name if symbol is not None else step[1]


def _cycle(origin: Step, edges: Edges) -> list[Edge] | None:
    """The shortest way from a node back to itself."""
    waiting: list[list[Edge]] = [[edge] for edge in edges.get(origin, ())]
    seen: set[Step] = set()
    while waiting:
        path = waiting.pop(0)
        here = path[-1][0]
        if here == origin:
            return path
        if here in seen:
            continue
        seen.add(here)
        waiting.extend([*path, edge] for edge in edges.get(here, ()))
    return None
