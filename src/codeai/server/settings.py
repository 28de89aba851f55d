"""The settings of a server in one typed class. A flag beats the environment, which beats the program, which beats the default.

The variables themselves are in ``variables``.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from codeai.http.middleware.clients import Network
from codeai.integrations.addresses import AllowList
from codeai.language.suggestions import suggest
from codeai.messages.slack import SlackChannels
from codeai.server.variables import VARIABLES, Variable

_PREFIXES: Final = ("CODEAI_", "LOG_", "DB_", "JWT_", "SMTP_")
# Set by the supervisor for its workers, and by tests of faults; the last two are for commands that ask a server.
_OWN: Final = frozenset(
    [
        *("CODEAI_WORKER", "CODEAI_RUNTIME", "CODEAI_SUPERVISOR", "CODEAI_SOCKET_FD", "CODEAI_ALONE"),
        *("CODEAI_FAULT_POINT", "CODEAI_URL", "CODEAI_TOKEN"),
    ]
)


class SettingError(Exception):
    """A setting that is unknown or cannot be understood; the text names the variable and what to do."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one server. Times in seconds, sizes in bytes."""

    log_level: str = "info"
    log_format: str = "json"
    log_output: str = "stdout"
    log_add_source: bool = False
    database_url: str | None = None
    db_host: str | None = None
    db_port: int | None = None
    db_name: str | None = None
    db_user: str | None = None
    db_password: str | None = None
    db_ssl_mode: str | None = None
    db_max_open_conns: int = 25
    db_pooler: str = "none"
    db_statement_timeout: float = 30.0
    db_acquire_timeout: float = 5.0
    jwt_secret: str | None = None
    jwt_public_key: str | None = None
    jwt_jwks_url: str | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_roles_claim: str = "roles"
    db: str | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    socket: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    workers: int = 1
    role: str = "all"
    env: str = "development"
    shutdown_timeout: float = 30.0
    drain_delay: float | None = None
    request_timeout: float = 60.0
    body_timeout: float = 30.0
    max_body: int = 1_048_576
    max_connections: int = 10_000
    operator_access: str = "loopback"
    operator_token: str | None = None
    operator_role: str = "admin"
    operator_port: int | None = None
    metrics_access: str = "operators"
    allow_debug_header: bool = False
    heap_tracing: float | str = 600.0
    outbound_allow: AllowList = AllowList()
    redis_url: str | None = None
    trusted_proxies: tuple[Network, ...] = ()
    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_username: str | None = None
    smtp_password: str | None = None
    smtp_security: str | None = None
    smtp_from: str | None = None
    slack_webhook_url: SlackChannels = SlackChannels()
    kafka_brokers: str | None = None
    dispatcher: str = "local"
    dbos_polling: float = 1.0
    event_retention: float = 30 * 86_400.0
    execution_retention: float = 30 * 86_400.0

    @property
    def development(self) -> bool:
        """Whether conveniences of development hold."""
        return self.env == "development"


class Given(msgspec.Struct, frozen=True):
    """A value of the program's ``config`` with its place in the sources (``app.cai:3:5``)."""

    value: object
    place: str


Program = Mapping[tuple[str, ...], Given]
Origins = Mapping[str, str]


def read_settings(environment: Mapping[str, str], flags: Mapping[str, Any], program: Program | None = None) -> Settings:
    """The settings of a process.

    :param environment: its variables; ``X_FILE`` gives ``X`` from a file
    :param flags: what the command line says, by field; None where it says nothing
    :param program: what the program's ``config`` says, by path
    :raises SettingError: a variable of ours is unknown or has a wrong value
    """
    return read_with_origins(environment, flags, program or {})[0]


def read_with_origins(environment: Mapping[str, str], flags: Mapping[str, Any], program: Program) -> tuple[Settings, Origins]:
    """The settings, and where each that is not the default comes from, by field.

    :raises SettingError: see ``read_settings``
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for variable in VARIABLES.values():
        given = program.get(variable.config) if variable.config else None
        if given is not None:
            values[variable.field] = _from_program(variable, given)
            origins[variable.field] = f"config {'.'.join(variable.config)} ({given.place})"
    for name, text in environment.items():
        found = _variable(name)
        if found is not None and not _absent(found, text, environment):
            if name != found.name and environment.get(found.name):
                raise SettingError(f"{found.name} and {name} are both set; keep one of them")
            values[found.field] = _value(found, name, text if name == found.name else _from_file(name, text))
            origins[found.field] = name if name == found.name else f"{name} ({text})"
    for field, value in flags.items():
        if value is not None:
            values[field] = value
            origins[field] = _flags().get(field, "flag")
    return Settings(**values), origins


def _flags() -> Mapping[str, str]:
    return {"db": "--db", **{variable.field: variable.flag for variable in VARIABLES.values() if variable.flag}}


def _variable(name: str) -> Variable | None:
    """The variable that a name gives, itself or by a file; None for names that are not ours."""
    found = VARIABLES.get(name) or (VARIABLES.get(name.removesuffix("_FILE")) if name.endswith("_FILE") else None)
    if found is None and name.startswith(_PREFIXES) and name not in _OWN:
        near = suggest(name, VARIABLES)
        if near is not None or name.startswith("CODEAI_"):
            raise SettingError(f"unknown variable {name}" + (f", did you mean {near}?" if near else ""))
    return found


def _absent(variable: Variable, text: str, environment: Mapping[str, str]) -> bool:
    """Whether a variable is empty, by which orchestrators pass on what they do not have; but an empty secret is a mistake."""
    return not text and (variable.hidden != "all" or f"{variable.name}_FILE" in environment)


def _value(variable: Variable, name: str, text: str) -> Any:
    try:
        return variable.reader.read(text)
    except ValueError as wanted:
        shown = "wrong" if variable.hidden else f"'{text[:40]}'"
        raise SettingError(f"{name} is {shown}, expected {wanted}") from None


def _from_program(variable: Variable, given: Given) -> Any:
    value = given.value
    text = f"{round(value.total_seconds() * 1000)}ms" if isinstance(value, datetime.timedelta) else str(value)
    try:
        return variable.reader.read(text.lower() if isinstance(value, bool) else text)
    except ValueError as wanted:
        raise SettingError(f"{given.place}: config {'.'.join(variable.config)} is '{text[:40]}', expected {wanted}") from None


def _from_file(name: str, path: str) -> str:
    try:
        found = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{name}: cannot read {path}: {getattr(error, 'strerror', None) or 'it is no UTF-8 text'}") from None
    if not found:
        raise SettingError(f"{name}: {path} is empty")
    return found
