"""A step while it is translated: its name and arguments, and what it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from codeai.language.lexer import NAME, is_dotted, is_name
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.queries import Queries


class Call(msgspec.Struct):
    """A step while it is translated: its name, place and arguments, with bare names resolved."""

    name: Identifier
    end: int
    arguments: tuple[ex.Argument, ...]

    @property
    def values(self) -> tuple[ex.Expression, ...]:
        """The arguments without their names."""
        return tuple(argument.value for argument in self.arguments)


class Result(msgspec.Struct):
    """What a step stands for."""

    value: ex.Expression | None = None
    before: tuple[st.Statement, ...] = ()
    after: tuple[st.Statement, ...] = ()


def arguments_of(p: Queries) -> tuple[ex.Argument, ...]:
    """The arguments up to the closing parenthesis, with bare names resolved."""
    found: list[ex.Argument] = []
    while not p.at(")"):
        start = p.start
        key = None
        if p.at(NAME) and p.kind_at(1) == ":":
            key = p.identifier()
            p.i += 1
        value = p.host.resolved(p.expression())
        found.append(ex.Argument(start, value.end, key, value))
        if not p.take(","):
            break
    return tuple(found)


def entity_of(p: Queries, value: ex.Expression) -> Identifier | None:
    """The entity that an argument names, as such or by its table."""
    if isinstance(value, ex.StringLiteral):
        name = p.outline.entity_of(value.value)
        return Identifier(value.start, value.end, name) if is_name(name) else None
    return Identifier(value.start, value.end, value.text) if isinstance(value, ex.Name) else None


def dotted(value: ex.Expression) -> tuple[Identifier, ...] | None:
    """The parts of a dotted name, quoted or not."""
    if isinstance(value, ex.StringLiteral):
        if not is_dotted(value.value):
            return None
        return tuple(Identifier(value.start, value.end, part) for part in value.value.split("."))
    if isinstance(value, ex.Name):
        return (Identifier(value.start, value.end, value.text),)
    if isinstance(value, ex.Member):
        inner = dotted(value.target)
        return (*inner, value.name) if inner is not None else None
    return None
