"""Resolved statements: the bodies of endpoints, functions, tests, handlers and steps."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from codeai.model.expression import Entry, Expression


class Statement(msgspec.Struct, frozen=True, gc=False, tag_field="node", tag=True, kw_only=True):
    """A statement; ``at`` as in expressions."""

    at: int = -1


Block = tuple[Statement, ...]


class Let(Statement, frozen=True, kw_only=True):
    """Declares a variable (``let`` and ``var``); ``name`` is unique within the host."""

    name: str
    value: Expression


class Assign(Statement, frozen=True, kw_only=True):
    """Gives a variable a new value."""

    name: str
    value: Expression


class Branch(msgspec.Struct, frozen=True, gc=False):
    """One arm of an ``if``."""

    condition: Expression
    body: tuple[Statement, ...]


class If(Statement, frozen=True, kw_only=True):
    """``if … else if … else``."""

    branches: tuple[Branch, ...]
    otherwise: Block = ()


class For(Statement, frozen=True, kw_only=True):
    """``for name in items``; null iterates nothing."""

    name: str
    items: Expression
    body: Block


class Return(Statement, frozen=True, kw_only=True):
    """Ends the host with a result; in endpoints with an optional status and headers. ``redirect`` makes ``value`` the location."""

    value: Expression | None = None
    status: int | None = None
    headers: tuple[Entry, ...] = ()
    redirect: bool = False


class Failure(msgspec.Struct, frozen=True, gc=False):
    """What ``fail`` answers; ``code`` None stands for the name of the status (``conflict``)."""

    status: int
    message: Expression | None = None
    code: str | None = None


class Fail(Statement, frozen=True, kw_only=True):
    """``fail 409 "text" code "c"``: rolls the host back."""

    failure: Failure


class Require(Statement, frozen=True, kw_only=True):
    """``require c else fail …``."""

    condition: Expression
    failure: Failure


class Evaluate(Statement, frozen=True, kw_only=True):
    """An expression for its effect (create, update, delete, call of a function …)."""

    value: Expression


class Log(Statement, frozen=True, kw_only=True):
    """``log info "text" { key: value }``."""

    level: Literal["debug", "info", "warn", "error"]
    message: Expression
    data: tuple[Entry, ...] = ()


class Sleep(Statement, frozen=True, kw_only=True):
    """``sleep 2s``; inside a request it ends at the request's time-out."""

    duration: Expression


class AsUser(Statement, frozen=True, kw_only=True):
    """``as user { id: …, roles: [...] } { … }``; with an empty ``body`` (tests) it holds to the end of the host."""

    principal: Expression
    body: Block = ()


NOT_DECLARED: Final = "not_declared"
"""The code of the failure that stands for the use of a name which nothing declares: trying again is of no use."""


class Emit(Statement, frozen=True, kw_only=True):
    """``emit Event { … }``: ``event`` is the wire name, ``payload`` a record of its fields."""

    event: str
    payload: Expression


class Send(Statement, frozen=True, kw_only=True):
    """``send email(to) { … }``, ``send slack("#ops") { … }``."""

    channel: Literal["email", "slack"]
    target: Expression
    values: tuple[Entry, ...] = ()


class Mock(Statement, frozen=True, kw_only=True):
    """``mock Payments.refund returns e`` (or ``fails e``) in tests."""

    integration: str
    operation: str
    fails: bool
    value: Expression


class Advance(Statement, frozen=True, kw_only=True):
    """``advance 2h`` in tests: moves the virtual clock."""

    duration: Expression


class Expect(Statement, frozen=True, kw_only=True):
    """``expect c`` in tests; ``source`` is the text that a failure shows."""

    condition: Expression
    source: str = ""
