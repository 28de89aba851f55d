"""``codeai workflow``: the workflows of a program and of a server."""

from __future__ import annotations

from pathlib import Path

import click

from codeai.cli.main import fail
from codeai.model.workflow import Job, Workflow


@click.group("workflow", help="Look at workflows.")
def command() -> None:
    """Look at workflows."""


@command.command("graph", help="Draw the workflow or job NAME, as Mermaid text or as an SVG picture.")
@click.argument("name")
@click.option("--format", "form", type=click.Choice(["mermaid", "svg"]), default="mermaid", show_default=True)
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
        output.write_text(text, encoding="utf-8")
