"""The table of all variables of the environment: the one place that knows their names, kinds and meanings.

The manual's page of settings and ``codeai config show`` are made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from codeai.http.middleware.clients import parse_proxies
from codeai.integrations.addresses import AllowList, parse_allow_list
from codeai.messages.slack import parse_channels
from codeai.server.readers import DURATION, FLAG, HEAP_TRACING, LIMIT, PATH, PORT, SIZE, TEXT, Reader, count, one_of
from codeai.storage.redis import check_url
from codeai.storage.settings import SSL_MODES


def _shown_allow_list(value: AllowList) -> str:
    return ", ".join([*sorted(value.hosts), *(f"*{suffix}" for suffix in value.suffixes), *map(str, value.networks)])


_ALLOW_LIST: Final = Reader("hosts, networks", parse_allow_list, _shown_allow_list)
_PROXIES: Final = Reader("addresses, networks", parse_proxies, lambda value: ", ".join(map(str, value)))
_CHANNELS: Final = Reader("channel=address …", parse_channels)
_REDIS: Final = Reader("address", check_url)


class Variable(msgspec.Struct, frozen=True):
    """One variable.

    ``field`` is where ``Settings`` keeps it; ``flag`` is the option of ``codeai server`` that beats it, ``config`` the path in the
    program's ``config`` that it beats. ``hidden`` says what of it is never shown: all, or the password of an address.
    """

    name: str
    field: str
    reader: Reader
    meaning: str
    flag: str = ""
    config: tuple[str, ...] = ()
    hidden: Literal["", "all", "password"] = ""


_TABLE: Final = (
    Variable("CODEAI_ENV", "env", one_of("development", "production"), "Conveniences, or none"),
    Variable("CODEAI_HOST", "host", TEXT, "The address to listen on", "--host", ("server", "host")),
    Variable("CODEAI_PORT", "port", PORT, "The port to listen on", "--port", ("server", "port")),
    Variable("CODEAI_SOCKET", "socket", PATH, "A Unix socket to listen on, instead of address and port", "--socket"),
    Variable("CODEAI_TLS_CERT", "tls_cert", PATH, "The certificate (PEM, with its chain): the server speaks TLS", "--tls-cert"),
    Variable("CODEAI_TLS_KEY", "tls_key", PATH, "The key of the certificate (PEM)", "--tls-key"),
    Variable("CODEAI_WORKERS", "workers", count(1), "HTTP processes, on PostgreSQL", "--workers", ("server", "workers")),
    Variable("CODEAI_ROLE", "role", one_of("all", "api", "worker"), "What this server does, on PostgreSQL", "--role"),
    Variable("CODEAI_REQUEST_TIMEOUT", "request_timeout", LIMIT, "How long a request may take", config=("server", "request_timeout")),
    Variable("CODEAI_BODY_TIMEOUT", "body_timeout", LIMIT, "How long a body may take to arrive", config=("server", "body_timeout")),
    Variable("CODEAI_MAX_BODY", "max_body", SIZE, "The largest body", config=("server", "max_body")),
    Variable("CODEAI_MAX_CONNECTIONS", "max_connections", count(1), "The most connections of clients, of each process"),
    Variable("CODEAI_SHUTDOWN_TIMEOUT", "shutdown_timeout", DURATION, "How long ending may take", config=("server", "shutdown_timeout")),
    Variable("CODEAI_DRAIN_DELAY", "drain_delay", DURATION, "From failing readiness to closing; 0s in development, 5s in production"),
    Variable("LOG_LEVEL", "log_level", one_of("debug", "info", "warn", "error"), "The least level", "--log-level", ("logging", "level")),
    Variable("LOG_FORMAT", "log_format", one_of("json", "text"), "For machines or for people", config=("logging", "format")),
    Variable("LOG_OUTPUT", "log_output", Reader("stdout, stderr, path", str), "Where to", config=("logging", "output")),
    Variable("LOG_ADD_SOURCE", "log_add_source", FLAG, "Whether lines say file and line", config=("logging", "add_source")),
    Variable("DATABASE_URL", "database_url", TEXT, "The database: postgresql://… or sqlite:///…", hidden="password"),
    Variable("DB_HOST", "db_host", TEXT, "The host of PostgreSQL, in parts instead of an address"),
    Variable("DB_PORT", "db_port", PORT, "Its port (5432)"),
    Variable("DB_NAME", "db_name", TEXT, "The name of the database (codeai)"),
    Variable("DB_USER", "db_user", TEXT, "The user"),
    Variable("DB_PASSWORD", "db_password", TEXT, "The user's password", hidden="all"),
    Variable("DB_SSL_MODE", "db_ssl_mode", one_of(*SSL_MODES), "As in libpq"),
    Variable("DB_MAX_OPEN_CONNS", "db_max_open_conns", count(1), "Connections of all processes together", config=("database", "pool_size")),
    Variable("DB_POOLER", "db_pooler", one_of("none", "transaction"), "Whether PgBouncer stands before it, in transaction mode"),
    Variable("DB_STATEMENT_TIMEOUT", "db_statement_timeout", LIMIT, "How long a statement may run"),
    Variable("DB_ACQUIRE_TIMEOUT", "db_acquire_timeout", LIMIT, "How long to wait for a connection"),
    Variable("REDIS_URL", "redis_url", _REDIS, "A Redis for cache, rate limits and breakers of several servers", hidden="password"),
    Variable("JWT_SECRET", "jwt_secret", TEXT, "The secret of HS256, at least 32 bytes", hidden="all"),
    Variable("JWT_PUBLIC_KEY", "jwt_public_key", TEXT, "The public key of RS256, ES256 or EdDSA (PEM)"),
    Variable("JWT_JWKS_URL", "jwt_jwks_url", TEXT, "Where the provider shows its keys"),
    Variable("JWT_ISSUER", "jwt_issuer", TEXT, "The issuer that tokens must have"),
    Variable("JWT_AUDIENCE", "jwt_audience", TEXT, "The audience that tokens must have"),
    Variable("JWT_ROLES_CLAIM", "jwt_roles_claim", TEXT, "The claim with the roles"),
    Variable("CODEAI_OPERATOR_ACCESS", "operator_access", one_of("loopback", "token"), "Whether operators on this machine need no token"),
    Variable("CODEAI_OPERATOR_TOKEN", "operator_token", TEXT, "A token that makes its bearer an operator", hidden="all"),
    Variable("CODEAI_OPERATOR_ROLE", "operator_role", TEXT, "The role that makes a caller an operator"),
    Variable("CODEAI_OPERATOR_PORT", "operator_port", PORT, "A port of its own for operators", "--operator-port"),
    Variable("CODEAI_METRICS_ACCESS", "metrics_access", one_of("operators", "open"), "Who may read the metrics"),
    Variable("CODEAI_ALLOW_DEBUG_HEADER", "allow_debug_header", FLAG, "Whether X-Debug works for everybody"),
    Variable("CODEAI_HEAP_TRACING", "heap_tracing", HEAP_TRACING, "How long memory is traced after somebody asked for a heap profile"),
    Variable("CODEAI_OUTBOUND_ALLOW", "outbound_allow", _ALLOW_LIST, "Private hosts and networks that integrations and webhooks may reach"),
    Variable("CODEAI_TRUSTED_PROXIES", "trusted_proxies", _PROXIES, "Proxies whose forwarding headers count"),
    Variable("SMTP_HOST", "smtp_host", TEXT, "The mail server"),
    Variable("SMTP_PORT", "smtp_port", PORT, "Its port"),
    Variable("SMTP_USERNAME", "smtp_username", TEXT, "The user"),
    Variable("SMTP_PASSWORD", "smtp_password", TEXT, "The user's password", hidden="all"),
    Variable("SMTP_SECURITY", "smtp_security", one_of("tls", "starttls", "none"), "How the connection is protected"),
    Variable("SMTP_FROM", "smtp_from", TEXT, "The sender's address"),
    Variable("SLACK_WEBHOOK_URL", "slack_webhook_url", _CHANNELS, "Where messages for Slack go", hidden="all"),
    Variable("CODEAI_EVENT_RETENTION", "event_retention", DURATION, "How long delivered events are kept; 0s for ever"),
    Variable("CODEAI_EXECUTION_RETENTION", "execution_retention", DURATION, "How long executions are kept that have ended; 0s for ever"),
    Variable("KAFKA_BROKERS", "kafka_brokers", TEXT, "Hosts and ports of Kafka"),
    Variable("CODEAI_DISPATCHER", "dispatcher", one_of("local", "dbos"), "Who distributes durable work, on PostgreSQL"),
    Variable("CODEAI_DBOS_POLLING", "dbos_polling", LIMIT, "How often an idle durable worker looks at the queue of DBOS"),
)
VARIABLES: Final[Mapping[str, Variable]] = {variable.name: variable for variable in _TABLE}
