"""What a developer wants to know when a server starts; on standard error, so that logs stay logs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from codeai.model.application import Application
from codeai.server.listening import Place
from codeai.server.settings import Settings
from codeai.server.wiring.sharing import limited
from codeai.storage.settings import DatabaseSettings


def _command() -> str:
    """How this command is called where the banner is read: by its name, where the shell finds it."""
    return "codeai" if shutil.which("codeai") or Path(sys.argv[0]).name != "codeai" else sys.argv[0]


def _redis(application: Application, settings: Settings) -> bool:
    return bool(settings.redis_url) or any(setting.path == ("cache", "url") for setting in application.settings)


def _knows_tokens(application: Application) -> bool:
    """Whether a token says who one is; without any ``auth`` those of operators are known."""
    return not application.providers or any(provider.method == "jwt" for provider in application.providers)


def _role(application: Application, settings: Settings) -> str:
    """The role of the program with which most can be tried: that of operators, one that may do all, or the first; empty for none."""
    names = [role.name for role in application.roles]
    if settings.operator_role in names:
        return settings.operator_role
    whole = [role.name for role in application.roles if "*:*" in role.permissions]
    return next(iter([*whole, *names]), "")


def show_banner(
    application: Application,
    settings: Settings,
    database: DatabaseSettings,
    place: Place,
    path: Path | None,
    outcome: str,
    changes: tuple[str, ...],
) -> None:
    """Writes it.

    :param path: how the program was named on the command line
    :param outcome: what became of the tables
    """
    lines = [f"{application.name} {application.version} on {place.shown}"]
    if settings.role == "worker":
        lines.append("  role           worker: durable work; health, metrics and profiles at this address")
    else:
        lines.append(f"  documentation  {place.shown}/docs")
    if database.dialect == "sqlite":
        lines.append(f"  database       {database.path} (embedded; set DATABASE_URL for PostgreSQL)")
        if settings.workers > 1:
            lines.append(f"  workers        1, not {settings.workers}: the embedded database serves one process")
    else:
        lines.append(f"  database       {database.shown}")
        if limited(application) and not _redis(application, settings):
            lines.append("  limits         counted by this server alone; REDIS_URL has several servers count together")
    if outcome != "unchanged":
        done = [change.replace(" is missing", " added").replace(" is not in the program", " removed") for change in changes]
        lines.append(f"  tables         {outcome}" + "".join(f"\n                 {change}" for change in done))
    if settings.development and settings.role != "worker" and _knows_tokens(application):
        role = _role(application, settings)
        lines.append(
            f"  token          {' '.join([_command(), 'token', *([str(path)] if path else []), *(['--role', role] if role else [])])}"
        )
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()
