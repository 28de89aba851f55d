"""The errors of authentication and authorisation, with the codes of the operator's guide (acceptance S77 to S85)."""

from __future__ import annotations


class AuthError(Exception):
    """The base: ``code`` is stable, ``status`` is the HTTP status, ``text`` goes to the caller, the cause to the log."""

    code = "AUTH001"
    status = 401
    text = "invalid token"

    def __init__(self, cause: str = "") -> None:
        super().__init__(self.text)
        self.cause = cause

    @property
    def challenge(self) -> str | None:
        """The value of ``WWW-Authenticate`` (RFC 6750, section 3), None where no credentials would help."""
        if self.status != 401:
            return None
        return "Bearer" if self.code == "AUTH005" else f'Bearer error="invalid_token", error_description="{self.text}"'


class InvalidToken(AuthError):
    """The token is malformed or its signature is wrong."""


class ExpiredToken(AuthError):
    """The token's time is over."""

    code = "AUTH002"
    text = "token has expired"


class InvalidIssuer(AuthError):
    """Another issuer than the provider's."""

    code = "AUTH003"
    text = "invalid token issuer"


class InvalidAudience(AuthError):
    """The token is meant for somebody else."""

    code = "AUTH004"
    text = "invalid token audience"


class MissingToken(AuthError):
    """No token came."""

    code = "AUTH005"
    text = "missing authentication token"


class KeyNotFound(AuthError):
    """The key set has no key of that id."""

    code = "AUTH006"
    status = 500
    text = "signing key not found"


class UnsupportedAlgorithm(AuthError):
    """The provider does not allow the token's algorithm."""

    code = "AUTH007"
    status = 400
    text = "unsupported signing algorithm"


class NoSecretConfigured(AuthError):
    """A symmetric algorithm, and no secret."""

    code = "AUTH008"
    status = 500
    text = "no secret configured for symmetric algorithm"


class JWKSFetchFailed(AuthError):
    """The key set could not be fetched."""

    code = "AUTH009"
    status = 500
    text = "failed to fetch JWKS"


class Forbidden(AuthError):
    """The caller is known and may not do this."""

    code = "forbidden"
    status = 403
    text = "you may not do this"


class AuthConfigurationError(Exception):
    """Settings from which no provider can be built: stops the start."""
