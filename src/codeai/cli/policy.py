"""``codeai policy``: what the policies of a program say to a caller."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import click

from codeai.auth.principal import Principal
from codeai.cli.groups import Commands
from codeai.cli.main import fail
from codeai.cli.remote import json_object
from codeai.cli.verdicts import lines, verdict_document
from codeai.evaluate.context import Context
from codeai.http.parameters import BadText, reader, sentence
from codeai.http.problems import Problem
from codeai.http.shapes import ShapeDecoder, ShapeTypes
from codeai.language.suggestions import suggest
from codeai.model.endpoint import InputField, Shape
from codeai.model.entity import Action, Entity
from codeai.query.errors import QueryError, RowNotFound
from codeai.query.verdicts import Verdict, VerdictPlan
from codeai.server.composition import Composition
from codeai.server.errors import StartError
from codeai.server.start import Prepared, composed, prepare, start_failed
from codeai.storage.errors import StorageError

_ACTIONS = click.Choice(["read", "create", "update", "delete"])


@click.group("policy", cls=Commands, help="Ask the policies of a program.")
def command() -> None:
    """Ask the policies."""


@command.command("explain", help="Say which rule lets a caller read, create, update or delete rows of ENTITY, or forbids it.")
@click.argument("entity")
@click.argument("action", type=_ACTIONS)
@click.option("--program", "file", type=click.Path(path_type=Path), default=None, help="The file or folder of the program.")
@click.option("--user", default=None, metavar="ID", help="The id of the caller.")
@click.option("--role", "roles", multiple=True, help="A role of the caller; may be given more than once.")
@click.option("--permission", "permissions", multiple=True, help="A permission of the caller; may be given more than once.")
@click.option("--tenant", default=None, help="The tenant of the caller.")
@click.option("--key", default=None, help="The key of a stored row.")
@click.option("--row", default=None, metavar="JSON", help="A row that need not be stored, a JSON object or @file.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For people, or for programs.")
def explain(entity: str, action: Action, file: Path | None, key: str | None, row: str | None, output: str, **caller: Any) -> None:
    """Exit codes: 0 answered, 1 no such row or the program has errors, 2 wrong usage."""
    if key is not None and row is not None:
        raise click.UsageError("either --key or --row, not both")
    if action == "create" and key is not None:
        raise click.UsageError("'create' is about a new row: give it with --row")
    given = json_object(row, "--row") if row is not None else None
    prepared = prepare(file, {"log_level": "error"})
    if isinstance(prepared, int):
        sys.exit(prepared)
    asked = _entity(prepared, entity)
    try:
        verdict = asyncio.run(_answer(composed(prepared), asked, action, caller, key, given))
    except StartError as error:
        sys.exit(start_failed(prepared.program, error))
    except RowNotFound:
        fail(f"no row of '{asked.name}' has the key '{key}'", 1)
        return
    except (QueryError, StorageError) as error:
        fail(str(error), 1)
        return
    document = verdict_document(asked, action, verdict, prepared.program.sources)
    click.echo(json.dumps(document, indent=2) if output == "json" else "\n".join(lines(document)))


def _entity(prepared: Prepared, name: str) -> Entity:
    known = {entity.name: entity for entity in prepared.program.application.entities}
    if name not in known:
        near = suggest(name, known)
        _refuse(f"no entity '{name}'" + (f", did you mean '{near}'?" if near else ""))
    return known[name]


async def _answer(
    composition: Composition, entity: Entity, action: Action, caller: Mapping[str, Any], key: str | None, row: Mapping[str, Any] | None
) -> Verdict:
    """Asks past the server; the database is opened only for a row."""
    runtime, database = composition.runtime, composition.database
    context = Context(_principal(composition, caller), database, runtime.clock(), runtime.services, runtime.log, effects=runtime.effects)
    plan = VerdictPlan(
        composition.foundation.statements.model,
        entity,
        action,
        key=_key(composition, entity, key) if key is not None else None,
        row=_row(composition, entity, row, context) if row is not None else None,
    )
    values = composition.evaluator.values(plan.values)(context)
    if key is None and row is None:
        return plan.without_row(values)
    await database.start()
    try:
        return await plan.run(database, values)
    finally:
        await database.close()


def _principal(composition: Composition, caller: Mapping[str, Any]) -> Principal:
    """A caller as a token would make it; nobody when nothing is said of it."""
    known = any(caller.values())
    grants = composition.roles.grants(frozenset(caller["roles"]), frozenset(caller["permissions"]))
    return Principal(id=caller["user"], grants=grants, tenant=caller["tenant"], authenticated=known)


def _key(composition: Composition, entity: Entity, text: str) -> object:
    field = entity.primary_field
    try:
        return reader(InputField(name=field.name, type=field.type), lambda name: composition.application.entity(name).primary_field.type)(
            [text]
        )
    except BadText as error:
        _refuse(f"--key: {field.name} {sentence(error)}")


def _row(composition: Composition, entity: Entity, row: Mapping[str, Any], context: Context) -> Mapping[str, object]:
    """The fields of a row, checked as those of a body; what is absent has its default, or is null."""
    fields = tuple(InputField(name=field.name, type=field.type, nullable=True, default=field.default) for field in entity.fields)
    evaluator = composition.evaluator

    def default(field: InputField) -> Any:
        assert field.default is not None
        value = evaluator.value(field.default)
        return lambda: value(context)

    try:
        decoder = ShapeDecoder(Shape(fields=fields), ShapeTypes(composition.application, default), default)
        values: Mapping[str, object] = decoder.decode(json.dumps(row).encode()).values
    except Problem as problem:
        _refuse("--row: " + ("; ".join(f"{wrong.field}: {wrong.message}" for wrong in problem.errors) or problem.detail))
    return values


def _refuse(message: str) -> NoReturn:
    fail(message, 2)
    raise AssertionError
