"""``codeai db``."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import click

from codeai.auth.principal import SYSTEM
from codeai.cli.groups import Commands
from codeai.cli.main import fail, needed
from codeai.evaluate.context import Context
from codeai.server.aside import AsideDied
from codeai.server.composition import Composition, StartError
from codeai.server.database import synchronise
from codeai.server.start import Prepared, composed, difference, prepare, start_failed
from codeai.storage.errors import ConstraintViolation, SchemaMismatch, StorageError


@click.group("db", cls=Commands, help="Fill, upgrade or reset the database of a program.")
def command() -> None:
    """The commands about databases."""


@command.command("seed", help="Run the seed blocks of the program in FILE or folder.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
def seed(file: Path | None) -> None:
    """Fills the database."""
    _seed(_prepared(file), file, reset=False)


@command.command("reset", help="Empty the database of the program in FILE or folder and run its seed blocks (development only).")
@click.argument("file", type=click.Path(path_type=Path), required=False)
def reset(file: Path | None) -> None:
    """Empties and fills the database."""
    prepared = _prepared(file)
    if not prepared.settings.development:
        fail("'codeai db reset' works in development only")
    _seed(prepared, file, reset=True)


@command.command("upgrade", help="Change the tables to the program in FILE or folder where nothing is lost, in production too.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--output", type=click.Choice(["text", "json"]), default="text", help="For people, or for programs.")
def upgrade(file: Path | None, output: str) -> None:
    """Does what a start in development does; servers of the program before go on meanwhile."""
    prepared = _prepared(file)
    try:
        outcome, changes = synchronise(prepared.database, prepared.program.application, development=True)
    except SchemaMismatch as error:
        lines = "\n".join(f"  {line}" for line in error.differences)
        fail(f"more than what loses nothing differs, so nothing was changed:\n{lines}")
    except (StorageError, AsideDied) as error:
        fail(str(error))
    if output == "json":
        click.echo(json.dumps({"database": prepared.database.shown, "outcome": outcome, "changes": changes}))
    else:
        click.echo("\n".join((f"{prepared.database.shown}: {outcome}", *(f"  {change}" for change in changes))))


def _prepared(file: Path | None) -> Prepared:
    needed(file)
    found = prepare(file, {})
    if isinstance(found, int):
        sys.exit(found)
    return found


def _seed(prepared: Prepared, file: Path | None, *, reset: bool) -> None:
    try:
        synchronise(prepared.database, prepared.program.application, development=prepared.settings.development, reset=reset)
        composition = composed(prepared)
        asyncio.run(_run(composition))
    except StartError as error:
        sys.exit(start_failed(prepared.program, error))
    except SchemaMismatch as error:
        fail(difference(error, file, development=prepared.settings.development))
    except ConstraintViolation as error:
        again = "" if reset else f"; was it run before? 'codeai db reset{f' {file}' if file else ''}' empties the database first"
        fail(f"the seed breaks a rule of the tables, so nothing of it was written: {error}{again}")
    except (StorageError, AsideDied) as error:
        fail(str(error))
    count = len(prepared.program.application.seed)
    click.echo(f"{prepared.database.shown}: {'reset, ' if reset else ''}{count} statements of the seed done")


async def _run(composition: Composition) -> None:
    await composition.start()
    try:
        async with composition.database.transaction() as session:
            runtime = composition.runtime
            context = Context(SYSTEM, session, runtime.clock(), runtime.services, runtime.log, effects=runtime.effects)
            await composition.evaluator.block(composition.application.seed, "seed")(context)
    finally:
        await composition.stop()
