"""What operators may read: the entities and lists of ``lists.cai``, resolved over the tables of the server's own."""

from __future__ import annotations

from importlib.resources import files

import msgspec

from codeai.analysis.program import analyse
from codeai.control.views import view
from codeai.language.parser import parse_module
from codeai.language.source import Sources
from codeai.model.application import Application
from codeai.model.endpoint import Endpoint
from codeai.storage.interface import Dialect


class Reading(msgspec.Struct, frozen=True):
    """The entities of operators, and the endpoints that list them; their templates lack the prefix of the API."""

    application: Application

    @property
    def lists(self) -> tuple[Endpoint, ...]:
        """The endpoints."""
        return self.application.endpoints


def reading(dialect: Dialect, program: Application) -> Reading:
    """Resolves ``lists.cai`` for a kind of database; what is secret in the events and inputs of a program is left out."""
    hidden = hidden_fields(program)
    text = files("codeai.control").joinpath("lists.cai").read_text(encoding="utf-8")
    sources = Sources()
    analysis = analyse([parse_module(sources.add("lists.cai", text)).module], sources)
    assert analysis.valid, [str(found.message) for found in analysis.diagnostics]
    entities = tuple(
        msgspec.structs.replace(entity, table="", view=view(entity.name, dialect, hidden)) for entity in analysis.application.entities
    )
    return Reading(msgspec.structs.replace(analysis.application, entities=entities))


def hidden_fields(program: Application) -> dict[str, frozenset[str]]:
    """The secret fields of payloads and inputs, by the name of the event, workflow or job."""
    found = {event.wire: event.fields for event in program.events}
    found |= {workflow.name: workflow.input for workflow in program.workflows}
    found |= {job.name: job.input for job in program.jobs}
    return {name: frozenset(field.name for field in fields if field.write_only) for name, fields in found.items()}


def with_operator_entities(application: Application, found: Reading) -> Application:
    """A program together with the entities of operators; where both have a name, the program's holds."""
    own = {entity.name for entity in application.entities}
    added = (entity for entity in found.application.entities if entity.name not in own)
    return msgspec.structs.replace(application, entities=(*application.entities, *added))
