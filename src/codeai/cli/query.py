"""``codeai query``."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from codeai.cli.main import fail
from codeai.http.plans import ENCODER
from codeai.http.problems import problem_of
from codeai.query.errors import QueryError
from codeai.server.composition import Composition
from codeai.server.errors import StartError
from codeai.server.start import Prepared, composed, prepare, start_failed
from codeai.storage.errors import ConstraintViolation, DatabaseUnavailable, PoolExhausted, SchemaMissing, StorageError


@click.command("query", help='Ask the database of the program in the query language, as in: codeai query "select Book where price > 10".')
@click.argument("text")
@click.option("--program", "file", type=click.Path(path_type=Path), default=None, help="The file or folder of the program.")
@click.option("--param", "parameters", multiple=True, metavar="NAME=JSON", help="What params.NAME stands for; a text needs no quotes.")
@click.option("--write", is_flag=True, help="Let the text create, update or delete.")
def command(text: str, file: Path | None, parameters: tuple[str, ...], write: bool) -> None:
    """Runs one text and prints its result as JSON."""
    values = dict(_parameter(given) for given in parameters)
    prepared = prepare(file, {"log_level": "error"})
    if isinstance(prepared, int):
        sys.exit(prepared)
    try:
        composition = composed(prepared)
        composition.queries.check(text, values, write=write)
        _present(prepared, file)
        result = asyncio.run(_run(composition, text, values, write=write))
    except StartError as error:
        sys.exit(start_failed(prepared.program, error))
    except QueryError as error:
        fail(f"{type(error).__name__}: {error}" + (f" ({error.hint})" if error.hint else ""), 1)
    except SchemaMissing as error:
        fail(f"the database lacks what the program needs ({error}); 'codeai db upgrade{f' {file}' if file else ''}' makes what is missing")
    except ConstraintViolation as error:
        fail(f"ExecutionError: {problem_of(error, {}).detail}", 1)
    except (DatabaseUnavailable, PoolExhausted) as error:
        fail(str(error))
    except StorageError as error:
        fail(f"ExecutionError: {error}", 1)
    else:
        click.echo(msgspec.json.format(ENCODER.encode(result), indent=2))


def _present(prepared: Prepared, file: Path | None) -> None:
    path = prepared.database.path
    if path is not None and not path.exists():  # to open it would make it
        named = f" {file}" if file else ""
        fail(f"there is no database at {path} yet; 'codeai server{named}' or 'codeai db seed{named}' makes it")


def _parameter(given: str) -> tuple[str, Any]:
    """The name and value of ``name=value``; what is no JSON is a text."""
    name, equals, text = given.partition("=")
    if not (equals and name.isidentifier()):
        raise click.UsageError(f"'{given}' is no parameter, expected one as in min=10")
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text


async def _run(composition: Composition, text: str, values: Mapping[str, Any], *, write: bool) -> Any:
    """Asks past the server: only the database is opened, nothing is started."""
    queries, database = composition.queries, composition.database
    await database.start()
    try:
        if not write:
            return await queries.read(text, values)
        async with database.transaction() as session:
            return await queries.write(session, text, values)
    finally:
        await database.close()
