"""What a client asks of a list beside its filters, and what it gets."""

from __future__ import annotations

import datetime
from typing import Any, Literal

import msgspec


class ListRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The query parameters that every list knows, as decoded from text. None: not sent.

    :param cursor: empty asks for the first page by cursor
    :param now: the time of the request, for query text
    """

    sort: str | None = None
    page: int | None = None
    limit: int | None = None
    cursor: str | None = None
    expand: str | None = None
    q: str | None = None
    search: str | None = None
    total: Literal["exact", "estimated"] | None = None
    now: datetime.datetime | None = None


class OffsetPagination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page by number stands. ``total`` only when asked for."""

    page: int
    limit: int
    has_next: bool
    has_previous: bool
    total: int | msgspec.UnsetType = msgspec.UNSET


class CursorPagination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page by cursor stands; a cursor is null at its end of the list."""

    limit: int
    next_cursor: str | None
    prev_cursor: str | None
    has_next: bool
    has_previous: bool
    total: int | msgspec.UnsetType = msgspec.UNSET


class Page(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A page of rows, as it is encoded."""

    data: list[Any]
    pagination: OffsetPagination | CursorPagination
