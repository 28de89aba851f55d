"""The options of ``codeai server``, which ``codeai config show`` takes, too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])
_ROLE = click.Choice(["all", "api", "worker"])
_PORT = click.IntRange(1, 65535)


def server_options(command: _Command) -> _Command:
    """Adds the options; their values come as keyword arguments named like the fields of ``Settings``."""
    for option in reversed(
        (
            click.option("--host", default=None, help="The address to listen on (CODEAI_HOST, 127.0.0.1)."),
            click.option("--port", type=_PORT, default=None, help="The port to listen on (CODEAI_PORT, 8080)."),
            click.option("--socket", default=None, help="A Unix socket to listen on, instead (CODEAI_SOCKET)."),
            click.option("--tls-cert", default=None, help="Speak TLS with this certificate, a PEM file (CODEAI_TLS_CERT)."),
            click.option("--tls-key", default=None, help="The key of the certificate (CODEAI_TLS_KEY)."),
            click.option("--operator-port", type=_PORT, default=None, help="A port of its own for operators (CODEAI_OPERATOR_PORT)."),
            click.option("--workers", type=click.IntRange(1, 256), default=None, help="HTTP processes, on PostgreSQL (CODEAI_WORKERS, 1)."),
            click.option(
                "--role",
                type=click.Choice(["all", "api", "worker"]),
                default=None,
                help="What this server does, on PostgreSQL (CODEAI_ROLE, all).",
            ),
            click.option("--db", type=click.Choice(["postgres", "sqlite"]), default=None, help="The kind of database, with its defaults."),
            click.option(
                "--log-level",
                type=click.Choice(["debug", "info", "warn", "error"]),
                default=None,
                help="The least level (LOG_LEVEL, info).",
            ),
        )
    ):
        command = option(command)
    return command


def program_path(words: tuple[str, ...], verb: str) -> Path | None:
    """The one program among the words of a command; ``verb`` may stand before it."""
    files = words[1:] if words[:1] == (verb,) and not Path(verb).exists() else words
    if len(files) > 1:
        raise click.UsageError(f"one program at a time, got {', '.join(files)}")
    return Path(files[0]) if files else None
