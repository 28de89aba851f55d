"""Statements."""

from __future__ import annotations

from codeai.language.tree.expressions import Expression, MapEntry
from codeai.language.tree.node import Identifier, Node, Reference


class Statement(Node, frozen=True, eq=False, gc=False):
    """Something that is done."""


class Block(Node, frozen=True, eq=False, gc=False):
    """``{ … }``."""

    statements: tuple[Statement, ...]


class Let(Statement, frozen=True, eq=False, gc=False):
    """``let x = e`` and ``var n = e``, with a type if given."""

    name: Identifier
    value: Expression
    mutable: bool
    type: Node | None = None


class Assign(Statement, frozen=True, eq=False, gc=False):
    """``n = e``."""

    name: Identifier
    value: Expression


class Arm(Node, frozen=True, eq=False, gc=False):
    """One condition of an ``if`` with its block."""

    condition: Expression
    body: Block


class If(Statement, frozen=True, eq=False, gc=False):
    """``if … else if … else``."""

    arms: tuple[Arm, ...]
    otherwise: Block | None


class For(Statement, frozen=True, eq=False, gc=False):
    """``for item in list``."""

    name: Identifier
    items: Expression
    body: Block


class Return(Statement, frozen=True, eq=False, gc=False):
    """``return e status 202 headers { … }`` and ``redirect e``."""

    value: Expression | None
    status: Expression | None = None
    headers: Expression | None = None
    redirect: bool = False


class Failure(Node, frozen=True, eq=False, gc=False):
    """``fail 409 "text" code "c"``."""

    status: Expression
    message: Expression | None
    code: Expression | None


class Fail(Statement, frozen=True, eq=False, gc=False):
    """``fail …``."""

    failure: Failure


class Require(Statement, frozen=True, eq=False, gc=False):
    """``require c else fail …``."""

    condition: Expression
    failure: Failure | None


class ExpressionStatement(Statement, frozen=True, eq=False, gc=False):
    """An expression for its effect."""

    value: Expression


class Log(Statement, frozen=True, eq=False, gc=False):
    """``log info "text" { … }``."""

    level: Identifier | None
    message: Expression
    data: tuple[MapEntry, ...]


class Sleep(Statement, frozen=True, eq=False, gc=False):
    """``sleep 2s``."""

    duration: Expression


class AsUser(Statement, frozen=True, eq=False, gc=False):
    """``as user { … } { … }``; without ``body`` it holds to the end of the block."""

    principal: Expression
    body: Block | None


class Emit(Statement, frozen=True, eq=False, gc=False):
    """``emit E { … }``, ``emit(E, v)``."""

    event: Reference
    payload: Expression | None


class Send(Statement, frozen=True, eq=False, gc=False):
    """``send email(to) { … }``."""

    target: Expression
    values: tuple[MapEntry, ...]


class Expect(Statement, frozen=True, eq=False, gc=False):
    """``expect c``."""

    condition: Expression


class Mock(Statement, frozen=True, eq=False, gc=False):
    """``mock Payments.refund returns e`` (or ``fails e``)."""

    operation: Reference
    outcome: Identifier
    value: Expression


class Advance(Statement, frozen=True, eq=False, gc=False):
    """``advance 2h``."""

    duration: Expression
