"""From the arguments of a call to the request that is sent: path, query, headers, body, all checked before anything leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec

from codeai.evaluate.operations import text, to_json
from codeai.model.endpoint import InputField
from codeai.model.integration import Operation
from codeai.model.record_rules import RecordRules
from codeai.model.validation import InvalidFields, check_of

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_PARAMETER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
KEY: Final = "idempotency_key"
Headers = tuple[tuple[str, str], ...]
# Values of headers, over the arguments of the call.
HeaderValues = Callable[[Mapping[str, Any]], Headers]
Default = Callable[[InputField], Any]


class Prepared(msgspec.Struct, frozen=True):
    """A request without authentication; ``target`` is path and query."""

    method: str
    target: str
    headers: Headers
    body: bytes | None


class RequestWriter:
    """Writes the requests of one operation.

    :param headers: the headers of integration and operation for the arguments of a call
    :param default: the value of a body field that was not given
    :param graphql: arguments become the variables of the operation's document
    :param records: the rules of record types
    """

    def __init__(self, model: Operation, headers: HeaderValues, default: Default, *, graphql: bool, records: RecordRules) -> None:
        self._model = model
        self._headers = headers
        self._default = default
        self._graphql = graphql
        self._parts = _PARAMETER.split(model.path)
        fields = model.body.fields if model.body is not None else ()
        self._fields = fields
        self._checks = {field.name: check_of(field.type, field.constraints) for field in fields}
        self._within = {field.name: look for field in fields if (look := records.of(field.type)) is not None}
        self._placed = {*self._parts[1::2], *model.query, KEY}

    def write(self, arguments: Mapping[str, Any]) -> Prepared:
        """The request of a call.

        :raises InvalidFields: arguments that cannot be sent
        """
        headers = self._headers(arguments)
        wrong = tuple((name, "bad_header", "must be printable") for name, value in headers if not sendable(value))
        if wrong:
            raise InvalidFields(wrong)
        return Prepared(self._model.method, self._path(arguments) + self._query(arguments), headers, self._body(arguments))

    def _path(self, arguments: Mapping[str, Any]) -> str:
        written: list[str] = []
        for at, part in enumerate(self._parts):
            if at % 2 == 0:
                written.append(part)
                continue
            value = text(arguments.get(part))
            # An empty or dotted segment would lead to another resource than the one that the program names.
            if value in ("", ".", ".."):
                raise InvalidFields(((part, "bad_path", "must not be empty, '.' or '..'"),))
            written.append(quote(value, safe=""))
        path = "".join(written)
        return path if path.startswith("/") or not path else f"/{path}"

    def _query(self, arguments: Mapping[str, Any]) -> str:
        pairs: list[tuple[str, str]] = []
        for name in self._model.query:
            value = arguments.get(name)
            values = value if isinstance(value, list | tuple) else [value]
            pairs.extend((name, text(item)) for item in values if item is not None)
        return "?" + urlencode(pairs) if pairs else ""

    def _body(self, arguments: Mapping[str, Any]) -> bytes | None:
        if self._graphql:
            return _ENCODER.encode({"query": self._model.document, "variables": to_json(self._values(arguments))})
        shape = self._model.body
        if shape is None:
            return None
        open_ = {name: value for name, value in arguments.items() if name not in self._placed}
        return _ENCODER.encode(to_json(open_ if shape.open or shape.many else self._values(arguments)))

    def _values(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of the body; those that are neither given nor defaulted stay away."""
        found: dict[str, Any] = {}
        wrong: list[tuple[str, str, str]] = []
        for field in self._fields:
            name = field.name
            if name in arguments:
                found[name] = arguments[name]
            elif field.default is not None:
                found[name] = self._default(field)
            else:
                continue
            value = found[name]
            problem = self._checks[name](value) if value is not None else None
            if value is None and (field.required or field.default is not None) and not field.nullable:
                problem = ("required", "must have a value")
            if problem is not None:
                wrong.append((name, *problem))
            elif name in self._within:
                wrong.extend((name + path, code, said) for path, code, said in self._within[name](value))
        if wrong:
            raise InvalidFields(tuple(wrong))
        return found


def sendable(value: str) -> bool:
    """Whether a header can carry a text (RFC 9110, section 5.5), so that none can end a line."""
    return all(" " <= character <= "~" or "\xa0" <= character <= "\xff" or character == "\t" for character in value)
