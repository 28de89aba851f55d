"""One request to the control API and its answer: path and query parameters, JSON bodies, who asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from codeai.http.deadlines import Deadlines
from codeai.http.documents import parsed, refused
from codeai.http.messages import Request, Response
from codeai.http.parameters import parse_query, unknown_parameters
from codeai.http.plans import json_response
from codeai.http.problems import FieldError, Problem
from codeai.http.shapes import field_error
from codeai.language.suggestions import suggest

PREFIX: Final = "/api/v1"
_LARGEST: Final = 4 * 1024 * 1024
_TIMEOUT: Final = 30.0
_Body = TypeVar("_Body")
Answer = Callable[["Exchange"], Awaitable[Response]]


class Exchange(msgspec.Struct, frozen=True):
    """A request that an operator has sent; ``path`` has the parameters of the path by name."""

    request: Request
    path: Mapping[str, str]
    deadlines: Deadlines

    @property
    def actor(self) -> str | None:
        """Who asks, for the audit trail."""
        principal = self.request.principal
        return principal.id if principal is not None else None

    async def raw(self) -> bytes:
        """The bytes of the body."""
        return await self.request.body(_LARGEST, _TIMEOUT, self.deadlines)

    def parameters(self, *known: str) -> dict[str, str]:
        """The query parameters, each once.

        :raises Problem: 422 for one that is unknown or comes twice
        """
        texts = parse_query(self.request.query_string) if self.request.query_string else {}
        errors = list(unknown_parameters(texts, known))
        errors += [FieldError(name, "wrong_value", "must come once") for name, values in texts.items() if len(values) > 1]
        if errors:
            raise Problem(422, "the request has invalid parameters", "invalid", errors=tuple(errors))
        return {name: values[0] for name, values in texts.items()}

    async def body(self, type_: type[_Body], *, optional: bool = False) -> _Body:
        """The JSON body.

        :param optional: without a body, everything is as by default
        :raises Problem: 415 for another media type, 400 for what is no JSON, 422 for JSON of another form
        """
        kind = self.request.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        raw = await self.raw()
        if optional and not raw:
            return type_()
        if kind != b"application/json" and not kind.endswith(b"+json"):
            hint = "send the header `Content-Type: application/json`"
            raise Problem(415, "the body must be application/json", hint=hint, headers=((b"accept", b"application/json"),))
        parsed(raw)
        try:
            return msgspec.json.decode(raw, type=type_)
        except msgspec.ValidationError as error:
            raise _invalid(str(error), type_) from None
        except (msgspec.DecodeError, RecursionError) as error:
            raise refused(error) from None


def _invalid(text: str, type_: type) -> Problem:
    found = field_error(text)
    allowed = _choices(get_type_hints(type_).get(found.field)) if text.startswith("Invalid enum value") else ()
    if allowed:
        found = FieldError(found.field, "wrong_value", f"must be one of {', '.join(map(str, allowed))}")
    return Problem(422, "the request has invalid values", "invalid", errors=(found,))


def _choices(type_: Any) -> tuple[str, ...]:
    """The values of a type that names them, also of one that may be null."""
    if get_origin(type_) is Literal:
        return get_args(type_)
    return tuple(value for part in get_args(type_) for value in _choices(part))


class ControlPage:
    """A handler of the control API made of a function; parameters of the path go by name."""

    declared: Mapping[int, tuple[str, str | None]] = {}

    def __init__(self, template: str, answer: Answer, deadlines: Deadlines) -> None:
        self.template = template
        self._deadlines = deadlines
        self._names = [part.strip("{}") for part in template.split("/") if part.startswith("{")]
        self._answer = answer

    async def handle(self, request: Request, values: list[str]) -> Response:
        """See ``http.application.Handler``."""
        return await self._answer(Exchange(request, dict(zip(self._names, values, strict=True)), self._deadlines))


def page_of(items: list[Any]) -> Response:
    """A short list in the shape of all lists: everything on one page."""
    pagination = {"page": 1, "limit": max(len(items), 1), "has_next": False, "has_previous": False, "total": len(items)}
    return json_response({"data": items, "pagination": pagination})


class PageAsked(msgspec.Struct, frozen=True):
    """Which page of a list by number somebody wants."""

    number: int
    limit: int

    @property
    def first(self) -> int:
        """How many items come before it."""
        return (self.number - 1) * self.limit

    def of(self, shown: list[Any], total: int) -> Response:
        """The page, of a list that has so many items in total."""
        more, before = total > self.first + self.limit, self.number > 1
        pagination = {"page": self.number, "limit": self.limit, "has_next": more, "has_previous": before, "total": total}
        return json_response({"data": shown, "pagination": pagination})


def page_asked(given: Mapping[str, str], size: int) -> PageAsked:
    """The page that the parameters ``page`` and ``limit`` ask for; raises Problem for what is no number."""
    return PageAsked(_number(given, "page", 1, 1_000_000), _number(given, "limit", size, 1_000))


def _number(given: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
        message = f"must be a whole number from 1 to {most}"
        raise Problem(422, "the request has invalid parameters", "invalid", errors=(FieldError(name, "wrong_value", message),))
    return int(text)


def unknown(what: str, name: str, known: Iterable[str] = ()) -> Problem:
    """404 for a thing that does not exist; of those that are ``known``, the one that was probably meant is named."""
    return Problem(404, missing(what, name, known), "not_found")


def missing(what: str, name: str, known: Iterable[str]) -> str:
    """What is said of a name that nobody has, with the nearest one that somebody has."""
    near = suggest(name, known)
    return f"no {what} '{name[:100]}'" + (f", did you mean '{near}'?" if near is not None else "")
