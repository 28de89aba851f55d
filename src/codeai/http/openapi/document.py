"""Paths, parameters and answers."""

from __future__ import annotations

import re
from typing import Any, Final

from codeai.http.openapi.schemas import STORABLE, Schema, Schemas
from codeai.language import types as t
from codeai.model.application import Application
from codeai.model.endpoint import CreateOne, DeleteOne, Endpoint, GetRow, InputField, ListRows, ModifyRow, ReplaceRow, RunBlock, Unavailable
from codeai.model.expression import CallOperation, CreateRow, DeleteRows, Expression, RemoveRow, Selection, UpdateRows
from codeai.model.statement import Fail, Failure, Statement
from codeai.model.status import title

_PROBLEM: Final[Schema] = {
    "type": "object",
    "description": "what went wrong (RFC 9457)",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "hint": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "code": {"type": "string"}, "message": {"type": "string"}},
                "required": ["field", "code", "message"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "code", "request_id"],
}


_NAMED: Final = re.compile(r"\{[^{}/]+\}")
_EXPAND: Final = "relations to show, separated by commas"
_IDEMPOTENCY_KEY: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "description": "names this request: sent again within a day, it gets the same answer and has no second effect",
}


def document(application: Application) -> dict[str, Any]:
    """The OpenAPI document of a program."""
    return _Document(application).made()


