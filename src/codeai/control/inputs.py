"""The input of runs that operators start: JSON, checked against what the workflow or job declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from codeai.http.problems import FieldError, Problem
from codeai.http.shapes import ShapeDecoder, ShapeTypes
from codeai.model.application import Application
from codeai.model.endpoint import InputField, Shape
from codeai.model.workflow import Workflow

Default = Callable[[InputField], Callable[[], Any]]


class UnknownRun(LookupError):
    """There is no workflow, job or event of that name."""


class RunInputs:
    """Decodes inputs.

    :param default: makes what computes the default of a field
    """

    def __init__(self, application: Application, default: Default) -> None:
        self._types = ShapeTypes(application, default)
        self._default = default
        self._events = {event.wire: event.fields for event in application.events}
        self._fields = fields_of(application)
        self._decoders: dict[tuple[str, str], ShapeDecoder] = {}

    def replace(self, workflows: Iterable[Workflow]) -> None:
        """Takes up workflows that were registered, or have changed, since."""
        for workflow in workflows:
            self._fields["workflow", workflow.name] = taken(workflow, self._events)
            self._decoders.pop(("workflow", workflow.name), None)

    def names(self, kind: str) -> list[str]:
        """The names of all workflows, jobs or events (on the wire) of the program."""
        return [name for found, name in self._fields if found == kind]

    def secretive(self, kind: str, name: str) -> bool:
        """Whether what a run takes may hold secrets: it has such fields, or is none of the program."""
        fields = self._fields.get((kind, name))
        return fields is None or any(field.write_only for field in fields)

    def decode(self, kind: str, name: str, text: bytes, place: str = "input") -> Mapping[str, Any]:
        """The values of an input or payload.

        :param kind: ``workflow``, ``job`` or ``event``
        :param place: where in the request it stands
        :raises UnknownRun: there is no such workflow, job or event
        :raises Problem: 422 with every field that is wrong
        """
        fields = self._fields.get((kind, name))
        if fields is None:
            raise UnknownRun(name)
        if (kind, name) not in self._decoders:
            self._decoders[kind, name] = ShapeDecoder(Shape(fields=fields), self._types, self._default)
        try:
            values: Mapping[str, Any] = self._decoders[kind, name].decode(text).values
        except Problem as problem:
            inner = tuple(FieldError(f"{place}.{one.field}".rstrip("."), one.code, one.message) for one in problem.errors)
            raise Problem(problem.status, problem.detail, problem.code, errors=inner, hint=problem.hint) from None
        return values


def fields_of(application: Application) -> dict[tuple[str, str], tuple[InputField, ...]]:
    """What each workflow and job takes, and what each event carries."""
    events = {event.wire: event.fields for event in application.events}
    found = {("job", job.name): job.input for job in application.jobs}
    found |= {("event", wire): fields for wire, fields in events.items()}
    found |= {("workflow", workflow.name): taken(workflow, events) for workflow in application.workflows}
    return found


def taken(workflow: Workflow, events: Mapping[str, tuple[InputField, ...]]) -> tuple[InputField, ...]:
    """What a workflow takes; one that an event triggers takes what the event carries."""
    trigger = workflow.trigger.event
    return workflow.input or (events.get(trigger, ()) if trigger is not None else ())
