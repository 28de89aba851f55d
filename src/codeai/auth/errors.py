"""The errors of authentication and authorisation, with the codes of the operator's guide (acceptance S77 to S85)."""

from __future__ import annotations


class AuthError(Exception):
    """The base: ``code`` is stable, ``status`` is the HTTP status, ``text`` goes to the caller, the cause to the log.

    ``remedy`` says what to do about it; callers are told only where it is they who can do it. ``challenges`` are the values of
    ``WWW-Authenticate`` (RFC 9110, section 11.6.1), one for each way to say who one is.

    :param hint: takes the place of the remedy, where more is known
    """

    code = "AUTH001"
    status = 401
    text = "invalid token"
    remedy = "get a new token: this one is malformed, or another secret signed it"

    def __init__(self, cause: str = "", *, hint: str = "") -> None:
        super().__init__(self.text)
        self.cause = cause
        self._hint = hint
        self.challenges: tuple[str, ...] = ()

    @property
    def hint(self) -> str:
        """What the caller can do; empty where only the operator can do something."""
        return self._hint or ("" if self.status >= 500 else self.remedy)


class InvalidToken(AuthError):
    """The token is malformed or its signature is wrong."""


class ExpiredToken(AuthError):
    """The token's time is over."""

    code = "AUTH002"
    text = "token has expired"
    remedy = "refresh the token, or get a new one"


class InvalidIssuer(AuthError):
    """Another issuer than the provider's."""

    code = "AUTH003"
    text = "invalid token issuer"
    remedy = "get a token of the issuer that this server trusts (`JWT_ISSUER`)"


class InvalidAudience(AuthError):
    """The token is meant for somebody else."""

    code = "AUTH004"
    text = "invalid token audience"
    remedy = "get a token that is meant for this server (`JWT_AUDIENCE`)"


class MissingToken(AuthError):
    """No token came."""

    code = "AUTH005"
    text = "missing authentication token"
    remedy = "send the header `Authorization: Bearer <token>`"


class KeyNotFound(AuthError):
    """The key set has no key of that id."""

    code = "AUTH006"
    status = 500
    text = "signing key not found"
    remedy = "look for the token's `kid` in the key set; an unknown one is asked for at most every 30 s"


class UnsupportedAlgorithm(AuthError):
    """The provider does not allow the token's algorithm."""

    code = "AUTH007"
    status = 400
    text = "unsupported signing algorithm"
    remedy = "use HS256 or RS256, as the server is configured"


class NoSecretConfigured(AuthError):
    """A symmetric algorithm, and no secret."""

    code = "AUTH008"
    status = 500
    text = "no secret configured for symmetric algorithm"
    remedy = "set `JWT_SECRET`"


class JWKSFetchFailed(AuthError):
    """The key set could not be fetched."""

    code = "AUTH009"
    status = 500
    text = "failed to fetch JWKS"
    remedy = "fetch `JWT_JWKS_URL` from the server's machine with curl"


class Forbidden(AuthError):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = 403
    text = "you may not do this"
    remedy = ""


class AuthConfigurationError(Exception):
    """Settings from which no provider can be built: stops the start."""


def auth_error(code: str) -> type[AuthError] | None:
    """The class with a code of the guide (``AUTH001``), or None."""
    return next((found for found in AuthError.__subclasses__() if found.code == code), None)
