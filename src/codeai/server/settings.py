"""Every variable of the environment and every flag, in one typed class. A flag beats the environment, which beats the program."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from codeai.http.middleware.clients import Network, parse_proxies
from codeai.integrations.addresses import AllowList, parse_allow_list
from codeai.language.durations import duration_milliseconds
from codeai.language.suggestions import suggest
from codeai.messages.slack import SlackChannels, parse_channels
from codeai.storage.redis import check_url

_PREFIXES: Final = ("CODEAI_", "LOG_", "DB_", "JWT_", "SMTP_")
_OWN: Final = frozenset(["CODEAI_WORKER", "CODEAI_RUNTIME", "CODEAI_FAULT_POINT"])  # set by the supervisor, and by tests of faults


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
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    role: str = "all"
    env: str = "development"
    shutdown_timeout: float = 30.0
    drain_delay: float | None = None
    request_timeout: float = 60.0
    body_timeout: float = 30.0
    max_body: int = 1_048_576
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

    @property
    def development(self) -> bool:
        """Whether conveniences of development hold."""
        return self.env == "development"


def _text(value: str) -> str:
    return value


def _integer(value: str) -> int:
    if not re.fullmatch(r"-?[0-9]+", value):
        raise ValueError("a whole number")
    return int(value)


def _seconds(value: str) -> float:
    milliseconds = duration_milliseconds(value)
    if milliseconds is None:
        raise ValueError("a duration, as in 30s")
    return milliseconds / 1000


def _bytes(value: str) -> int:
    found = re.fullmatch(r"([0-9]+)(b|kb|mb|gb)?", value.lower())
    if not found:
        raise ValueError("a size, as in 1mb")
    return int(found.group(1)) * {"b": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3}[found.group(2) or "b"]


def _flag(value: str) -> bool:
    if value.lower() not in ("true", "false", "1", "0"):
        raise ValueError("true or false")
    return value.lower() in ("true", "1")


def _one_of(*allowed: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in allowed:
            raise ValueError(" or ".join(allowed))
        return value

    return read


def _heap_tracing(value: str) -> float | str:
    if value in ("always", "off"):
        return value if value == "always" else 0.0
    try:
        return _seconds(value)
    except ValueError:
        raise ValueError("a duration, as in 10m, or always or off") from None


def _port(value: str) -> int:
    found = _integer(value)
    if not 0 < found < 65536:
        raise ValueError("a port from 1 to 65535")
    return found


VARIABLES: Final[Mapping[str, tuple[str, Callable[[str], Any]]]] = {
    "LOG_LEVEL": ("log_level", _one_of("debug", "info", "warn", "error")),
    "LOG_FORMAT": ("log_format", _one_of("json", "text")),
    "LOG_OUTPUT": ("log_output", _text),
    "LOG_ADD_SOURCE": ("log_add_source", _flag),
    "DATABASE_URL": ("database_url", _text),
    "DB_HOST": ("db_host", _text),
    "DB_PORT": ("db_port", _port),
    "DB_NAME": ("db_name", _text),
    "DB_USER": ("db_user", _text),
    "DB_PASSWORD": ("db_password", _text),
    "DB_SSL_MODE": ("db_ssl_mode", _one_of("disable", "allow", "prefer", "require", "verify-ca", "verify-full")),
    "DB_MAX_OPEN_CONNS": ("db_max_open_conns", _integer),
    "DB_POOLER": ("db_pooler", _one_of("none", "transaction")),
    "DB_STATEMENT_TIMEOUT": ("db_statement_timeout", _seconds),
    "DB_ACQUIRE_TIMEOUT": ("db_acquire_timeout", _seconds),
    "JWT_SECRET": ("jwt_secret", _text),
    "JWT_PUBLIC_KEY": ("jwt_public_key", _text),
    "JWT_JWKS_URL": ("jwt_jwks_url", _text),
    "JWT_ISSUER": ("jwt_issuer", _text),
    "JWT_AUDIENCE": ("jwt_audience", _text),
    "JWT_ROLES_CLAIM": ("jwt_roles_claim", _text),
    "CODEAI_HOST": ("host", _text),
    "CODEAI_PORT": ("port", _port),
    "CODEAI_WORKERS": ("workers", _integer),
    "CODEAI_ROLE": ("role", _one_of("all", "api", "worker")),
    "CODEAI_ENV": ("env", _one_of("development", "production")),
    "CODEAI_SHUTDOWN_TIMEOUT": ("shutdown_timeout", _seconds),
    "CODEAI_DRAIN_DELAY": ("drain_delay", _seconds),
    "CODEAI_REQUEST_TIMEOUT": ("request_timeout", _seconds),
    "CODEAI_BODY_TIMEOUT": ("body_timeout", _seconds),
    "CODEAI_MAX_BODY": ("max_body", _bytes),
    "CODEAI_OPERATOR_ACCESS": ("operator_access", _one_of("loopback", "token")),
    "CODEAI_OPERATOR_TOKEN": ("operator_token", _text),
    "CODEAI_OPERATOR_ROLE": ("operator_role", _text),
    "CODEAI_OPERATOR_PORT": ("operator_port", _port),
    "CODEAI_HEAP_TRACING": ("heap_tracing", _heap_tracing),
    "CODEAI_ALLOW_DEBUG_HEADER": ("allow_debug_header", _flag),
    "CODEAI_METRICS_ACCESS": ("metrics_access", _one_of("operators", "open")),
    "CODEAI_OUTBOUND_ALLOW": ("outbound_allow", parse_allow_list),
    "CODEAI_TRUSTED_PROXIES": ("trusted_proxies", parse_proxies),
    "REDIS_URL": ("redis_url", check_url),
    "SMTP_HOST": ("smtp_host", _text),
    "SMTP_PORT": ("smtp_port", _port),
    "SMTP_USERNAME": ("smtp_username", _text),
    "SMTP_PASSWORD": ("smtp_password", _text),
    "SMTP_SECURITY": ("smtp_security", _one_of("tls", "starttls", "none")),
    "SMTP_FROM": ("smtp_from", _text),
    "SLACK_WEBHOOK_URL": ("slack_webhook_url", parse_channels),
    "KAFKA_BROKERS": ("kafka_brokers", _text),
}


def read_settings(environment: Mapping[str, str], flags: Mapping[str, Any]) -> Settings:
    """The settings of a process.

    :param environment: its variables; ``X_FILE`` gives ``X`` from a file
    :param flags: what the command line says, by field; None where it says nothing
    :raises SettingError: a variable of ours is unknown or has a wrong value
    """
    values: dict[str, Any] = {}
    for name, text in environment.items():
        base = name.removesuffix("_FILE") if name.endswith("_FILE") and name not in VARIABLES else name
        known = VARIABLES.get(base)
        if known is None:
            _check_unknown(name)
            continue
        text = _from_file(name, text) if base != name else text
        field, read = known
        try:
            values[field] = read(text)
        except ValueError as wanted:
            raise SettingError(f"{name} is '{text[:40]}', expected {wanted}") from None
    values.update({field: value for field, value in flags.items() if value is not None})
    return Settings(**values)


def _check_unknown(name: str) -> None:
    if not name.startswith(_PREFIXES) or name in _OWN:
        return
    near = suggest(name, VARIABLES)
    if near is not None or name.startswith("CODEAI_"):
        raise SettingError(f"unknown variable {name}" + (f", did you mean {near}?" if near else ""))


def _from_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{name}: cannot read {path}: {error}") from None
