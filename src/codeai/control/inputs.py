"""The input of runs that operators start: JSON, checked against what the workflow or job declares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from codeai.http.problems import FieldError, Problem
from codeai.http.shapes import ShapeDecoder, ShapeTypes
from codeai.model.application import Application
from codeai.model.endpoint import InputField, Shape

Default = Callable[[InputField], Callable[[], Any]]


class UnknownRun(LookupError):
    """There is no workflow, job or event of that name."""


class RunInputs:
    """Decodes inputs.

    :param default: makes what computes the default of a field
    """

    def __init__(self, application: Application, default: Default) -> None:
        self._types = ShapeTypes(application)
        self._default = default
        self._fields = fields_of(application)
        self._decoders: dict[tuple[str, str], ShapeDecoder] = {}

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
    """What each workflow and job takes, and what each event carries; a workflow that an event triggers takes that."""
    events = {event.wire: event.fields for event in application.events}
    found = {("job", job.name): job.input for job in application.jobs}
    found |= {("event", wire): fields for wire, fields in events.items()}
    for workflow in application.workflows:
        trigger = workflow.trigger.event
        found["workflow", workflow.name] = workflow.input or (events.get(trigger, ()) if trigger is not None else ())
    return found
