"""What is allowed and may yet surprise whoever starts a server; said once, in its log."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Final

from codeai.model.application import Application
from codeai.server.settings import Settings

SHORTEST_SECRET: Final = 32  # bytes, for HS256 (RFC 7518, section 3.2)
_PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def quiet_about_secrets() -> None:
    """Keeps the library of tokens from telling of short secrets in its own way, in the midst of the log."""
    warnings.filterwarnings("ignore", message="The HMAC key is")


def cautions(application: Application, settings: Settings, environment: Mapping[str, str]) -> Iterator[str]:
    """The warnings, as texts with what to do."""
    tenants = any(entity.tenant_field is not None for entity in application.entities)
    if tenants and settings.operator_role == Settings().operator_role:
        yield (
            f"whoever has the role '{settings.operator_role}' in any tenant operates the server for all tenants: "
            "set CODEAI_OPERATOR_ROLE to a role that no tenant gives out"
        )
    if settings.jwt_secret and len(settings.jwt_secret.encode()) < SHORTEST_SECRET:
        yield f"JWT_SECRET is shorter than {SHORTEST_SECRET} bytes, which production refuses; make one with: openssl rand -base64 48"
    proxies = [name for name in _PROXIES if environment.get(name) or environment.get(name.lower())]
    if proxies and _calls_out(application, settings):
        yield (
            f"{' and '.join(proxies)} set and not used: integrations, webhooks and key sets connect by themselves, "
            "since behind a proxy nobody could tell which address a name leads to"
        )


def _calls_out(application: Application, settings: Settings) -> bool:
    keys = settings.jwt_jwks_url or any(entry.name in ("jwks_url", "issuer") for found in application.providers for entry in found.settings)
    return bool(application.integrations or application.webhooks or keys)
