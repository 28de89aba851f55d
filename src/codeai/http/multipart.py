"""Uploads: bodies of ``multipart/form-data`` (RFC 7578) as the document that the same body in JSON would be.

Files become base64 text and the other parts JSON values of their field's type, so that one decoder checks both kinds of body.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any, Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from codeai.http.problems import Problem
from codeai.language import types as t
from codeai.model.endpoint import Shape

_MOST_PARTS: Final = 200
_ROOM: Final = 65_536
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PLAIN: Final = (t.String, t.Text, t.Email, t.Url, t.Uuid, t.Enum, t.Timestamp, t.Date, t.Time, t.Duration)


def is_form(content_type: bytes | None) -> bool:
    """Whether a ``Content-Type`` says form data."""
    return content_type is not None and content_type.partition(b";")[0].strip().lower() == b"multipart/form-data"


def limit_of(shape: Shape, otherwise: int) -> int:
    """The most bytes of a form: what its files may have together, with room for the rest; the general limit where one has none.

    A file in a JSON body is base64 text, which is longer by a third: that fits, too.
    """
    files = [field for field in shape.fields if isinstance(t.required(field.type), t.Bytes)]
    limits = [field.constraints.maximum for field in files]
    if not limits or None in limits:
        return otherwise
    return max(otherwise, sum(int(str(limit)) for limit in limits) * 4 // 3 + _ROOM)


class FormReader:
    """Reads the forms of one shape.

    :param key_of: the type of an entity's key
    """

    def __init__(self, shape: Shape, key_of: Callable[[str], t.Type]) -> None:
        self._key_of = key_of
        self._fields = {field.name: (t.required(field.type), field.nullable) for field in shape.fields}

    def document(self, body: bytes, content_type: bytes) -> bytes:
        """The form as JSON.

        :raises Problem: 400 when it is malformed, cut off, or has a part twice that there is once
        """
        parts: dict[str, list[bytes]] = {}
        for name, data in _parts(body, content_type):
            parts.setdefault(name, []).append(data)
        found: list[str] = []
        for name, items in parts.items():
            type_, nullable = self._fields.get(name, (t.Text(), False))
            found.append(f"{json.dumps(name)}: {self._value(name, items, type_, nullable)}")
        return ("{" + ", ".join(found) + "}").encode()

    def _value(self, name: str, items: list[bytes], type_: t.Type, nullable: bool) -> str:
        if isinstance(type_, t.List):
            item = t.required(type_.item)
            whole = len(items) == 1 and items[0].lstrip()[:1] == b"[" and not isinstance(item, t.Bytes)
            return _json(items[0]) if whole else "[" + ", ".join(self._one(data, item, False) for data in items) + "]"
        if len(items) > 1:
            raise Problem(400, f"'{name}' stands twice in the form", "duplicate_key")
        return self._one(items[0], type_, nullable)

    def _one(self, data: bytes, type_: t.Type, nullable: bool) -> str:
        if isinstance(type_, t.Ref | t.Row):
            type_ = t.required(self._key_of(type_.entity))
        if isinstance(type_, t.Bytes):
            return f'"{base64.b64encode(data).decode()}"'
        if isinstance(type_, _PLAIN):
            return json.dumps(_text(data))
        if nullable and not data:
            return "null"
        if isinstance(type_, t.Int | t.Float | t.Decimal | t.Bool):
            text = _text(data)
            return text if _NUMBER.fullmatch(text) or text in ("true", "false") else json.dumps(text)
        return _json(data)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Problem(400, "a text of the form is not UTF-8", "malformed_form") from None


def _json(data: bytes) -> str:
    """A structured value: JSON text, which the decoder of the whole document checks; any other text is a string."""
    text = _text(data)
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return json.dumps(text)
    return text


class _Collector:
    """Takes the parser's events."""

    def __init__(self) -> None:
        self.found: list[tuple[str, bytes]] = []
        self.ended = False
        self._field, self._header = b"", b""
        self._headers: dict[bytes, bytes] = {}
        self._data: list[bytes] = []

    def callbacks(self) -> Any:
        """What the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_part_data": lambda data, start, end: self._data.append(data[start:end]),
            "on_part_end": self._end_part,
            "on_header_field": lambda data, start, end: self._named(data[start:end]),
            "on_header_value": lambda data, start, end: self._valued(data[start:end]),
            "on_header_end": self._end_header,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._headers, self._data = {}, []
        if len(self.found) >= _MOST_PARTS:
            raise FormParserError(f"more than {_MOST_PARTS} parts")

    def _named(self, data: bytes) -> None:
        self._field += data

    def _valued(self, data: bytes) -> None:
        self._header += data

    def _end_header(self) -> None:
        self._headers[self._field.lower()] = self._header
        self._field, self._header = b"", b""

    def _end_part(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition"))
        if kind != b"form-data" or b"name" not in options:
            raise FormParserError("a part has no name")
        self.found.append((_text(options[b"name"]), b"".join(self._data)))

    def _end(self) -> None:
        self.ended = True


def _parts(body: bytes, content_type: bytes) -> list[tuple[str, bytes]]:
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not 0 < len(boundary) <= 70:
        raise Problem(400, "the form has no boundary (RFC 2046, section 5.1.1)", "malformed_form")
    collector = _Collector()
    try:
        parser = MultipartParser(boundary, collector.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise Problem(400, f"the form is malformed: {str(error)[:200]}", "malformed_form") from None
    if not collector.ended:
        raise Problem(400, "the form is cut off", "malformed_form")
    return collector.found
