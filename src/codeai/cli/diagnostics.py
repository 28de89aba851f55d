"""``codeai diagnostics``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from codeai.cli.main import fail


@click.command("diagnostics", help="Collect what a bug report needs into one archive; secrets are masked.")
@click.option("--url", default=None, help="The server (CODEAI_URL, or CODEAI_HOST and CODEAI_PORT).")
@click.option("--token", default=None, help="A token of an operator, where the server wants one (CODEAI_OPERATOR_TOKEN).")
@click.option("--logs", type=click.Path(path_type=Path), default=None, help="The log file (LOG_OUTPUT, else /var/log/codeai/app.log).")
@click.option("--lines", type=click.IntRange(1, 1_000_000), default=1000, show_default=True, help="How many of its last lines.")
@click.option("--program", type=click.Path(path_type=Path), default=None, help="A file or folder: adds the result of its validation.")
@click.option("--output", type=click.Path(path_type=Path), default=None, help="The archive; its name has the time by default.")
def command(url: str | None, token: str | None, logs: Path | None, lines: int, program: Path | None, output: Path | None) -> None:
    """Writes the archive. Exit codes: 0 written (also when the server did not answer, which the archive says), 3 not writable."""
    from codeai.cli.remote import address, nearby
    from codeai.observability.bundle import Bundle, write_bundle
    from codeai.server.diagnosis import secrets, settings_text, validation_text

    environment = os.environ
    wanted = Bundle(
        url=address(url or nearby(environment)),
        token=token or environment.get("CODEAI_OPERATOR_TOKEN"),
        logs=logs or _log_file(environment.get("LOG_OUTPUT")),
        lines=lines,
        texts={"settings.txt": settings_text(environment), **({"validation.txt": validation_text(program)} if program else {})},
        secrets=secrets(environment),
    )
    try:
        path, missing = write_bundle(wanted, output)
    except OSError as error:
        fail(f"cannot write the archive: {error.strerror or error}")
        return
    for line in missing:
        click.echo(line, err=True)
    click.echo(f"Diagnostic bundle created: {path}")


def _log_file(output: str | None) -> Path:
    return Path(output) if output not in (None, "stdout", "stderr") else Path("/var/log/codeai/app.log")
