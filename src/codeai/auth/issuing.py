"""Tokens of the program's own, and passwords."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import jwt
import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from codeai.auth.errors import NoSecretConfigured
from codeai.auth.issued import note_token

DEFAULT_LIFETIME: Final = datetime.timedelta(hours=1)


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a program's own tokens are signed with, and what its ``auth`` asks of them. Without a secret there are none.

    :param roles_claim: where they say the roles; a path with dots is a claim within a claim
    """

    secret: str | None = None
    issuer: str | None = None
    audience: str | None = None
    roles_claim: str = "roles"
    tenant_claim: str = "tenant"


def issue_token(
    key: SigningKey,
    subject: str,
    roles: Sequence[str],
    lifetime: datetime.timedelta | None,
    now: float,
    *,
    tenant: str | None = None,
    extra: dict[str, Any] | None = None,
) -> str:
    """A token signed with HS256.

    :param now: seconds since the epoch
    :raises NoSecretConfigured: there is no secret to sign with
    """
    if not key.secret:
        raise NoSecretConfigured("issue_token")
    seconds = (DEFAULT_LIFETIME if lifetime is None else lifetime).total_seconds()
    claims: dict[str, Any] = {"sub": subject, "iat": int(now), "exp": int(now + seconds), **(extra or {})}
    _put(claims, key.roles_claim, list(roles))
    if tenant is not None:
        _put(claims, key.tenant_claim, tenant)
    if key.issuer is not None:
        claims["iss"] = key.issuer
    if key.audience is not None:
        claims["aud"] = key.audience
    return jwt.encode(claims, key.secret, algorithm="HS256")


def _put(claims: dict[str, Any], path: str, value: object) -> None:
    """Sets a claim, or one within others, where the verifier looks for it."""
    *outer, last = path.split(".")
    for name in outer:
        claims = claims.setdefault(name, {})
    claims[last] = value


class Passwords:
    """Argon2id (RFC 9106) on threads of its own, since one hash takes tens of milliseconds and much memory.

    :param parallel: how many hashes are computed at the same time; others wait
    """

    def __init__(self, parallel: int = 2) -> None:
        self._hasher = PasswordHasher()
        self._threads = ThreadPoolExecutor(parallel, "codeai-passwords")

    async def hash(self, password: str) -> str:
        """The hash of a password in PHC form, with its salt."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, password)

    async def verify(self, password: str | None, hashed: str | None) -> bool:
        """Whether the password has that hash. False for nulls and for what is no hash; it takes as long in either case."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._verify, password, hashed)

    def _verify(self, password: str | None, hashed: str | None) -> bool:
        if password is None or hashed is None or not hashed.startswith("$argon2"):
            self._hasher.hash(password or "")
            return False
        try:
            return self._hasher.verify(hashed, password)
        except (Argon2Error, InvalidHashError, ValueError):
            return False


class ProgramServices:
    """What the program's built-ins ask of this room (see ``evaluate.context.Services``)."""

    def __init__(self, key: SigningKey, clock: Callable[[], float]) -> None:
        self._passwords = Passwords()
        self._key = key
        self._clock = clock

    async def hash_password(self, password: str) -> str:
        """See ``Passwords.hash``."""
        return await self._passwords.hash(password)

    async def verify_password(self, password: str | None, hashed: str | None) -> bool:
        """See ``Passwords.verify``."""
        return await self._passwords.verify(password, hashed)

    def issue_token(self, subject: str, roles: Sequence[str], lifetime: datetime.timedelta | None) -> str:
        """See ``issue_token``."""
        note_token()
        return issue_token(self._key, subject, roles, lifetime, self._clock())
