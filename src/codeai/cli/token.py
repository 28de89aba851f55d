"""``codeai token``."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import click

from codeai.auth.errors import NoSecretConfigured
from codeai.auth.issuing import issue_token
from codeai.cli.main import fail
from codeai.cli.surroundings import settings_of
from codeai.language.durations import duration_milliseconds
from codeai.language.suggestions import suggest
from codeai.server.cautions import SHORTEST_SECRET, quiet_about_secrets
from codeai.server.loading import LoadError, find_program, load_program
from codeai.server.wiring.program_settings import stated_value
from codeai.server.wiring.providers import own_signing_key


@click.command("token", help="Issue a token with the secret of the program in FILE or folder (or JWT_SECRET).")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--role", "roles", multiple=True, help="A role; may be given more than once.")
@click.option("--sub", "subject", default="00000000-0000-7000-8000-000000000000", show_default=True, help="The id of the user.")
@click.option("--ttl", default="8h", show_default=True, help="How long it holds.")
@click.option("--tenant", default=None, help="The tenant of the user.")
def command(file: Path | None, roles: tuple[str, ...], subject: str, ttl: str, tenant: str | None) -> None:
    """Prints a token."""
    milliseconds = duration_milliseconds(ttl)
    if milliseconds is None:
        fail(f"'{ttl}' is no duration, expected one as in 8h", 2)
        return
    try:
        folder = find_program(file)[1]
        application = load_program(file).application
    except LoadError as error:
        fail(str(error), 2)
        return
    settings = settings_of(folder)
    declared = [role.name for role in application.roles]
    environment = {**os.environ, **({"JWT_SECRET": settings.jwt_secret} if settings.jwt_secret else {})}  # as the server starts
    key = own_signing_key(application, settings, lambda value: stated_value(value, environment))
    for role in roles:
        if declared and role not in (*declared, settings.operator_role):
            near = suggest(role, declared)
            click.echo(f"codeai: the program has no role '{role}'" + (f"; did you mean '{near}'?" if near else ""), err=True)
    if not subject:
        fail("a token needs whom it is about: --sub ID", 2)
    if key.secret and len(key.secret.encode()) < SHORTEST_SECRET:
        click.echo(f"codeai: the secret is shorter than {SHORTEST_SECRET} bytes, which production refuses", err=True)
    quiet_about_secrets()
    try:
        token = issue_token(key, subject, roles, timedelta(milliseconds=milliseconds), time.time(), tenant=tenant)
    except NoSecretConfigured:
        fail("there is no secret to sign with: set JWT_SECRET")
        return
    click.echo(token)
