"""``codeai workflow``: the workflows of a program and of a server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import click
from rich.text import Text

from codeai.cli.groups import Commands
from codeai.cli.main import fail
from codeai.cli.remote import Remote, json_object, remote
from codeai.cli.tables import print_list, print_one
from codeai.model.workflow import Job, Workflow


@click.group("workflow", cls=Commands, help="Look at workflows, draw them, and start them.")
def command() -> None:
    """Look at workflows."""


@command.command("list", help="List the workflows of a server.")
@click.option("--status", type=click.Choice(["active", "paused", "archived"]), default=None, help="In one state.")
@click.option("--limit", type=click.IntRange(1, 100), default=100, show_default=True, help="At most so many.")
@remote
def list_(server: Remote, **filters: Any) -> None:
    """Lists."""
    found = server.get("/workflows", **filters)
    if not server.as_json:
        found = {**found, "data": [{**row, "status": _shown(row)} for row in found["data"]]}
    print_list(server, found, ("name", "status", "executions", "version", "created_at", "updated_at"))


def _shown(row: Mapping[str, Any]) -> str:
    """The state of a definition; one that the program has lost is active for its executions only."""
    return f"{row['status']}, not in the program" if row["status"] != "archived" and not row["present"] else str(row["status"])


@command.command("show", help="Show a workflow with its source and how many executions are in which state.")
@click.argument("name")
@remote
def show(server: Remote, name: str) -> None:
    """Shows one."""
    found = server.get(f"/workflows/{name}")
    if server.as_json:
        print_one(server, found)
    else:
        print_one(server, {key: value for key, value in found.items() if key != "source"}, Text(found["source"] or ""))


@command.command("start", help="Start an execution of the workflow NAME.")
@click.argument("name")
@click.option("--input", "given", default="{}", help="Its input, a JSON object or @file.")
@click.option("--key", default=None, help="Instead of the key that the workflow computes.")
@click.option("--delay", default=None, help="It begins so much later, as in 30s.")
@click.option("--priority", type=click.IntRange(0, 100), default=None, help="The lower, the sooner.")
@remote
def start(server: Remote, name: str, given: str, **more: Any) -> None:
    """Starts one."""
    body = {"input": json_object(given, "--input"), **{name: value for name, value in more.items() if value is not None}}
    print_one(server, server.send("POST", f"/workflows/{name}/executions", body))


@command.command("register", help="Check the workflow in FILE together with the program of a server, and register it there.")
@click.argument("file", type=click.File(encoding="utf-8"))
@remote
def register(server: Remote, file: TextIO) -> None:
    """Registers one."""
    found = server.send("POST", "/workflows", {"source": file.read()})
    print_one(server, found if server.as_json else {key: value for key, value in found.items() if key != "source"})


def _status(action: str, status: str, text: str) -> None:
    @command.command(action, help=text)
    @click.argument("name")
    @remote
    def change(server: Remote, name: str) -> None:
        found = server.send("PATCH", f"/workflows/{name}", {"status": status})
        print_one(server, found if server.as_json else {key: value for key, value in found.items() if key != "source"})


_status("pause", "paused", "Begin no execution until it is resumed.")
_status("resume", "active", "Begin executions again.")
_status("archive", "archived", "Start no execution any more.")


@command.command("graph", help="Draw the workflow or job NAME, as Mermaid text or as an SVG picture.")
@click.argument("name")
@click.option(
    "--format", "form", type=click.Choice(["mermaid", "svg"]), default="mermaid", show_default=True, help="The form of the picture."
)
@click.option("--program", "file", type=click.Path(path_type=Path), default=None, help="The file or folder of the program.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Where to write it; standard output when absent."
)
def graph(name: str, form: str, file: Path | None, output: Path | None) -> None:
    """Draws one workflow."""
    from codeai.diagrams.mermaid import mermaid
    from codeai.diagrams.structure import diagram
    from codeai.diagrams.svg import svg
    from codeai.diagrams.texts import clause_texts
    from codeai.language.suggestions import suggest
    from codeai.server.loading import LoadError, load_program

    try:
        program = load_program(file)
    except LoadError as error:
        fail(str(error), 2)
        return
    runs: dict[str, Workflow | Job] = {run.name: run for run in program.application.workflows}
    runs |= {run.name: run for run in program.application.jobs}
    if not program.valid:
        fail("the program has errors; 'codeai validate' shows them", 1)
    if name not in runs:
        near = suggest(name, runs)
        fail(f"no workflow or job '{name}'" + (f", did you mean '{near}'?" if near else ""), 2)
    symbol = program.symbols.workflows.get(name) or program.symbols.jobs[name]
    picture = diagram(runs[name], clause_texts(symbol.declaration, program.sources))
    text = svg(picture) if form == "svg" else mermaid(picture)
    if output is None:
        click.echo(text, nl=False)
    else:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            fail(f"cannot write '{output}': {error.strerror}", 2)
