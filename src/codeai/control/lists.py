"""The lists of ``lists.cai`` as pages of the control API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from codeai.auth.principal import SYSTEM
from codeai.control.exchange import PREFIX
from codeai.control.hints import Hints
from codeai.control.reading import Reading
from codeai.evaluate.program import Evaluator
from codeai.http.lists import ListAction
from codeai.http.messages import Request, Response
from codeai.http.parameters import ParameterDecoder, parse_query
from codeai.http.plans import Inputs, Runtime
from codeai.language import types as t
from codeai.model.endpoint import ListRows
from codeai.query.statements import Statements
from codeai.query.text import FilterText

# Lists that are served in other places: their parameters come from the path, or are given.
_PLACES: Final[Mapping[str, tuple[tuple[str, Mapping[str, str]], ...]]] = {
    "/deliveries": (("/webhooks/{target}/deliveries", {"kind": "webhook"}), ("/events/{event_id}/deliveries", {})),
}


_JOBS: Final = f"{PREFIX}/admin/jobs"
# The states of executions behind a state of jobs (see ``views``): the index is on those.
_STATES: Final = {
    "pending": "pending",
    "scheduled": "pending",
    "running": "running,waiting,cancelling,compensating",
    "completed": "completed",
    "failed": "failed,compensated",
    "cancelled": "cancelled",
}


class ListPage:
    """One list: filters, ``q``, sorting, pages by number and by cursor, like the lists of programs.

    :param given: parameters that are the same for every request; those of the path come before what the client sends, too
    """

    declared: Mapping[int, tuple[str, str | None]] = {}

    def __init__(self, template: str, action: ListAction, query: ParameterDecoder, given: Mapping[str, str], hints: Hints) -> None:
        self._hints = hints
        self._place = template
        self.template = PREFIX + template
        self._names = [part.strip("{}") for part in template.split("/") if part.startswith("{")]
        self._given = given
        self._action = action
        self._query = query

    async def handle(self, request: Request, values: list[str]) -> Response:
        """See ``http.application.Handler``."""
        texts = parse_query(request.query_string) if request.query_string else {}
        fixed = {**self._given, **dict(zip(self._names, values, strict=True))}
        texts.update({name: [value] for name, value in fixed.items()})
        if self.template == _JOBS:
            texts.pop("states", None)
            states = _STATES.get(texts.get("status", [""])[-1])
            texts |= {"states": [states]} if states is not None else {}
        query, sent = self._query.decode(texts)
        answer = await self._action.run(request, Inputs(query=query, sent={"query": sent}, texts=texts), SYSTEM)
        return await self._hints.beside(self._place, texts, answer)


def list_pages(reading: Reading, runtime: Runtime, hints: Hints) -> Iterator[ListPage]:
    """The pages of all lists."""
    application = reading.application
    statements = Statements(application, runtime.database.dialect)
    evaluator = Evaluator(application, statements, {})
    text = FilterText(application)
    for endpoint in reading.lists:
        assert isinstance(endpoint.action, ListRows)
        action = ListAction(statements.model, evaluator, endpoint, endpoint.action, text, runtime)
        decoder = ParameterDecoder("query", endpoint.inputs.query, _no_reference, _no_default, closed=True, listing=True)
        for template, given in _PLACES.get(endpoint.template, ((endpoint.template, {}),)):
            yield ListPage(template, action, decoder, given, hints)


def _no_reference(entity: str) -> t.Type:
    raise AssertionError(f"lists of operators have no parameter that refers to {entity}")


def _no_default(field: Any) -> Any:
    raise AssertionError(f"lists of operators have no default for {field}")
