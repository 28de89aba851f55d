"""What operators may read: the entities and lists of ``lists.cai``, resolved over the tables of the server's own."""

from __future__ import annotations

from importlib.resources import files

import msgspec

from codeai.analysis.program import analyse
from codeai.analysis.symbols import EntitySymbol, Symbols
from codeai.control.views import view
from codeai.language.parser import parse_module
from codeai.language.source import Sources
from codeai.model.application import Application
from codeai.model.endpoint import Endpoint
from codeai.model.entity import Entity
from codeai.storage.interface import Dialect


class Reading(msgspec.Struct, frozen=True):
    """The entities of operators, and the endpoints that list them; their templates lack the prefix of the API."""

    application: Application

    @property
    def lists(self) -> tuple[Endpoint, ...]:
        """The endpoints."""
        return self.application.endpoints


def reading(dialect: Dialect) -> Reading:
    """Resolves ``lists.cai`` for a kind of database."""
    text = files("codeai.control").joinpath("lists.cai").read_text(encoding="utf-8")
    sources = Sources()
    analysis = analyse([parse_module(sources.add("lists.cai", text)).module], sources)
    assert analysis.valid, [str(found.message) for found in analysis.diagnostics]
    entities = tuple(msgspec.structs.replace(entity, table="", view=view(entity.name, dialect)) for entity in analysis.application.entities)
    return Reading(msgspec.structs.replace(analysis.application, entities=entities))


def with_operator_entities(application: Application, symbols: Symbols, found: Reading) -> tuple[Application, Symbols]:
    """A program together with the entities of operators; where both have a name, the program's holds."""
    own = {entity.name for entity in application.entities}
    added = [entity for entity in found.application.entities if entity.name not in own]
    both = msgspec.structs.replace(application, entities=(*application.entities, *added))
    names = Symbols(enums=symbols.enums, entities={**symbols.entities, **{entity.name: _symbol(entity) for entity in added}})
    return both, names


def _symbol(entity: Entity) -> EntitySymbol:
    symbol = EntitySymbol(entity.name, None, primary=entity.primary, entity=entity)  # type: ignore[arg-type]  # only the checker of programs looks at declarations
    symbol.fields = {field.name: field for field in entity.fields}
    return symbol
