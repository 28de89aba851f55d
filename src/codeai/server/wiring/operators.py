"""The operators' side of a server: who they are by its settings, and on which listener their routes lie."""

from __future__ import annotations

from codeai.auth.guard import Provider
from codeai.http.operators import OperatorGuard, OperatorRoutes
from codeai.server.settings import Settings


def operator_routes(settings: Settings, providers: tuple[Provider, ...]) -> OperatorRoutes:
    """Empty routes with the guard of the settings."""
    guard = OperatorGuard(
        loopback=settings.operator_access == "loopback",
        token=settings.operator_token,
        role=settings.operator_role,
        providers=providers,
    )
    return OperatorRoutes(guard)
