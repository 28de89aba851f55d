"""Providers from the program's declarations and the environment."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from codeai.auth.discovery import DiscoveredKeys, configuration_url
from codeai.auth.errors import AuthConfigurationError
from codeai.auth.guard import ApiKeyProvider, BasicProvider, BearerProvider, Provider
from codeai.auth.issuing import SigningKey
from codeai.auth.keys import Fetch, FixedKey, Keys, KeySet, algorithms_of
from codeai.auth.principal import RoleTable
from codeai.auth.tokens import TokenVerifier

_SHORTEST_SECRET = 32
_OWN_KEYS = ("secret", "public_key", "jwks_url")
_ASYMMETRIC = frozenset(["RS256", "ES256", "EdDSA"])


class AuthSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the environment says (acceptance, table of the environment)."""

    secret: str | None = None
    public_key: str | None = None
    jwks_url: str | None = None
    issuer: str | None = None
    audience: str | None = None
    roles_claim: str = "roles"
    development: bool = True


def provider(
    name: str,
    method: str,
    values: Mapping[str, object],
    settings: AuthSettings,
    roles: RoleTable,
    fetch: Fetch,
    clock: Callable[[], float],
    elsewhere: Fetch | None = None,
) -> Provider:
    """One provider.

    :param values: the settings of its declaration, resolved; the environment fills in for JWT what they leave out
    :param fetch: gets documents from hosts that the program names
    :param elsewhere: gets documents from hosts that only an issuer names; without it they are had like the others
    :raises AuthConfigurationError: they do not make a provider
    """
    if method == "api_key":
        return ApiKeyProvider(name, str(values.get("header", "X-API-Key")), _needed(name, values, "keys"), roles)
    if method == "basic":
        return BasicProvider(name, _needed(name, values, "users"), roles, str(values.get("realm") or ""))
    keys = _key_set(name, method, values, settings, fetch, elsewhere or fetch)
    return BearerProvider(_verifier(name, values, settings, roles, keys, clock))


def signing_key(values: Mapping[str, object], settings: AuthSettings) -> SigningKey | None:
    """What a declared ``jwt`` provider needs of the program's own tokens; None where it knows no secret to sign them with."""
    own_key = any(key in values for key in _OWN_KEYS)
    secret = values.get("secret") if own_key else settings.secret
    algorithms = values.get("algorithms")
    if not secret or (algorithms and "HS256" not in (algorithms if isinstance(algorithms, list) else [algorithms])):
        return None
    audience = values.get("audience", settings.audience)
    issuer = values.get("issuer", settings.issuer)
    return SigningKey(
        secret=str(secret),
        issuer=str(issuer) if issuer is not None else None,
        audience=str(audience[0] if isinstance(audience, list) else audience) if audience else None,
        roles_claim=str(values.get("roles_claim", settings.roles_claim)),
        tenant_claim=str(values.get("tenant_claim", "tenant")),
    )


def _needed(name: str, values: Mapping[str, object], key: str) -> str:
    if not values.get(key):
        raise AuthConfigurationError(f"auth '{name}' needs '{key}'")
    found = values[key]
    return ",".join(str(part) for part in found) if isinstance(found, list) else str(found)


def _key_set(name: str, method: str, values: Mapping[str, object], settings: AuthSettings, fetch: Fetch, elsewhere: Fetch) -> KeySet | None:
    """The keys that are fetched: from ``jwks_url``, or for ``oauth2`` from where its issuer says that they are."""
    own_key = any(key in values for key in _OWN_KEYS)
    url = values.get("jwks_url", None if own_key else settings.jwks_url)
    if url:
        return KeySet(str(url), fetch, time.monotonic)
    if method != "oauth2":
        return None
    issuer = str(values.get("issuer", settings.issuer) or "")
    if not issuer.startswith(("https://", "http://")):
        raise AuthConfigurationError(f"auth '{name}' needs 'issuer', the address of an OpenID provider, or 'jwks_url'")
    return KeySet(configuration_url(issuer), DiscoveredKeys(issuer, fetch, elsewhere, time.monotonic), time.monotonic)


def _verifier(
    name: str, values: Mapping[str, object], settings: AuthSettings, roles: RoleTable, fetched: KeySet | None, clock: Callable[[], float]
) -> TokenVerifier:
    def text(key: str, fallback: str | None) -> str | None:
        found = values.get(key)
        return str(found) if found is not None else fallback

    own_key = any(key in values for key in _OWN_KEYS)
    secret = text("secret", None if own_key else settings.secret)
    public_key = text("public_key", None if own_key else settings.public_key)
    issuer = text("issuer", settings.issuer)
    _check_secret(name, secret, settings)
    fixed = _public_key(name, public_key) if public_key and fetched is None else None
    keys: Keys | None = fetched if fetched is not None else FixedKey(fixed) if fixed is not None else None
    audience = values.get("audience", settings.audience) or values.get("client_id")
    audiences = frozenset(audience if isinstance(audience, list) else [str(audience)] if audience else [])
    return TokenVerifier(
        name,
        algorithms=_algorithms(values, keys, fixed),
        keys=keys,
        secret=secret.encode() if secret else None,
        roles=roles,
        clock=clock,
        issuer=issuer,
        audience=audiences,
        roles_claim=str(values.get("roles_claim", settings.roles_claim)),
        permissions_claim=str(values.get("permissions_claim", "permissions")),
        tenant_claim=str(values.get("tenant_claim", "tenant")),
        require_exp=values.get("require_exp", True) is not False,
    )


def _check_secret(name: str, secret: str | None, settings: AuthSettings) -> None:
    if secret == "":
        raise AuthConfigurationError(f"the secret of auth '{name}' is empty")
    if secret is not None and len(secret.encode()) < _SHORTEST_SECRET and not settings.development:
        raise AuthConfigurationError(f"the secret of auth '{name}' is shorter than {_SHORTEST_SECRET} bytes (RFC 7518, section 3.2)")


def _algorithms(values: Mapping[str, object], keys: Keys | None, fixed: object) -> frozenset[str]:
    """The allow-list: what the provider says, else HS256 for a secret, the key's own algorithm, or all asymmetric ones of a set."""
    given = values.get("algorithms")
    if given:
        return frozenset(map(str, given if isinstance(given, list) else [given]))
    if keys is None:
        return frozenset(["HS256"])
    return _ASYMMETRIC if fixed is None else frozenset(algorithms_of(fixed)[:1])


def _public_key(name: str, text: str) -> object:
    try:
        found = load_pem_public_key(text.replace("\\n", "\n").encode())
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise AuthConfigurationError(f"the public key of auth '{name}' is not a PEM public key") from error
    if not algorithms_of(found):
        raise AuthConfigurationError(f"the public key of auth '{name}' is neither RSA of 2048 bits or more, nor P-256, nor Ed25519")
    return found
