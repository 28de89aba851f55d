"""``codeai server``."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("server", help="Serve the program in FILE or folder; 'codeai server start' is the same.")
@click.argument("words", nargs=-1, type=click.Path())
@click.option("--host", default=None, help="The address to listen on (CODEAI_HOST, 127.0.0.1).")
@click.option("--port", type=click.IntRange(1, 65535), default=None, help="The port to listen on (CODEAI_PORT, 8080).")
@click.option(
    "--operator-port", type=click.IntRange(1, 65535), default=None, help="A port of its own for operators (CODEAI_OPERATOR_PORT)."
)
@click.option("--workers", type=click.IntRange(1, 256), default=None, help="HTTP processes, on PostgreSQL (CODEAI_WORKERS, 1).")
@click.option(
    "--role", type=click.Choice(["all", "api", "worker"]), default=None, help="What this server does, on PostgreSQL (CODEAI_ROLE, all)."
)
@click.option("--db", type=click.Choice(["postgres", "sqlite"]), default=None, help="The kind of database, with its defaults.")
def command(
    words: tuple[str, ...],
    host: str | None,
    port: int | None,
    operator_port: int | None,
    workers: int | None,
    role: str | None,
    db: str | None,
) -> None:
    """Serves a program."""
    from codeai.server.start import serve

    files = words[1:] if words[:1] == ("start",) and not Path("start").exists() else words
    if len(files) > 1:
        raise click.UsageError(f"one program at a time, got {', '.join(files)}")
    flags = {"host": host, "port": port, "operator_port": operator_port, "workers": workers, "role": role}
    if db == "postgres":
        flags["db_host"] = flags.get("db_host") or "localhost"
    sys.exit(serve(Path(files[0]) if files else None, flags))
