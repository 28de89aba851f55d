"""Integrations with their operations, and middleware (language page, section 11)."""

from __future__ import annotations

from typing import Literal

import msgspec

from codeai.language.types import Json, Record, Type
from codeai.model.endpoint import Shape
from codeai.model.event import Retry
from codeai.model.expression import Entry, Expression
from codeai.model.limits import RateLimit


class Breaker(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A circuit breaker; times in milliseconds, ``window`` None for consecutive failures."""

    failures: int = 5
    window: int | None = None
    reset_after: int = 60_000
    half_open: int = 3


class Operation(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A call that an integration offers. ``arguments`` are all that it takes, by name; places say where each goes."""

    name: str
    method: str = "GET"
    path: str = ""
    arguments: Record
    query: tuple[str, ...] = ()
    body: Shape | None = None
    document: str = ""
    headers: tuple[Entry, ...] = ()
    result: Type = Json()
    idempotent: bool = False
    timeout: int | None = None
    retry: Retry | None = None
    cache: int | None = None
    description: str = ""
    at: int = -1


class Integration(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A peer of the program; times in milliseconds."""

    name: str
    kind: Literal["rest", "graphql"] = "rest"
    base_url: Expression
    auth: tuple[str, tuple[Entry, ...]] | None = None
    headers: tuple[Entry, ...] = ()
    timeout: int = 30_000
    retry: Retry | None = None
    rate_limit: RateLimit | None = None
    breaker: Breaker | None = None
    operations: tuple[Operation, ...] = ()
    at: int = -1


class Middleware(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A declared middleware with its settings."""

    name: str
    kind: str
    settings: tuple[Entry, ...] = ()
    at: int = -1
