"""Generated lists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from codeai.auth.principal import Principal
from codeai.evaluate.context import Context
from codeai.evaluate.program import Evaluator
from codeai.http.messages import Request, Response
from codeai.http.plans import Action, Inputs, Runtime, context_of, json_response
from codeai.http.problems import FieldError, Problem
from codeai.model.endpoint import Endpoint, GetRow, ListRows, PathSource
from codeai.query.compiler import Model
from codeai.query.errors import RowNotFound
from codeai.query.lists.plan import ListPlan
from codeai.query.lists.request import ListRequest
from codeai.query.text import FilterText

_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_LARGEST: Final = 999_999_999
_TEXTS: Final = ("sort", "cursor", "expand", "q", "search")
_KNOWN: Final = (*_TEXTS, "page", "limit", "total")


class ListAction(Action):
    """GET of a page of rows."""

    def __init__(
        self, model: Model, evaluator: Evaluator, endpoint: Endpoint, action: ListRows, text: FilterText, runtime: Runtime
    ) -> None:
        types = {field.name: field.type for field in endpoint.inputs.query}
        self._plan = ListPlan(model, action, types, text)
        self._values = evaluator.values(self._plan.values)
        self._extended = evaluator.values(self._plan.extended_values)
        self._runtime = runtime

    async def run(self, request: Request, inputs: Inputs, principal: Principal) -> Response:
        """See ``plans.Action``."""
        runtime = self._runtime
        context = context_of(runtime, principal, runtime.database, inputs)
        wanted = _wanted(inputs.texts, context.now) if inputs.texts else ListRequest(now=context.now)
        values = (self._extended if self._plan.extends(wanted) else self._values)(context)
        return json_response(await self._plan.run(runtime.database, values, wanted))


class OneExpanded:
    """``GET /orders/{id}?expand=customer``: the row of an operation with relations, as a list shows it."""

    def __init__(self, model: Model, evaluator: Evaluator, action: GetRow, text: FilterText) -> None:
        key = PathSource(parameter=action.parameter, field=action.field)
        one = ListRows(
            entity=action.entity,
            sources=(*action.sources, key),
            filters=action.filters,
            page_size=1,
            max_page_size=1,
            paginated=False,
            text_filter=False,
        )
        self._entity = action.entity
        self._plan = ListPlan(model, one, {}, text)
        self._values = evaluator.values(self._plan.extended_values)

    async def read(self, context: Context, expand: list[str]) -> Any:
        """The row.

        :param expand: the texts of the parameter
        :raises InvalidValue: an expansion that there is not
        :raises RowNotFound: there is no row that the caller may read
        """
        request = msgspec.structs.replace(_wanted({"expand": expand}, context.now), limit=1)
        rows = await self._plan.run(context.session, self._values(context), request)
        if not rows:
            raise RowNotFound(self._entity)
        return rows[0]


def _wanted(texts: Mapping[str, list[str]], now: object) -> ListRequest:
    """The parameters that every list knows."""
    found: dict[str, object] = {"now": now}
    for name in _KNOWN:
        if len(texts.get(name, ())) > 1:
            raise _wrong(name, "must be one value, not several")
    for name in _TEXTS:
        if name in texts:
            found[name] = texts[name][0]
    if "sort" in found:
        found["sort"] = _distinct(str(found["sort"]))
    for name in ("page", "limit"):
        if name in texts:
            found[name] = _number(name, texts[name][0])
    if found.get("page") == 1 and "cursor" in found:
        del found["page"]  # the first page is where every cursor began
    for name in ("sort", "expand"):
        if found.get(name) == "":
            raise _wrong(name, "must name something")
    total = texts.get("total")
    if total is not None:
        if total[0] not in ("exact", "estimated"):
            raise _wrong("total", "must be exact or estimated")
        found["total"] = total[0]
    return ListRequest(**found)  # type: ignore[arg-type]  # the names and types of its fields


def _distinct(sort: str) -> str:
    """The sort without names that came before: only their first place matters."""
    seen: set[str] = set()
    terms = [term for term in sort.split(",") if not (term.lstrip("-") in seen or seen.add(term.lstrip("-")))]  # type: ignore[func-returns-value]  # adds
    return ",".join(terms)


def _number(name: str, text: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) < 1:
        raise _wrong(name, "must be a whole number from 1" + (f" to {_LARGEST:,}" if text.isdecimal() and len(text) > 9 else ""))
    return int(text)


def _wrong(name: str, message: str) -> Problem:
    return Problem(422, "the request has invalid parameters", "invalid", errors=(FieldError(name, "wrong_value", message),))
