"""Names in sight at one point of the program, and what they stand for."""

from __future__ import annotations

from dataclasses import dataclass, field

from codeai.language import types as t
from codeai.language.tree.node import Node
from codeai.model import expression as ir
from codeai.model.endpoint import Inputs

Origin = tuple[int, tuple[str, ...]]


@dataclass
class Variable:
    """A variable, parameter or lambda parameter. ``origin`` tells from which selection (by its offset) its rows come; one that
    begins with null and has no type is ``undecided``: nobody knows what it may hold.
    """

    name: str
    unique: str
    type: t.Type
    mutable: bool = False
    node: Node | None = None
    origin: Origin | None = None
    used: bool = False
    undecided: bool = False


@dataclass
class Host:
    """The block, policy or function in which expressions stand: what is available there, and what was found out on the way.

    ``values`` are names that the host gives besides the request's (``event``, ``trigger``, ``steps``); ``effects`` and ``emits``
    are what it does outside of the database and which events and executions it begins, ``calls`` the functions of the program
    that it calls. ``loads`` and ``locks`` collect, per selection (by offset), the relations that its rows must carry and whether
    they are read for update; they are written into the selections when the host is finished. ``sources`` fill the payload of an
    ``emit`` that has none; ``of_rows`` are parameters of lambdas over what only the database knows. ``shown`` are the relations that a
    selection (by offset) names behind ``with``, ``carried`` those that the rows of a value of the host hold.
    """

    kind: str
    inputs: Inputs | None = None
    user: bool = True
    database: bool = True
    test: bool = False
    script: bool = False
    result: t.Type | None = None
    values: dict[str, t.Type] = field(default_factory=dict)
    effects: list[tuple[str, Node]] = field(default_factory=list)
    sleeps: list[Node] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    emits: list[tuple[str, str]] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    loads: dict[int, set[tuple[str, ...]]] = field(default_factory=dict)
    locks: set[int] = field(default_factory=set)
    writes: bool = False
    impure: bool = False
    aliases: int = 0
    declared: list[Variable] = field(default_factory=list)
    returned: list[t.Type] = field(default_factory=list)
    returned_with: list[tuple[tuple[str, ...], ...]] = field(default_factory=list)
    shown: dict[int, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    carried: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    sources: dict[str, ir.Expression] | None = None
    of_rows: set[str] = field(default_factory=set)

    def unique(self, name: str) -> str:
        """A name for a variable that no other of this host has."""
        count = self.counters.get(name, 0) + 1
        self.counters[name] = count
        return name if count == 1 else f"{name}_{count}"

    def alias(self) -> str:
        """A fresh alias for the rows of a query."""
        self.aliases += 1
        return f"r{self.aliases - 1}"


@dataclass
class Range:
    """Rows over which an expression ranges: the entity and the alias."""

    entity: str
    alias: str


class Scope:
    """A chain of tables of variables with, in queries and policies, the rows in range (the innermost first)."""

    def __init__(self, host: Host, parent: Scope | None = None, ranges: tuple[Range, ...] | None = None) -> None:
        self.host = host
        self.parent = parent
        self.variables: dict[str, Variable] = {}
        self.ranges: tuple[Range, ...] = ranges if ranges is not None else (parent.ranges if parent else ())
        self.query: bool = parent.query if parent else False
        self.aggregating: bool = parent.aggregating if parent else False
        self.columns: dict[str, ir.Expression] = parent.columns if parent else {}

    def child(self, ranges: tuple[Range, ...] | None = None) -> Scope:
        """A scope inside this one; ``ranges`` replaces the rows in range."""
        return Scope(self.host, self, ranges)

    def find(self, name: str) -> Variable | None:
        """The variable of that name that is in sight."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.variables.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def names(self) -> list[str]:
        """All variables in sight."""
        found: list[str] = []
        scope: Scope | None = self
        while scope is not None:
            found.extend(scope.variables)
            scope = scope.parent
        return found


def broken(node: Node) -> ir.Expression:
    """Stands for an expression that has a diagnostic already; its unknown type fits everywhere."""
    return ir.Constant(type=t.Unknown(), value=None, at=node.start)


def is_broken(value: ir.Expression) -> bool:
    """Whether it stands for what was wrong, which has been said; a value without a declared type is not wrong."""
    return isinstance(value, ir.Constant) and isinstance(value.type, t.Unknown)
