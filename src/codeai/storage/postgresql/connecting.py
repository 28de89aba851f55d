"""New connections: what the driver is told of a database."""

from __future__ import annotations

import ssl
from typing import Any, Final

import asyncpg

from codeai.storage.settings import DatabaseSettings

_SILENCE: Final = 2.0  # seconds after which a statement that PostgreSQL should have ended is unanswered because nobody is there


async def connected(wanted: DatabaseSettings, **more: Any) -> asyncpg.Connection:
    """A new connection; raises the driver's errors.

    :param more: arguments of asyncpg's ``connect`` beside address and TLS
    """
    return await asyncpg.connect(
        host=wanted.host,
        port=wanted.port,
        database=wanted.name,
        user=wanted.user,
        password=wanted.password,
        ssl=_tls(wanted),
        timeout=wanted.connect_timeout,
        **more,
    )


async def opened(wanted: DatabaseSettings, application: str = "codeai") -> asyncpg.Connection:
    """A new connection with the session settings and codecs of ours; raises the driver's errors.

    :param application: how ``pg_stat_activity`` names it
    """
    kept = 0 if wanted.pooler == "transaction" else 1024
    session = {"application_name": application}
    if wanted.pooler == "none":
        session["statement_timeout"] = str(int(wanted.statement_timeout * 1000))
        session["lock_timeout"] = str(int(wanted.lock_timeout * 1000))
        session["idle_in_transaction_session_timeout"] = str(int(wanted.statement_timeout * 2000))
    connection = await connected(
        wanted,
        command_timeout=wanted.statement_timeout + _SILENCE,
        statement_cache_size=kept,
        max_cached_statement_lifetime=0,
        server_settings=session,
    )
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=str, decoder=str, format="text")
    return connection


def _tls(wanted: DatabaseSettings) -> Any:
    if wanted.ssl_mode not in ("verify-ca", "verify-full"):
        return None if wanted.host.startswith("/") else wanted.ssl_mode
    context = ssl.create_default_context(cafile=wanted.ssl_root)
    context.check_hostname = wanted.ssl_mode == "verify-full"
    return context
