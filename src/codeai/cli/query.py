"""``codeai query``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click
import msgspec

from codeai.auth.principal import SYSTEM
from codeai.cli.main import fail
from codeai.evaluate.context import Context
from codeai.http.plans import ENCODER
from codeai.query.errors import QueryError
from codeai.query.text import parse_query_text
from codeai.server.composition import Composition, StartError
from codeai.server.loading import Loaded
from codeai.server.start import composed, prepare, start_failed
from codeai.storage.errors import StorageError


@click.command("query", help='Ask the database of the program in the query language, as in: codeai query "select Book where price > 10".')
@click.argument("text")
@click.option("--program", "file", type=click.Path(path_type=Path), default=None, help="The file or folder of the program.")
def command(text: str, file: Path | None) -> None:
    """Runs one query and prints its result as JSON."""
    prepared = prepare(file, {"log_level": "error"})
    if isinstance(prepared, int):
        sys.exit(prepared)
    try:
        composition = composed(prepared)
        result = asyncio.run(_run(composition, prepared.program, text))
    except StartError as error:
        sys.exit(start_failed(prepared.program, error))
    except QueryError as error:
        fail(f"{type(error).__name__}: {error}" + (f" ({error.hint})" if error.hint else ""), 1)
    except StorageError as error:
        fail(f"ExecutionError: {error}", 1)
    else:
        click.echo(msgspec.json.format(ENCODER.encode(result), indent=2))


async def _run(composition: Composition, program: Loaded, text: str) -> object:
    expression = parse_query_text(text, program.symbols)
    plan = composition.statements.compile(expression)
    await composition.start()
    try:
        runtime = composition.runtime
        context = Context(SYSTEM, composition.database, runtime.clock(), runtime.services, runtime.log)
        found = await plan.run(composition.database, composition.evaluator.values(plan.values)(context))
        return composition.projection.of(expression.type)(found, context)
    finally:
        await composition.stop()
