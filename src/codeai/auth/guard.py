"""The guard: from the headers of a request to a principal, or to a refusal."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from codeai.auth.errors import AuthError, Forbidden, InvalidToken, MissingToken, NoSecretConfigured, UnsupportedAlgorithm
from codeai.auth.principal import ANONYMOUS, Principal, RoleTable
from codeai.auth.tokens import TokenVerifier
from codeai.model.security import Guard as GuardModel

Headers = Mapping[bytes, bytes]
_AUTHORIZATION: Final = b"authorization"


class Provider(Protocol):
    """A way to say who one is; ``header`` (lower case) is where, ``way`` says to people what to send."""

    name: str
    header: bytes
    way: str

    def quick(self, headers: Headers) -> Principal | None:
        """The principal, if that is known without waiting."""

    def challenge(self, refused: AuthError | None) -> str:
        """What ``WWW-Authenticate`` says of this way, and of the credentials that it refused."""

    async def authenticate(self, headers: Headers) -> Principal | None:
        """The principal, or None when the request has no credentials of this kind; raises AuthError for bad ones."""


class BearerProvider:
    """``Authorization: Bearer <token>`` (RFC 6750)."""

    header = _AUTHORIZATION
    way = "`Authorization: Bearer <token>`"

    def __init__(self, verifier: TokenVerifier) -> None:
        self.name = verifier.name
        self._verifier = verifier

    def challenge(self, refused: AuthError | None) -> str:
        """See ``Provider`` (RFC 6750, section 3)."""
        return "Bearer" if refused is None else f'Bearer error="invalid_token", error_description="{refused.text}"'

    def quick(self, headers: Headers) -> Principal | None:
        """See ``Provider``."""
        value = headers.get(b"authorization")
        return self._verifier.kept(value[7:].decode("latin-1")) if value is not None and value[:7] == b"Bearer " else None

    async def authenticate(self, headers: Headers) -> Principal | None:
        """See ``Provider``."""
        value = headers.get(b"authorization")
        if value is None:
            return None
        scheme, _, token = value.decode("latin-1").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = token.strip()
        if not token or not token.isascii() or " " in token or "," in token:
            raise InvalidToken("malformed Authorization header")
        return await self._verifier.verify(token)


class ApiKeyProvider:
    """A key in a header; keys are compared by their hash, in constant time.

    :param keys: entries ``name:key`` or ``name:key:role|role``, separated by commas
    """

    def __init__(self, name: str, header: str, keys: str, roles: RoleTable) -> None:
        self.name = name
        self.header = header.lower().encode()
        self.way = f"`{header}: <key>`"
        self._principals: dict[bytes, Principal] = {}
        for entry in filter(None, (part.strip() for part in keys.split(","))):
            subject, _, rest = entry.partition(":")
            key, _, given = rest.partition(":")
            if not key:
                key, subject = subject, name
            grants = roles.grants(frozenset(filter(None, given.split("|"))))
            principal = Principal(id=subject, grants=grants, provider=name, authenticated=True)
            self._principals[hashlib.sha256(key.encode()).digest()] = principal

    def challenge(self, refused: AuthError | None) -> str:
        """See ``Provider``. Keys in headers have no scheme of their own with IANA; this says to people where the key belongs."""
        return f'ApiKey realm="{self.name}", header={_quoted(self.header.decode())}'

    def quick(self, headers: Headers) -> Principal | None:
        """See ``Provider``."""
        value = headers.get(self.header)
        return None if value is None else self._principals.get(hashlib.sha256(value).digest())

    async def authenticate(self, headers: Headers) -> Principal | None:
        """See ``Provider``."""
        if self.header not in headers:
            return None
        found = self.quick(headers)
        if found is None:
            raise InvalidToken("unknown API key", hint=f"the key in {self.way.partition(':')[0][1:]} is none that this server knows")
        return found


class BasicProvider:
    """``Authorization: Basic`` (RFC 7617). ``users`` are entries ``name:password`` or ``name:password:role|role``.

    :param realm: what browsers show where they ask for the password; the name of the provider when empty
    """

    header = _AUTHORIZATION
    way = "`Authorization: Basic <name and password>`"

    def __init__(self, name: str, users: str, roles: RoleTable, realm: str = "") -> None:
        self.name = name
        self._realm = _quoted(realm or name)
        self._users: dict[str, tuple[bytes, Principal]] = {}
        for entry in filter(None, (part.strip() for part in users.split(","))):
            user, _, rest = entry.partition(":")
            password, _, given = rest.partition(":")
            grants = roles.grants(frozenset(filter(None, given.split("|"))))
            self._users[user] = (password.encode(), Principal(id=user, grants=grants, provider=name, authenticated=True))

    def challenge(self, refused: AuthError | None) -> str:
        """See ``Provider`` (RFC 7617, sections 2 and 2.1)."""
        return f'Basic realm={self._realm}, charset="UTF-8"'

    def quick(self, headers: Headers) -> Principal | None:
        """See ``Provider``."""
        return None

    async def authenticate(self, headers: Headers) -> Principal | None:
        """See ``Provider``."""
        value = headers.get(b"authorization", b"")
        if value[:6].lower() != b"basic ":
            return None
        try:
            user, _, password = base64.b64decode(value[6:], validate=True).decode().partition(":")
        except (binascii.Error, ValueError) as error:
            raise InvalidToken("malformed Authorization header") from error
        expected, principal = self._users.get(user, (b"\x00", ANONYMOUS))
        if not hmac.compare_digest(expected, password.encode()) or principal is ANONYMOUS:
            raise InvalidToken("unknown user or wrong password", hint="the name or the password is wrong")
        return principal


def _quoted(text: str) -> str:
    """A text as a quoted string of a header (RFC 9110, section 5.6.4); letters that headers have not are left out."""
    plain = "".join(letter for letter in text if " " <= letter <= "~")
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def challenges(providers: Iterable[Provider], refused: AuthError | None = None, by: Provider | None = None) -> tuple[str, ...]:
    """What ``WWW-Authenticate`` says where one has to say who one is; where nobody knows callers, as for tokens.

    :param refused: the error about the credentials that came, if ``by`` refused any
    """
    found = dict.fromkeys(provider.challenge(refused if provider is by else None) for provider in providers)
    if sum(challenge.startswith("Bearer") for challenge in found) > 1:
        found.pop("Bearer", None)  # another one says more
    return tuple(found) or ("Bearer",)


class Guard:
    """Decides who may use one endpoint.

    :param providers: those that the endpoint accepts, all of the program when it names none
    """

    def __init__(self, model: GuardModel, providers: tuple[Provider, ...]) -> None:
        self.public = model.mode == "public"
        self._required = model.mode == "required"
        self._roles = model.roles
        self._permissions = model.permissions
        self._providers = providers
        self._headers = frozenset(provider.header for provider in providers)
        self._hint = f"send the header {' or '.join(dict.fromkeys(provider.way for provider in providers))}" if providers else ""

    def quick(self, headers: Headers) -> Principal | None:
        """The admitted principal if nothing has to be awaited for it; None asks for ``admit``."""
        if self.public and self._headers.isdisjoint(headers):
            return ANONYMOUS
        for provider in self._providers:
            found = provider.quick(headers)
            if found is not None:
                return self._allowed(found)
        return None

    async def admit(self, headers: Headers) -> Principal:
        """The principal of a request.

        :raises AuthError: no credentials where they are required, bad ones (except on public endpoints), or too few rights
        """
        refused: list[tuple[AuthError, Provider]] = []
        for provider in self._providers:
            try:
                found = await provider.authenticate(headers)
            except AuthError as error:
                refused.append((error, provider))
                continue
            if found is not None:
                return self._allowed(found)
        if refused and not self.public:
            told, by = max(refused, key=lambda each: _telling(each[0]))
            told.challenges = challenges(self._providers, told, by)
            raise told
        if self._required:
            missing = MissingToken(hint=self._hint)
            missing.challenges = challenges(self._providers)
            raise missing
        return ANONYMOUS

    def _allowed(self, principal: Principal) -> Principal:
        if self._roles and not any(map(principal.has_role, self._roles)):
            raise Forbidden(f"needs one of the roles {', '.join(self._roles)}")
        if self._permissions and not any(map(principal.has_permission, self._permissions)):
            raise Forbidden(f"needs one of the permissions {', '.join(self._permissions)}")
        return principal


_FOREIGN = (UnsupportedAlgorithm, NoSecretConfigured)


def _telling(error: AuthError) -> int:
    """How much an error says: where several providers refuse a token, the one that could read it knows why."""
    return 0 if isinstance(error, _FOREIGN) else 1 if type(error) is InvalidToken else 2
