"""``traceparent`` and ``tracestate``, read and written by the rules of the W3C's recommendation Trace Context (level 1)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import msgspec

_PARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_KEY: Final = r"[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}"
_MEMBER: Final = re.compile(rf"({_KEY})=([\x20-\x2b\x2d-\x3c\x3e-\x7e]{{0,255}}[\x21-\x2b\x2d-\x3c\x3e-\x7e])")
_MOST_MEMBERS: Final = 32


class TraceContext(msgspec.Struct, frozen=True):
    """Where a request stands in a trace. ``state`` is what vendors pass on, in order."""

    trace_id: str
    parent_id: str
    sampled: bool
    state: tuple[tuple[str, str], ...] = ()


def read_context(headers: Iterable[tuple[bytes, bytes]]) -> TraceContext | None:
    """The context that a request brings, None when it brings none that is valid: then a new trace begins."""
    parents: list[str] = []
    states: list[str] = []
    for name, value in headers:
        lowered = name.lower()
        if lowered == b"traceparent":
            parents.append(value.decode("latin-1").strip(" \t"))
        elif lowered == b"tracestate":
            states.append(value.decode("latin-1"))
    if len(parents) != 1:
        return None
    found = _PARENT.fullmatch(parents[0])
    if found is None or found[1] == "ff" or (found[1] == "00" and found[5]) or not int(found[2], 16) or not int(found[3], 16):
        return None
    return TraceContext(found[2], found[3], bool(int(found[4], 16) & 1), read_state(",".join(states)))


def read_state(text: str) -> tuple[tuple[str, str], ...]:
    """The members of ``tracestate``; one that is malformed, twice there or too many makes all of it void."""
    members: list[tuple[str, str]] = []
    for part in (part.strip(" \t") for part in text.split(",")):
        if not part:
            continue
        found = _MEMBER.fullmatch(part)
        if found is None:
            return ()
        members.append((found[1], found[2]))
    if len(members) > _MOST_MEMBERS or len({key for key, _ in members}) != len(members):
        return ()
    return tuple(members)


def written(context: TraceContext) -> tuple[tuple[str, str], ...]:
    """The headers of a request that goes on with the trace."""
    parent = ("traceparent", f"00-{context.trace_id}-{context.parent_id}-{'01' if context.sampled else '00'}")
    if not context.state:
        return (parent,)
    return parent, ("tracestate", ",".join(f"{key}={value}" for key, value in context.state))
