"""Where the database is, and how connections to it behave."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal
from urllib.parse import unquote, urlsplit

import msgspec

from codeai.storage.interface import Dialect

SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


class DatabaseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One place from which every driver's arguments are made. Times are in seconds.

    ``ssl_root`` is the file with the authorities that are trusted, where those of the system are not.
    ``pooler`` ``transaction`` stands for PgBouncer in transaction mode: no session state, no kept statements.
    """

    dialect: Dialect
    path: Path | None = None
    host: str = "localhost"
    port: int = 5432
    name: str = "codeai"
    user: str | None = None
    password: str | None = None
    ssl_mode: str = "prefer"
    ssl_root: Path | None = None
    max_connections: int = 25
    acquire_timeout: float = 5.0
    statement_timeout: float = 30.0
    lock_timeout: float = 5.0
    connect_timeout: float = 5.0
    pooler: Literal["none", "transaction"] = "none"

    def __repr__(self) -> str:
        return f"DatabaseSettings({self.shown})"

    @property
    def shown(self) -> str:
        """The address without the password, for messages."""
        if self.dialect == "sqlite":
            return f"sqlite:///{self.path}"
        return f"postgresql://{self.host}:{self.port}/{self.name}"


class DatabaseUrlError(ValueError):
    """A database address that cannot be understood."""


def from_url(url: str, **overrides: object) -> DatabaseSettings:
    """Settings from ``postgresql://user:password@host:port/name?sslmode=…`` or ``sqlite:///path``.

    :raises DatabaseUrlError: the address has another scheme or is malformed
    """
    if url.startswith("sqlite:"):
        path = url.removeprefix("sqlite:").removeprefix("//")
        if not path.lstrip("/"):
            raise DatabaseUrlError("the SQLite address names no file, as in sqlite:///data/app.db")
        return msgspec.structs.replace(
            DatabaseSettings(dialect="sqlite", path=Path(path[1:] if path.startswith("/") else path)), **overrides
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise DatabaseUrlError(f"malformed database address: {error}") from None
    if parts.scheme not in ("postgresql", "postgres"):
        expected = "expected postgresql://user:password@host/name or sqlite:///file"
        raise DatabaseUrlError(f"unknown database '{parts.scheme}', {expected}" if parts.scheme else expected)
    options = dict(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
    mode, root = options.get("sslmode", "prefer"), options.get("sslrootcert")
    if mode not in SSL_MODES:
        raise DatabaseUrlError(f"unknown sslmode '{mode}', expected one of {', '.join(SSL_MODES)}")
    return msgspec.structs.replace(
        DatabaseSettings(
            dialect="postgresql",
            host=unquote(options.get("host") or parts.hostname or "localhost"),
            port=port or int(options.get("port", 5432)),
            name=unquote(parts.path.lstrip("/")) or "codeai",
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            ssl_mode=mode,
            ssl_root=Path(unquote(root)) if root and root != "system" else None,
        ),
        **overrides,
    )
