"""``codeai test``."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from codeai.cli.programs import valid_program
from codeai.language.source import Sources
from codeai.server.composition import Composition, StartError
from codeai.server.database import database_settings, synchronise_here
from codeai.server.loading import Loaded
from codeai.server.settings import Settings
from codeai.storage.opening import open_database
from codeai.storage.settings import DatabaseSettings, from_url
from codeai.testing.client import TestClient, issuer
from codeai.testing.observed import Observed
from codeai.testing.runner import Result, run_test
from codeai.testing.time import VirtualTime

_SECRET = "the secret of tests, which is long enough for HS256"  # noqa: S105  # signs tokens for databases that are thrown away


@click.command("test", help="Run the test blocks of the program in FILE or folder, each against a fresh database.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--filter", "pattern", default="", help="Only tests whose name contains this text.")
@click.option("--database", default=None, help="An empty PostgreSQL database to use; it is reset for each test.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", help="For people, or for programs.")
def command(file: Path | None, pattern: str, database: str | None, output: str) -> None:
    """Runs tests; exit code 1 when one fails."""
    program = valid_program(file)
    logging.getLogger("codeai").setLevel(logging.ERROR)  # refusals are what tests ask for
    tests = [test for test in program.application.tests if pattern in test.name]
    with tempfile.TemporaryDirectory(prefix="codeai-test-") as folder:
        databases = _Databases(program, database, Path(folder))
        results = [_run(program, index, databases) for index, test in enumerate(program.application.tests) if test in tests]
    if output == "json":
        click.echo(json.dumps([_record(result, program.sources) for result in results], indent=2, ensure_ascii=False))
    elif tests:
        _print(results, program.sources)
    else:
        click.echo("no tests" + (f" match '{pattern}'" if pattern else ""))
    sys.exit(1 if any(result.failure for result in results) else 0)


def _print(results: list[Result], sources: Sources) -> None:
    for result in results:
        mark = "ok  " if not result.failure else "FAIL"
        click.echo(f"{mark} {result.name} ({result.seconds * 1000:.0f} ms)")
        if result.failure:
            click.echo(f"  {sources.locate(result.at)}\n    {result.failure}")
    failed = sum(bool(result.failure) for result in results)
    click.echo(f"{len(results) - failed} passed, {failed} failed")


def _record(result: Result, sources: Sources) -> dict[str, Any]:
    """A result for programs; its place is that of the expectation that failed."""
    found: dict[str, Any] = {"name": result.name, "passed": not result.failure, "milliseconds": round(result.seconds * 1000)}
    if result.failure:
        place = sources.locate(result.at)
        found |= {"failure": result.failure, "path": place.path, "line": place.line, "column": place.column}
    return found


class _Databases:
    """A fresh database for each test. An embedded one is made once and copied: making it takes longer than most tests.

    What makes them is loaded into this process, which ends soon, and not into one of its own for each.
    """

    def __init__(self, program: Loaded, url: str | None, folder: Path) -> None:
        self.application = program.application
        self.url = url
        self.folder = folder
        self.settings = Settings(jwt_secret=_SECRET)

    def fresh(self, index: int) -> DatabaseSettings:
        """An empty database with the tables of the program."""
        if self.url is not None:
            wanted = from_url(self.url)
            synchronise_here(wanted, self.application, development=True, reset=True)
            return wanted
        made, own = self.folder / "made", self.folder / str(index)
        if not made.exists():
            made.mkdir()
            synchronise_here(database_settings(self.settings, made), self.application, development=True)
        shutil.copytree(made, own)
        return database_settings(self.settings, own)


def _run(program: Loaded, index: int, databases: _Databases) -> Result:
    return asyncio.run(_test(program, index, databases.settings, databases.fresh(index)))


async def _test(program: Loaded, index: int, settings: Settings, wanted: DatabaseSettings) -> Result:
    test = program.application.tests[index]
    environment = {**{name: requirement_default(name) for name in _names(program)}, **os.environ, "JWT_SECRET": _SECRET}
    time = VirtualTime()
    try:
        parts = Composition(
            program.application,
            settings,
            open_database(wanted),
            environment,
            time,
            folder=program.folder,
            recording=True,
        )
    except StartError as error:
        return Result(test.name, str(error), 0.0, error.at)
    recorded, sent, secret = parts.peers.recorded, parts.eventing.recorded, parts.callers.tested_secret
    assert recorded is not None and sent is not None and secret is not None, "the program is composed for recording"
    await parts.start()
    try:
        settle = parts.eventing.settle
        client = TestClient(
            parts.asgi,
            parts.roles,
            issuer(secret, parts.clock),
            recorded,
            settle,
            lambda length: time.advance(length, parts.database, settle),
            Observed(parts.database, parts.eventing.outbox, parts.durable.control.of, recorded.calls, sent.taken),
        )
        return await run_test(test, parts, client, program.sources)
    finally:
        await parts.stop()


def _names(program: Loaded) -> list[str]:
    return [requirement.value.name for requirement in program.application.requirements if requirement.value.default is None]


def requirement_default(name: str) -> str:
    """What a variable without a value is in tests: its own name."""
    return name.lower()
