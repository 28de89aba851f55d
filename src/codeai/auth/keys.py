"""Keys that signatures are checked with: fixed ones, and key sets fetched from a provider (RFC 7517)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from codeai.auth.errors import JWKSFetchFailed, KeyNotFound, UnsupportedAlgorithm

_LOG = logging.getLogger("codeai.auth")
_RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVES: Final = {"secp256r1": ("ES256",), "secp384r1": ("ES384",), "secp521r1": ("ES512",)}
_SHORTEST_RSA: Final = 2048


def algorithms_of(key: object) -> tuple[str, ...]:
    """The algorithms for which a public key may be used (RFC 7518, section 3.1; RFC 8037); none for keys that are too weak."""
    if isinstance(key, rsa.RSAPublicKey):
        return _RSA if key.key_size >= _SHORTEST_RSA else ()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _CURVES.get(key.curve.name, ())
    return ("EdDSA",) if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey) else ()


class Keys(Protocol):
    """Where a verifier gets its keys from."""

    async def find(self, kid: str | None, algorithm: str) -> Any:
        """The key for a token's header; raises KeyNotFound or JWKSFetchFailed."""

    def known(self, kid: str | None, algorithm: str) -> Any:
        """The key if it is at hand, else None."""


class FixedKey:
    """One key for everything."""

    def __init__(self, key: Any) -> None:
        self._key = key

    async def find(self, kid: str | None, algorithm: str) -> Any:
        """See ``Keys``."""
        if algorithm not in algorithms_of(self._key):
            raise UnsupportedAlgorithm(algorithm)
        return self._key

    def known(self, kid: str | None, algorithm: str) -> Any:
        """See ``Keys``."""
        return self._key if algorithm in algorithms_of(self._key) else None


class FetchedDocument(msgspec.Struct, frozen=True):
    """A key set as it came: the text, and for how many seconds its provider says it holds (None: says nothing)."""

    text: bytes
    max_age: float | None = None


Fetch = Callable[[str], Awaitable[FetchedDocument]]


class KeySet:
    """A provider's key set, fetched when needed and kept.

    One fetch at a time (single flight). An unknown key id leads to at most one fetch per ``interval``, so that clients cannot
    make the server call its provider at will (acceptance T6). While the provider is down, kept keys go on being used.

    :param fetch: gets the document; raises OSError or ValueError
    :param clock: monotonic seconds
    :param interval: seconds between fetches for unknown ids
    :param lifetime: seconds that a set is kept when the provider does not say
    """

    def __init__(self, url: str, fetch: Fetch, clock: Callable[[], float], *, interval: float = 30.0, lifetime: float = 600.0) -> None:
        self._url = url
        self._fetch = fetch
        self._clock = clock
        self._interval = interval
        self._lifetime = lifetime
        self._keys: dict[str | None, list[Any]] = {}
        self._expires = float("-inf")
        self._asked = float("-inf")
        self._failed = False
        self._flight: asyncio.Task[None] | None = None
        self.generation = 0

    def look_again(self) -> None:
        """Has the set fetched again if its time is over, without waiting: for those whose tokens were checked with it before.

        Else a key that its provider has withdrawn would be good for as long as nobody comes with a new token.
        """
        now = self._clock()
        if now >= self._expires and now - self._asked >= self._interval and (self._flight is None or self._flight.done()):
            self._begin()

    def _begin(self) -> asyncio.Task[None]:
        self._asked = self._clock()
        self._flight = asyncio.ensure_future(self._load())
        return self._flight

    def known(self, kid: str | None, algorithm: str) -> Any:
        """See ``Keys``."""
        if self._clock() >= self._expires:
            return None
        return self._match(kid, algorithm)

    def _match(self, kid: str | None, algorithm: str) -> Any:
        if kid is None:
            candidates = [key for keys in self._keys.values() for key in keys]
        else:
            candidates = self._keys.get(kid, [])
        fitting = [key for key in candidates if algorithm in algorithms_of(key)]
        return fitting[0] if len(fitting) == 1 or (fitting and kid is not None) else None

    async def find(self, kid: str | None, algorithm: str) -> Any:
        """See ``Keys``."""
        found = self.known(kid, algorithm)
        if found is not None:
            return found
        now = self._clock()
        if now - self._asked >= self._interval or (self._flight is not None and not self._flight.done()):
            await self._refresh()
        found = self._match(kid, algorithm)
        if found is not None:
            return found
        if self._failed:
            raise JWKSFetchFailed(self._url)
        raise KeyNotFound(f"kid {kid!r}")

    async def _refresh(self) -> None:
        flight = self._begin() if self._flight is None or self._flight.done() else self._flight
        await asyncio.shield(flight)

    async def _load(self) -> None:
        try:
            document = await self._fetch(self._url)
            keys = _parsed(document.text)
        except (OSError, ValueError, msgspec.DecodeError, RecursionError) as error:
            self._failed = True
            _LOG.error("authentication failed: JWKS fetch failed: %s: %s", self._url, error)
            return
        self._failed = False
        if keys != self._keys:
            self.generation += 1
        self._keys = keys
        age = document.max_age if document.max_age is not None else self._lifetime
        self._expires = self._clock() + min(max(age, 60.0), 86_400.0)


def _parsed(text: bytes) -> dict[str | None, list[Any]]:
    document = msgspec.json.decode(text)
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise ValueError("not a key set")
    found: dict[str | None, list[Any]] = {}
    for entry in document["keys"][:100]:
        if not isinstance(entry, dict) or entry.get("kty") not in ("RSA", "EC", "OKP") or entry.get("use", "sig") != "sig":
            continue
        try:
            key = jwt.PyJWK.from_dict(entry).key
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue
        if not algorithms_of(key):
            continue
        kid = entry.get("kid")
        found.setdefault(kid if isinstance(kid, str) else None, []).append(key)
    return found
