"""What is allowed and may yet surprise whoever starts a server; said once, in its log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from codeai.model.application import Application
from codeai.server.settings import Settings

_PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def cautions(application: Application, settings: Settings, environment: Mapping[str, str]) -> Iterator[str]:
    """The warnings, as texts with what to do."""
    tenants = any(entity.tenant_field is not None for entity in application.entities)
    if tenants and settings.operator_role == Settings().operator_role:
        yield (
            f"whoever has the role '{settings.operator_role}' in any tenant operates the server for all tenants: "
            "set CODEAI_OPERATOR_ROLE to a role that no tenant gives out"
        )
    proxies = [name for name in _PROXIES if environment.get(name) or environment.get(name.lower())]
    if proxies and _calls_out(application, settings):
        yield (
            f"{' and '.join(proxies)} set and not used: integrations, webhooks and key sets connect by themselves, "
            "since behind a proxy nobody could tell which address a name leads to"
        )


def _calls_out(application: Application, settings: Settings) -> bool:
    keys = settings.jwt_jwks_url or any(entry.name in ("jwks_url", "issuer") for found in application.providers for entry in found.settings)
    return bool(application.integrations or application.webhooks or keys)
