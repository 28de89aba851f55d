"""Simple filters (language page, section 4): ``status:open price:>100 "exact phrase" -archived tag:a,b``.

A filter becomes the tree of the condition that it means, so that names and types are checked where all others are. Parts are
joined by *and*; a leading ``-`` negates one; words without a name are looked for in the searchable fields. Such a word is made of letters
and digits, or quoted: ``price <`` is half of a condition, and no search for two words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from codeai.analysis.symbols import EntitySymbol
from codeai.language import types as t
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier
from codeai.query.errors import CompilerError
from codeai.query.values import is_text

_PART: Final = re.compile(
    r"\s*(?P<minus>-)?(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*):(?P<operator>>=|<=|>|<)?)?"
    r"(?P<values>(?:\"[^\"]*\"|[^\s\",:]+)(?:,(?:\"[^\"]*\"|[^\s\",:]+))*)(?=\s|\Z)"
)
_WORDS: Final = re.compile(r"(?:\"[^\"]*\"|[\w.'+-]+)(?:,(?:\"[^\"]*\"|[\w.'+-]+))*")  # what has other signs in it is quoted
_VALUE: Final = re.compile(r"\"([^\"]*)\"|([^\s\",]+)")
_INTEGER: Final = re.compile(r"-?[0-9]{1,19}\Z")
_DECIMAL: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")


def simple_filter(text: str, entity: EntitySymbol) -> ex.Expression | None:
    """The condition that a simple filter means, or None when the text is none."""
    parts: list[ex.Expression] = []
    at = 0
    while at < len(text) and text[at:].strip():
        found = _PART.match(text, at)
        if found is None or (found["name"] is None and not _WORDS.fullmatch(found["values"])):
            return None
        condition = _condition(found, entity)
        parts.append(ex.Unary(at, found.end(), "not", condition) if found["minus"] else condition)
        at = found.end()
    if not parts:
        return None
    whole = parts[0]
    for part in parts[1:]:
        whole = ex.Binary(whole.start, part.end, "and", whole, part)
    return whole


def _condition(found: re.Match[str], entity: EntitySymbol) -> ex.Expression:
    start, end = found.span()
    values = [match[1] if match[1] is not None else match[2] for match in _VALUE.finditer(found["values"])]
    if found["name"] is None:
        field = entity.fields.get(values[0])
        if len(values) == 1 and field is not None and isinstance(field.type, t.Bool) and not found["values"].startswith('"'):
            return ex.Name(start, end, values[0])
        return _words(",".join(values), entity, start, end)
    names = found["name"].split(".")
    target: ex.Expression = ex.Name(start, end, names[0])
    for name in names[1:]:
        target = ex.Member(start, end, target, Identifier(start, end, name))
    type_ = _type(names, entity)
    if found["operator"]:
        return ex.Binary(start, end, found["operator"], target, _literal(values[0], type_, start, end))
    if isinstance(type_, t.List):
        items = [ex.Binary(start, end, "contains", target, _literal(value, t.required(type_.item), start, end)) for value in values]
        return _any(items)
    if len(values) == 1:
        return ex.Binary(start, end, "==", target, _literal(values[0], type_, start, end))
    return _any([ex.Binary(start, end, "==", target, _literal(value, type_, start, end)) for value in values])


def _any(parts: Sequence[ex.Expression]) -> ex.Expression:
    found = parts[0]
    for part in parts[1:]:
        found = ex.Binary(found.start, part.end, "or", found, part)
    return found


def _type(names: list[str], entity: EntitySymbol) -> t.Type:
    field = entity.fields.get(names[0]) if len(names) == 1 else None
    return field.type if field is not None else t.Unknown()


def _literal(text: str, type_: t.Type, start: int, end: int) -> ex.Expression:
    """The literal of a text for a field of that type; a text that does not fit stays one, and the checker says so."""
    if text == "null":
        return ex.NullLiteral(start, end)
    if isinstance(type_, t.Bool) and text in ("true", "false"):
        return ex.BooleanLiteral(start, end, text == "true")
    number: ex.Expression | None = None
    if is_text(type_) or isinstance(type_, t.Uuid | t.Date | t.Timestamp | t.Time | t.Ref):
        return ex.StringLiteral(start, end, text)
    if _INTEGER.match(text):
        number = ex.IntLiteral(start, end, int(text.lstrip("-")))
    elif _DECIMAL.match(text):
        number = ex.DecimalLiteral(start, end, text.lstrip("-"))
    if number is None:
        return ex.StringLiteral(start, end, text)
    return ex.Unary(start, end, "-", number) if text.startswith("-") else number


def _words(text: str, entity: EntitySymbol, start: int, end: int) -> ex.Expression:
    """A phrase in one of the searchable fields, whatever its letter case."""
    names = [field.name for field in entity.fields.values() if field.searchable]
    if not names:
        raise CompilerError(f"'{entity.name}' has no searchable fields", hint="write name:value", at=start)

    def lower(value: ex.Expression) -> ex.Expression:
        return ex.Call(start, end, ex.Name(start, end, "lower"), (ex.Argument(start, end, None, value),))

    wanted = ex.StringLiteral(start, end, text.lower())
    return _any([ex.Binary(start, end, "contains", lower(ex.Name(start, end, name)), wanted) for name in names])
