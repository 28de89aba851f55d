"""The operators' side of a server: who they are by its settings, and on which listener their routes lie."""

from __future__ import annotations

from codeai.auth.guard import Provider
from codeai.http.operators import OperatorGuard, OperatorRoutes
from codeai.server.errors import StartError
from codeai.server.settings import Settings


def operator_routes(settings: Settings, providers: tuple[Provider, ...]) -> OperatorRoutes:
    """Empty routes with the guard of the settings.

    :raises StartError: in production, a secret that can be guessed
    """
    if not settings.development:
        _check("JWT_SECRET", settings.jwt_secret, 32)  # also where no provider of the program's uses it: tokens are signed with it
        _check("CODEAI_OPERATOR_TOKEN", settings.operator_token, 16)
    guard = OperatorGuard(
        loopback=settings.operator_access == "loopback",
        token=settings.operator_token,
        role=settings.operator_role,
        providers=providers,
    )
    return OperatorRoutes(guard)


def _check(name: str, secret: str | None, least: int) -> None:
    if secret and len(secret.encode()) < least:
        raise StartError(f"{name} is shorter than {least} bytes; make one with: openssl rand -base64 48")
