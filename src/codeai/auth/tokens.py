"""JSON Web Tokens (RFC 7519), checked by the rules of RFC 8725."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import jwt
from jwt.exceptions import PyJWTError
from jwt.types import Options

from codeai.auth.errors import (
    AuthError,
    ExpiredToken,
    InvalidAudience,
    InvalidIssuer,
    InvalidToken,
    NoSecretConfigured,
    UnsupportedAlgorithm,
)
from codeai.auth.keys import Keys, KeySet
from codeai.auth.principal import Principal, RoleTable

LONGEST_TOKEN: Final = 8192
LEEWAY: Final = 30.0
_SYMMETRIC: Final = frozenset(["HS256", "HS384", "HS512"])
_TYPES: Final = frozenset(["jwt", "at+jwt", "application/at+jwt"])


class TokenVerifier:
    """Checks the tokens of one provider and keeps those that it has checked.

    A verified token is kept, by its SHA-256, until it expires or makes room for others, so that the signature of a token is
    computed once and not on every request.

    :param clock: seconds since the epoch
    """

    def __init__(
        self,
        name: str,
        *,
        algorithms: frozenset[str],
        keys: Keys | None,
        secret: bytes | None,
        roles: RoleTable,
        clock: Callable[[], float],
        issuer: str | None = None,
        audience: frozenset[str] = frozenset(),
        roles_claim: str = "roles",
        permissions_claim: str = "permissions",
        tenant_claim: str = "tenant",
        require_exp: bool = True,
        kept: int = 10_000,
    ) -> None:
        self.name = name
        self._algorithms = algorithms
        self._keys = keys
        self._secret = secret
        self._roles = roles
        self._clock = clock
        self._issuer = issuer
        self._audience = audience
        self._claims = (roles_claim, permissions_claim, tenant_claim)
        self._require_exp = require_exp
        self._kept = kept
        self._verified: OrderedDict[bytes, tuple[float, int, Principal]] = OrderedDict()

    # -- kept tokens -----------------------------------------------------------------------------------------------

    def kept(self, token: str) -> Principal | None:
        """The principal of a token that was checked before and still holds."""
        found = self._verified.get(hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest())
        if found is None:
            return None
        expires, generation, principal = found
        if self._clock() >= expires:
            return None
        if isinstance(self._keys, KeySet):
            self._keys.look_again()
            if generation != self._keys.generation:
                return None
        return principal

    def _keep(self, token: str, expires: float, principal: Principal) -> None:
        self._verified[hashlib.sha256(token.encode()).digest()] = (expires, getattr(self._keys, "generation", 0), principal)
        if len(self._verified) > self._kept:
            self._verified.popitem(last=False)

    # -- checking --------------------------------------------------------------------------------------------------

    async def verify(self, token: str) -> Principal:
        """The principal of a token.

        :raises AuthError: one of its subclasses, whatever the text is
        """
        found = self.kept(token)
        if found is not None:
            return found
        header, claims = _unverified(token)
        algorithm = self._algorithm(header)
        key = await self._key(header, algorithm)
        try:
            jwt.decode_complete(token, key, algorithms=[algorithm], options=_SIGNATURE_ONLY, leeway=LEEWAY)
        except (PyJWTError, ValueError, TypeError) as error:
            raise InvalidToken(str(error)) from error
        expires = self._check_times(claims)
        self._check_issuer(claims)
        self._check_audience(claims)
        principal = self._principal(claims)
        self._keep(token, expires, principal)
        return principal

    def _algorithm(self, header: Mapping[str, Any]) -> str:
        algorithm = header.get("alg")
        if not isinstance(algorithm, str):
            raise InvalidToken("the header has no alg")
        if algorithm in _SYMMETRIC and self._secret is None and algorithm in self._algorithms:
            raise NoSecretConfigured(algorithm)
        if algorithm not in self._algorithms:
            raise UnsupportedAlgorithm(algorithm[:40])
        return algorithm

    async def _key(self, header: Mapping[str, Any], algorithm: str) -> Any:
        if algorithm in _SYMMETRIC:
            return self._secret
        kid = header.get("kid")
        if kid is not None and (not isinstance(kid, str) or len(kid) > 200):
            raise InvalidToken("malformed kid")
        if self._keys is None:
            raise UnsupportedAlgorithm(algorithm)
        return await self._keys.find(kid, algorithm)

    def _check_times(self, claims: Mapping[str, Any]) -> float:
        now = self._clock()
        expires = _number(claims, "exp")
        if expires is None and self._require_exp:
            raise InvalidToken("the token has no exp")
        if expires is not None and now >= expires + LEEWAY:
            raise ExpiredToken()
        for name in ("nbf", "iat"):
            begin = _number(claims, name)
            if begin is not None and begin > now + LEEWAY:
                raise InvalidToken(f"{name} lies in the future")
        return now + 3600 if expires is None else expires

    def _check_issuer(self, claims: Mapping[str, Any]) -> None:
        if self._issuer is not None and claims.get("iss") != self._issuer:
            raise InvalidIssuer(str(claims.get("iss"))[:100])

    def _check_audience(self, claims: Mapping[str, Any]) -> None:
        if not self._audience:
            return
        found = claims.get("aud")
        values = found if isinstance(found, list) else [found]
        if not any(isinstance(value, str) and value in self._audience for value in values):
            raise InvalidAudience(str(found)[:100])

    def _principal(self, claims: Mapping[str, Any]) -> Principal:
        subject = claims.get("sub")
        if subject is not None and (not isinstance(subject, str) or not subject or "\x00" in subject):
            raise InvalidToken("malformed sub")
        roles_claim, permissions_claim, tenant_claim = self._claims
        roles, permissions = _names(claims, roles_claim), _names(claims, permissions_claim)
        tenant = _at(claims, tenant_claim)
        return Principal(
            id=subject,
            grants=self._roles.grants(roles, permissions),
            tenant=tenant if isinstance(tenant, str) else None,
            email=_text(claims.get("email")),
            name=_text(claims.get("name")),
            claims=claims,
            provider=self.name,
            authenticated=True,
        )


_SIGNATURE_ONLY: Final = cast(
    "Options", dict.fromkeys(("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub", "verify_jti"), False)
)


def _unverified(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as they stand in the token, after the checks that need no key (RFC 8725, sections 3.1, 3.11)."""
    if len(token) > LONGEST_TOKEN:
        raise InvalidToken("the token is too long")
    parts = token.split(".")
    if len(parts) != 3 or not all(parts):
        raise InvalidToken("a token has three parts")
    header, claims = _object(parts[0]), _object(parts[1])
    _decoded(parts[2])
    if "crit" in header or header.get("b64", True) is not True:
        raise InvalidToken("critical extensions are not supported")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise InvalidToken("the token is of another type")
    return header, claims


def _decoded(part: str) -> bytes:
    try:
        found = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError) as error:
        raise InvalidToken("malformed base64") from error
    if base64.urlsafe_b64encode(found).rstrip(b"=").decode() != part:
        raise InvalidToken("malformed base64")
    return found


def _object(part: str) -> dict[str, Any]:
    try:
        found = json.loads(_decoded(part), object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise InvalidToken("malformed JSON") from error
    if not isinstance(found, dict):
        raise InvalidToken("malformed JSON")
    return found


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _number(claims: Mapping[str, Any], name: str) -> float | None:
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e15 < value < 1e15 or not math.isfinite(value):
        raise InvalidToken(f"malformed {name}")
    return float(value)


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name, or by a dotted path (``realm_access.roles``)."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _names(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    found = _at(claims, path)
    if isinstance(found, str):
        return frozenset(found.split())
    return frozenset(value for value in found if isinstance(value, str)) if isinstance(found, list) else frozenset()


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


__all__ = ["LEEWAY", "LONGEST_TOKEN", "AuthError", "TokenVerifier"]
