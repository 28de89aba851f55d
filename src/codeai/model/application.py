"""The whole program, resolved and frozen: the input of every plan."""

from __future__ import annotations

import msgspec

from codeai.language.types import Enum, Record, Type
from codeai.model.endpoint import Endpoint, Shape
from codeai.model.entity import Entity
from codeai.model.event import Event, Handler, Webhook
from codeai.model.expression import EnvironmentValue, Expression
from codeai.model.integration import Integration, Middleware
from codeai.model.security import AuthProvider, Role
from codeai.model.statement import Block
from codeai.model.workflow import Job, Workflow


class Parameter(msgspec.Struct, frozen=True, gc=False):
    """A parameter of a function; ``name`` is the unique ``Local`` name in the body."""

    name: str
    type: Type


class Function(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A function of the program. ``pure`` functions touch neither database nor clock nor request, so they may run anywhere.

    ``source`` (``module.function``) makes it an extern one: Python beside the program, without a body here.
    """

    name: str
    parameters: tuple[Parameter, ...]
    result: Type
    body: Block
    pure: bool = False
    source: str | None = None
    at: int = -1


class Test(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A ``test`` block; never part of the served program."""

    name: str
    body: Block
    at: int = -1


class Setting(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One value of ``config`` (or of the program's own settings), by path."""

    path: tuple[str, ...]
    value: Expression
    at: int = -1


class Requirement(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A value that the environment must give before the program starts, with the place that asks for it."""

    value: EnvironmentValue
    at: int


class Application(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A program. Tuples keep the order of the sources; look-ups by name are built by those who need them.

    ``shapes`` are the declared record types with the constraints of their fields; ``script`` is what ``codeai run`` executes.
    """

    name: str
    version: str = "0.0.0"
    entities: tuple[Entity, ...] = ()
    records: tuple[Record, ...] = ()
    shapes: tuple[Shape, ...] = ()
    enums: tuple[Enum, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    functions: tuple[Function, ...] = ()
    events: tuple[Event, ...] = ()
    handlers: tuple[Handler, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    integrations: tuple[Integration, ...] = ()
    middleware: tuple[Middleware, ...] = ()
    workflows: tuple[Workflow, ...] = ()
    jobs: tuple[Job, ...] = ()
    providers: tuple[AuthProvider, ...] = ()
    roles: tuple[Role, ...] = ()
    settings: tuple[Setting, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    seed: Block = ()
    tests: tuple[Test, ...] = ()
    script: Block = ()

    def entity(self, name: str) -> Entity:
        """The entity of that name; KeyError when there is none."""
        for entity in self.entities:
            if entity.name == name:
                return entity
        raise KeyError(name)
