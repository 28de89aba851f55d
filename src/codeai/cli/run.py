"""``codeai run``: scripts."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click
import msgspec

from codeai.cli.main import fail
from codeai.evaluate.statements import parts_of
from codeai.language.diagnostics import Severity
from codeai.language.durations import duration_milliseconds
from codeai.model import expression as ir
from codeai.scripts.running import Ended, run_script
from codeai.scripts.shell import Shell
from codeai.server.aside import AsideDied
from codeai.server.composition import Composition, StartError
from codeai.server.database import synchronise
from codeai.server.loading import Loaded, LoadError, load_script
from codeai.server.start import Prepared, composed, make_ready, start_failed
from codeai.storage.errors import SchemaMismatch, StorageError


@click.command("run", help="Run the statements of a script, as the system, with the database of the program. '-' reads standard input.")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--program", type=click.Path(path_type=Path), default=None, help="The file or folder of the program (that of this folder).")
@click.option("--check", is_flag=True, help="Run nothing; say what is wrong with the script.")
@click.option("--allow-exec", is_flag=True, help="Let 'exec { … }' run commands of the shell.")
@click.option("--exec-timeout", default="1m", show_default=True, help="How long one command may take.")
def command(file: Path, program: Path | None, check: bool, allow_exec: bool, exec_timeout: str) -> None:
    """Runs a script. Exit codes: 0 done, 1 invalid or failed, 2 not readable or not allowed, else what the script returns."""
    seconds = _seconds(exec_timeout)
    loaded = _loaded(file, program)
    ready = make_ready(_of_script(loaded), _flags(loaded), done="run")
    if isinstance(ready, int):
        sys.exit(ready)
    place = _first_command(loaded)
    if check:
        click.echo("valid")
        return
    if place is not None and not allow_exec:
        fail(f"{place}: the script runs commands of the shell, which needs --allow-exec; nothing was run", 2)
    ended = _run(ready, seconds)
    if ended.failure:
        where = f"{loaded.sources.locate(ended.at)}: " if ended.at >= 0 else ""
        click.echo(f"{where}{ended.failure}", err=True)
    sys.exit(ended.code)


def _seconds(text: str) -> float:
    found = duration_milliseconds(text)
    if not found:
        raise click.UsageError(f"'{text}' is no duration such as 30s or 5m")
    return found / 1000


def _loaded(file: Path, program: Path | None) -> Loaded:
    stdin = str(file) == "-"
    try:
        content = sys.stdin.buffer.read() if stdin else file.read_bytes()
        return load_script(content, None if stdin else file, program)
    except OSError as error:
        fail(f"cannot read '{file}': {error.strerror or error}", 2)
    except LoadError as error:
        fail(str(error), 2)
    raise AssertionError


def _of_script(loaded: Loaded) -> Loaded:
    """What is said of the program beside the script is not the script's matter, unless it is wrong."""
    last = loaded.sources.files[0].end if loaded.sources.files else 0
    found = [found for found in loaded.diagnostics if found.severity is Severity.ERROR or found.primary.start <= last]
    return msgspec.structs.replace(loaded, diagnostics=found)


def _flags(loaded: Loaded) -> dict[str, str]:
    """What is due later is the server's to do; standard output belongs to ``print``, unless somebody says where the log goes."""
    said = "LOG_OUTPUT" in os.environ or any(setting.path == ("logging", "output") for setting in loaded.application.settings)
    return {"role": "api"} if said else {"role": "api", "log_output": "stderr"}


def _first_command(loaded: Loaded) -> str | None:
    """The place of the first ``exec``."""
    found = next(parts_of(loaded.application.script, (ir.Shell,)), None)
    return str(loaded.sources.locate(found.at)) if found is not None else None


def _run(ready: Prepared, seconds: float) -> Ended:
    try:
        synchronise(ready.database, ready.program.application, development=ready.settings.development)
        composition = composed(ready)
        return asyncio.run(_execute(composition, seconds))
    except StartError as error:
        sys.exit(start_failed(ready.program, error))
    except SchemaMismatch as error:
        differences = "\n".join(f"  {line}" for line in error.differences)
        fail(f"the database differs from the program:\n{differences}")
    except (StorageError, AsideDied) as error:
        fail(str(error))
    raise AssertionError


async def _execute(composition: Composition, seconds: float) -> Ended:
    composition.runtime.effects.shell = Shell(seconds)
    await composition.start()
    try:
        return await run_script(composition.application.script, composition)
    finally:
        await composition.stop()
