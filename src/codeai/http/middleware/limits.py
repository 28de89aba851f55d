"""Rate limits of endpoints, with the fields that tell a client where it stands (draft-ietf-httpapi-ratelimit-headers, RFC 6585)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from codeai.auth.principal import Principal
from codeai.http.messages import Header, Request
from codeai.http.middleware.clients import ClientAddresses
from codeai.http.problems import Problem
from codeai.limits.rules import Decision, Rule
from codeai.limits.stores import LimitStore

Key = Callable[[Request, Principal | None], str]


def keys(by: str, addresses: ClientAddresses) -> Key:
    """Whose requests are counted together: of a ``user`` (of an address, while there is no user), ``ip``, ``tenant``, ``all``."""

    def user(request: Request, principal: Principal | None) -> str:
        if principal is not None and principal.id is not None:
            return f"user:{principal.provider}:{principal.id}"
        return f"ip:{addresses.key(request)}"

    def tenant(request: Request, principal: Principal | None) -> str:
        return f"tenant:{principal.tenant}" if principal is not None and principal.tenant is not None else user(request, principal)

    found: dict[str, Key] = {"ip": lambda request, principal: f"ip:{addresses.key(request)}", "all": lambda request, principal: "all"}
    return found.get(by, tenant if by == "tenant" else user)


class Limit:
    """One rate limit.

    :param name: limits of the same name count together
    :param before_guard: whether it is decided before the caller is known (``ip``, ``all``), so that it protects the guard, too
    """

    def __init__(self, name: str, rule: Rule, key: Key, store: LimitStore, *, before_guard: bool) -> None:
        self.before_guard = before_guard
        self._name = name
        self._rule = rule
        self._key = key
        self._store = store

    async def check(self, request: Request, principal: Principal | None) -> None:
        """Counts a request; raises the problem 429 when there were too many."""
        decision = await self._store.take(self._name, self._key(request, principal), self._rule)
        fields = self._fields(decision)
        request.extra = _tighter(request.extra, fields, decision)
        if not decision.allowed:
            after = max(1, math.ceil(decision.retry_after))
            raise Problem(
                429,
                f"at most {self._rule.requests} requests per {_text(self._rule.window)} are accepted here",
                "rate_limited",
                hint=f"try again in {after} s",
                headers=((b"retry-after", b"%d" % after),),
            )

    def _fields(self, decision: Decision) -> tuple[Header, ...]:
        window = max(1, round(self._rule.window / 1000))
        return (
            (b"ratelimit-limit", b"%d" % decision.limit),
            (b"ratelimit-remaining", b"%d" % decision.remaining),
            (b"ratelimit-reset", b"%d" % math.ceil(decision.reset)),
            (b"ratelimit-policy", b"%d;w=%d" % (self._rule.requests, window)),
        )


def _tighter(before: tuple[Header, ...], fields: tuple[Header, ...], decision: Decision) -> tuple[Header, ...]:
    """The fields of the limit that is nearer to its end, when there are several."""
    known: dict[bytes, Any] = dict(before)
    if b"ratelimit-remaining" not in known:
        return (*before, *fields)
    if decision.allowed and int(known[b"ratelimit-remaining"]) <= decision.remaining:
        return before
    return (*(header for header in before if not header[0].startswith(b"ratelimit-")), *fields)


def _text(milliseconds: int) -> str:
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds % length == 0:
            return f"{milliseconds // length} {unit}"
    return f"{milliseconds} ms"
