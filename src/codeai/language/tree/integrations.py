"""Integrations with their operations, and middleware (language page, section 11)."""

from __future__ import annotations

from codeai.language.tree.declarations import Clause, Declaration, Setting
from codeai.language.tree.expressions import Expression, MapEntry, StringLiteral
from codeai.language.tree.node import Identifier


class IntegrationDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``integration Name { … }``."""

    name: Identifier
    clauses: tuple[Clause, ...]


class OperationClause(Clause, frozen=True, eq=False, gc=False):
    """``operation name { … }``."""

    name: Identifier
    clauses: tuple[Clause, ...]
    description: str = ""


class TextClause(Clause, frozen=True, eq=False, gc=False):
    """A key with a literal text, in which ``{name}`` names an argument: ``path``, and the text of a GraphQL query."""

    key: Identifier
    literal: StringLiteral

    @property
    def text(self) -> str:
        """What the literal says."""
        return self.literal.value


class MapClause(Clause, frozen=True, eq=False, gc=False):
    """``headers { … }`` with values."""

    key: Identifier
    entries: tuple[MapEntry, ...]


class BreakerClause(Clause, frozen=True, eq=False, gc=False):
    """``circuit_breaker { … }``."""

    clauses: tuple[Clause, ...]


class ThresholdClause(Clause, frozen=True, eq=False, gc=False):
    """``threshold: 5 failures in 1m``; without a window the failures are consecutive."""

    failures: Expression
    window: Expression | None


class MiddlewareDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``middleware name { type: … }``."""

    name: Identifier
    settings: tuple[Setting, ...]
