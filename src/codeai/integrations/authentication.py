"""How a request proves whose it is: bearer, basic, API key, OAuth 2 client credentials."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Final, Protocol
from urllib.parse import quote, quote_plus, urlencode

import msgspec

from codeai.integrations.errors import OutboundError, TokenRefused
from codeai.integrations.outbound import Answer, Limits, Outbound

_EARLY: Final = 30.0
_LIFETIME: Final = 300.0
_TOKEN_LIMITS: Final = Limits(connect=5.0, read=10.0, total=15.0, answer=100_000)


class Credentials(msgspec.Struct, frozen=True):
    """What is added to a request: headers, and a query parameter."""

    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[str, str] | None = None

    def apply(self, target: str) -> str:
        """The target with the query parameter."""
        if self.query is None:
            return target
        name, value = self.query
        return f"{target}{'&' if '?' in target else '?'}{quote(name, safe='')}={quote(value, safe='')}"


class Authentication(Protocol):
    """Gives credentials; may have to fetch them."""

    async def credentials(self) -> Credentials:
        """The credentials of the next request; raises OutboundError."""

    async def refused(self, used: Credentials) -> bool:
        """The peer answered 401: whether other credentials are worth one more attempt."""


class Fixed:
    """Credentials that never change."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def credentials(self) -> Credentials:
        """See ``Authentication``."""
        return self._credentials

    async def refused(self, used: Credentials) -> bool:
        """See ``Authentication``."""
        return False


def bearer(token: str) -> Fixed:
    """``Authorization: Bearer`` (RFC 6750), of which no token has a space: a value that says the scheme itself has it once."""
    return Fixed(Credentials((("Authorization", f"Bearer {token.removeprefix('Bearer ')}"),)))


def basic(username: str, password: str) -> Fixed:
    """``Authorization: Basic`` (RFC 7617), UTF-8."""
    pair = base64.b64encode(f"{username}:{password}".encode()).decode()
    return Fixed(Credentials((("Authorization", f"Basic {pair}"),)))


def api_key(key: str, *, header: str | None = None, query: str | None = None) -> Fixed:
    """A key in a header (``X-API-Key`` by default) or in a query parameter."""
    return Fixed(Credentials(query=(query, key))) if query else Fixed(Credentials(((header or "X-API-Key", key),)))


class _Token(msgspec.Struct, frozen=True):
    """An answer of a token endpoint (RFC 6749, section 5.1)."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105  # a type, no token
    expires_in: float | None = None


class ClientCredentials:
    """OAuth 2 client credentials (RFC 6749, section 4.4).

    The token is kept until shortly before its end. However many calls need a new one, one of them fetches it.

    :param now: seconds of a monotonic clock
    """

    def __init__(
        self, outbound: Outbound, token_url: str, client_id: str, client_secret: str, scopes: str, now: Callable[[], float]
    ) -> None:
        self._outbound = outbound
        self._url = token_url
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}".encode()
        self._basic = f"Basic {base64.b64encode(pair).decode()}"
        self._form = {"grant_type": "client_credentials", **({"scope": scopes} if scopes else {})}
        self._now = now
        self._kept: Credentials | None = None
        self._until = 0.0
        self._fetching: asyncio.Task[Credentials] | None = None

    async def credentials(self) -> Credentials:
        """See ``Authentication``."""
        if self._kept is not None and self._now() < self._until:
            return self._kept
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._fetch())
            self._fetching.add_done_callback(self._fetched)
        # One caller's cancellation must not take the token from the others.
        return await asyncio.shield(self._fetching)

    async def refused(self, used: Credentials) -> bool:
        """See ``Authentication``."""
        if used is self._kept:
            self._kept = None
        return True

    def _fetched(self, task: asyncio.Task[Credentials]) -> None:
        self._fetching = None
        if not task.cancelled():
            task.exception()  # whoever waits has it; nobody waiting is no reason for a warning

    async def _fetch(self) -> Credentials:
        headers = [("Authorization", self._basic), ("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")]
        try:
            answer = await self._outbound.send(
                "POST", self._url, headers=headers, body=urlencode(self._form).encode(), limits=_TOKEN_LIMITS
            )
        except OutboundError as error:
            # The call itself was not sent, whatever became of the request for a token.
            raise TokenRefused(f"no token: {error}") from error
        token = _token(answer)
        lifetime = token.expires_in if token.expires_in is not None else _LIFETIME
        self._until = self._now() + max(lifetime - min(_EARLY, lifetime / 10), 1.0)
        self._kept = Credentials((("Authorization", f"{token.token_type} {token.access_token}"),))
        return self._kept


def _token(answer: Answer) -> _Token:
    if answer.status != 200:
        error = TokenRefused(f"the token endpoint answered {answer.status}")
        error.transient = answer.status >= 500 or answer.status == 429
        raise error
    try:
        token = msgspec.json.decode(answer.body, type=_Token, strict=False)
    except (msgspec.DecodeError, RecursionError) as error:
        raise TokenRefused("the token endpoint's answer is no token") from error
    if token.token_type.lower() != "bearer" or not token.access_token.isascii() or not token.access_token.isprintable():
        raise TokenRefused("the token endpoint gave a token of another kind")
    return msgspec.structs.replace(token, token_type="Bearer")  # noqa: S106  # as above