class _Document:
    def __init__(self, application: Application) -> None:
        self._application = application
        self._limiting = {model.name for model in application.middleware if model.kind == "rate_limiting"}
        self._schemas = Schemas(application)
        self._schemas.components["Problem"] = _PROBLEM

    def made(self) -> dict[str, Any]:
        paths: dict[str, Any] = {}
        templates: dict[str, str] = {}
        for endpoint in self._application.endpoints:
            if not endpoint.internal:
                template = templates.setdefault(_NAMED.sub("{}", endpoint.template), endpoint.template)
                paths.setdefault(template, {})[endpoint.method.lower()] = _named_as(template, endpoint.template, self._operation(endpoint))
        found: dict[str, Any] = {
            "openapi": "3.1.0",
            "info": {"title": self._application.name, "version": self._application.version},
            "paths": paths,
            "components": {"schemas": dict(sorted(self._schemas.components.items()))},
        }
        schemes = {provider.name: _scheme(provider.method, provider) for provider in self._application.providers}
        if schemes:
            found["components"]["securitySchemes"] = schemes
        return found

    def _operation(self, endpoint: Endpoint) -> dict[str, Any]:
        found: dict[str, Any] = {"operationId": endpoint.name, "responses": self._responses(endpoint)}
        for name in ("summary", "description"):
            if getattr(endpoint, name):
                found[name] = getattr(endpoint, name)
        if endpoint.tags:
            found["tags"] = list(endpoint.tags)
        if endpoint.deprecated:
            found["deprecated"] = True
        if endpoint.version:
            found["x-version"] = endpoint.version
        parameters = self._parameters(endpoint)
        if parameters:
            found["parameters"] = parameters
        body = endpoint.inputs.body
        if body is not None:
            content = {"application/json": {"schema": self._schemas.shape(body)}}
            if body.multipart:
                content["multipart/form-data"] = {"schema": _form_schema(content["application/json"]["schema"])}
            found["requestBody"] = {"required": True, "content": content}
        providers = endpoint.guard.providers or tuple(provider.name for provider in self._application.providers)
        if providers and endpoint.guard.mode != "public":
            security: list[dict[str, list[str]]] = [{name: []} for name in providers]
            found["security"] = security if endpoint.guard.mode == "required" else [{}, *security]
        return found

    # -- parameters ------------------------------------------------------------------------------------------------

    def _parameters(self, endpoint: Endpoint) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for place in ("path", "query", "header", "cookie"):
            found.extend(self._parameter(place, field) for field in getattr(endpoint.inputs, place))
        if isinstance(endpoint.action, ListRows):
            found.extend(self._listing(endpoint.action))
        if isinstance(endpoint.action, GetRow) and self._expands(endpoint):
            found.append(self._expand(endpoint.action.entity))
        if endpoint.method in ("POST", "PATCH") and not isinstance(endpoint.action, Unavailable):
            found.append(_IDEMPOTENCY_KEY)
        return found

    def _parameter(self, place: str, field: InputField) -> dict[str, Any]:
        schema = self._schemas.input(field)
        if isinstance(t.required(field.type), t.List):
            schema["minItems"] = 1
            return {"name": field.name, "in": place, "required": field.required, "schema": schema, "style": "form", "explode": False}
        if isinstance(schema.get("type"), list):
            schema["type"] = schema["type"][0]
        if "enum" in schema:
            schema["enum"] = [member for member in schema["enum"] if member is not None]
        found = {"name": field.name, "in": place, "required": field.required or place == "path", "schema": schema}
        if field.description:
            found["description"] = field.description
        return found

    def _listing(self, action: ListRows) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": action.max_page_size, "default": action.page_size}
        known: list[tuple[str, Schema, str]] = [
            ("limit", limit, "rows of a page"),
            ("page", {"type": "integer", "minimum": 1, "maximum": 999_999_999, "default": 1}, "number of the page"),
            (
                "cursor",
                {"type": "string", "pattern": "^[A-Za-z0-9_-]*$"},
                "place of the page instead of its number, from next_cursor or prev_cursor; empty for the first",
            ),
            (
                "q",
                {"type": "string", "maxLength": 2000, "pattern": STORABLE, "examples": ["id is not null"]},
                "a condition in the query language, or a simple filter",
            ),
            ("total", {"type": "string", "enum": ["exact", "estimated"]}, "count all rows"),
        ]
        if relations := self._relations(action.entity):
            known.append(("expand", self._names(relations), _EXPAND))
        if action.sort_by:
            known.append(("sort", self._names(action.sort_by, "-?"), f"one or more of {', '.join(action.sort_by)}, with - for descending"))
        if action.search:
            known.append(("search", {"type": "string", "pattern": STORABLE}, "words to look for"))
        declared = {parameter.parameter for parameter in action.parameters}
        return [
            {"name": name, "in": "query", "required": False, "schema": schema, "description": text}
            for name, schema, text in known
            if name not in declared
        ]

    def _expands(self, endpoint: Endpoint) -> bool:
        """Whether one row is asked for, which may be shown with relations."""
        own = any(field.name == "expand" for field in endpoint.inputs.query)
        return isinstance(endpoint.action, GetRow) and bool(self._relations(endpoint.action.entity)) and not own

    def _expand(self, entity: str) -> dict[str, Any]:
        schema = self._names(self._relations(entity))
        return {"name": "expand", "in": "query", "required": False, "schema": schema, "description": _EXPAND}

    def _relations(self, entity: str) -> tuple[str, ...]:
        return tuple(relation.name for relation in self._application.entity(entity).relations)

    def _names(self, names: tuple[str, ...], sign: str = "") -> Schema:
        """One or more of the names, separated by commas."""
        one = f"{sign}(?:{'|'.join(names)})"
        return {"type": "string", "pattern": f"^{one}(?:,{one}){{0,2}}$"}

    # -- answers ---------------------------------------------------------------------------------------------------

    def _responses(self, endpoint: Endpoint) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for status, schema, media in self._successes(endpoint):
            answer: dict[str, Any] = {"description": title(status) if status >= 300 else "done"}
            if schema is not None:
                answer["content"] = {media: {"schema": schema}}
            found[str(status)] = answer
        declared = {error.status: error.message for error in endpoint.errors}
        limited = {429} if endpoint.rate_limit is not None or self._limiting & set(endpoint.middleware) else set()
        for status in sorted(_failures(endpoint, expands=self._expands(endpoint)) | limited | set(declared)):
            description = declared.get(status, title(status))
            found[str(status)] = {
                "description": description,
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
        return found

    def _successes(self, endpoint: Endpoint) -> list[tuple[int, Schema | None, str]]:
        returns = endpoint.returns
        media = returns.media_type or "application/json"
        schema = self._schemas.of(returns.type) if returns.type is not None else None
        if isinstance(endpoint.action, Unavailable):
            return []
        if isinstance(endpoint.action, DeleteOne):
            return [(204, None, media)]
        if isinstance(endpoint.action, RunBlock):
            return self._block_successes(endpoint, endpoint.action, schema, media)
        found: list[tuple[int, Schema | None, str]] = [(returns.status or 200, schema, media)]
        if isinstance(endpoint.action, GetRow):
            found.append((304, None, media))
        return found

    def _block_successes(
        self, endpoint: Endpoint, action: RunBlock, schema: Schema | None, media: str
    ) -> list[tuple[int, Schema | None, str]]:
        statuses = {node.status for node in _nodes(action.body) if type(node).__name__ == "Return" and node.status}
        redirects = any(type(node).__name__ == "Return" and node.redirect for node in _nodes(action.body))
        found: list[tuple[int, Schema | None, str]] = []
        default = endpoint.returns.status or (200 if schema is not None else 204)
        for status in sorted(statuses | {default}):
            found.append((status, None if status == 204 else schema, media))
        if redirects:
            found.append((303, None, media))
        type_ = t.required(endpoint.returns.type) if endpoint.returns.type is not None else None
        if endpoint.method == "GET" and isinstance(type_, t.Row):
            found.append((304, None, media))
        return found


def _form_schema(schema: Schema) -> Schema:
    """The schema of the same body as a form: files are the bytes themselves."""

    def plain(part: Any) -> Any:
        if isinstance(part, dict) and "contentEncoding" in part:
            return {"type": "string", "contentMediaType": "application/octet-stream"}
        if isinstance(part, dict):
            return {name: plain(value) for name, value in part.items()}
        return part

    found: Schema = plain(schema)
    return found


def _scheme(method: str, provider: Any) -> dict[str, Any]:
    if method == "api_key":
        from codeai.model.expression import Constant

        header = next(
            (entry.value.value for entry in provider.settings if entry.name == "header" and isinstance(entry.value, Constant)), "X-API-Key"
        )
        return {"type": "apiKey", "in": "header", "name": header}
    if method == "basic":
        return {"type": "http", "scheme": "basic"}
    return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


def _nodes(value: Any) -> Any:
    """All statements and expressions below a value."""
    if isinstance(value, tuple):
        for item in value:
            yield from _nodes(item)
    elif isinstance(value, Statement | Expression | Failure) or type(value).__name__ in ("Branch", "Entry"):
        yield value
        for name in value.__struct_fields__:
            if name not in ("type", "at"):
                yield from _nodes(getattr(value, name))


def _named_as(template: str, own: str, operation: dict[str, Any]) -> dict[str, Any]:
    """An operation with the names of the first template of its form: those that differ in names alone are one path (OpenAPI 3.1)."""
    names = dict(zip(_NAMED.findall(own), _NAMED.findall(template), strict=True))
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            parameter["name"] = names[f"{{{parameter['name']}}}"][1:-1]
    return operation


def _failures(endpoint: Endpoint, *, expands: bool) -> set[int]:
    """The statuses that an endpoint may answer when something is wrong; ``expands``: it shows relations."""
    found = {400, 406, 414, 431, 500, 503, 504}
    inputs, action = endpoint.inputs, endpoint.action
    if endpoint.guard.mode != "public":
        found |= {401, 400}
    if endpoint.guard.roles or endpoint.guard.permissions:
        found.add(403)
    if inputs.body is not None:
        found |= {408, 413, 415, 422}
    if endpoint.method in ("POST", "PATCH"):
        found |= {409, 422}
    if inputs.query or inputs.closed_query or inputs.header or inputs.cookie or expands:
        found.add(422)
    if inputs.path or isinstance(action, ListRows):
        found.add(404)
    if isinstance(action, CreateOne):
        found |= {403, 409, 422}
    elif isinstance(action, ModifyRow | ReplaceRow | DeleteOne):
        found |= {403, 404, 409, 412, 422}
    elif isinstance(action, GetRow):
        found.add(412)
    elif isinstance(action, Unavailable):
        found.add(501)
    elif isinstance(action, RunBlock):
        found |= _block_failures(action)
    return found


def _block_failures(action: RunBlock) -> set[int]:
    found: set[int] = {422}
    for node in _nodes(action.body):
        if isinstance(node, Failure):
            found.add(node.status)
        elif isinstance(node, Selection) and node.kind == "get":
            found.add(404)
        elif isinstance(node, CreateRow | UpdateRows | DeleteRows | RemoveRow) or type(node).__name__ == "ChangeRow":
            found |= {403, 404, 409}
        elif isinstance(node, CallOperation):
            found.add(502)
        elif isinstance(node, Fail):
            found.add(node.failure.status)
    return found
