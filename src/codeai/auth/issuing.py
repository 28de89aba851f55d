"""Tokens of the program's own, and passwords."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import jwt
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from codeai.auth.errors import NoSecretConfigured
from codeai.auth.issued import note_token

DEFAULT_LIFETIME: Final = datetime.timedelta(hours=1)


def issue_token(
    secret: str | None,
    subject: str,
    roles: Sequence[str],
    lifetime: datetime.timedelta | None,
    now: float,
    *,
    issuer: str | None = None,
    audience: str | None = None,
    extra: dict[str, Any] | None = None,
) -> str:
    """A token signed with HS256.

    :param now: seconds since the epoch
    :raises NoSecretConfigured: there is no secret to sign with
    """
    if not secret:
        raise NoSecretConfigured("issue_token")
    seconds = (DEFAULT_LIFETIME if lifetime is None else lifetime).total_seconds()
    claims: dict[str, Any] = {"sub": subject, "roles": list(roles), "iat": int(now), "exp": int(now + seconds), **(extra or {})}
    if issuer is not None:
        claims["iss"] = issuer
    if audience is not None:
        claims["aud"] = audience
    return jwt.encode(claims, secret, algorithm="HS256")


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

    def __init__(self, secret: str | None, clock: Callable[[], float], *, issuer: str | None = None, audience: str | None = None) -> None:
        self._passwords = Passwords()
        self._secret = secret
        self._clock = clock
        self._issuer = issuer
        self._audience = audience

    async def hash_password(self, password: str) -> str:
        """See ``Passwords.hash``."""
        return await self._passwords.hash(password)

    async def verify_password(self, password: str | None, hashed: str | None) -> bool:
        """See ``Passwords.verify``."""
        return await self._passwords.verify(password, hashed)

    def issue_token(self, subject: str, roles: Sequence[str], lifetime: datetime.timedelta | None) -> str:
        """See ``issue_token``."""
        note_token()
        return issue_token(self._secret, subject, roles, lifetime, self._clock(), issuer=self._issuer, audience=self._audience)
