"""Literals: numbers, durations, sizes, and strings with their escapes and interpolations."""

from __future__ import annotations

import re
import textwrap
from typing import Final, Self

from codeai.language.diagnostics import Diagnostic, DiagnosticClass, Edit, Severity, Span
from codeai.language.durations import UNITS, duration_milliseconds, intended
from codeai.language.lexer import (
    BROKEN,
    DECIMAL,
    DURATION,
    INTEGER,
    NAME,
    RAW,
    SIZE,
    STRING,
    Tokens,
    begins_interpolation,
    interpolation_end,
    is_dotted,
    tokenize,
)
from codeai.language.parser.cursor import Cursor
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier

_SIZES: Final = {"b": 1, "kb": 1024, "mb": 1024**2, "gb": 1024**3}
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'", "{": "{", "}": "}"}


_NAMED: Final = re.compile(r"(\{[A-Za-z_][\w.]*\})")
_SIGNED: Final = re.compile(r"(?<!\\)[$#](\{[A-Za-z_][^{}]*\})|\{(\{[A-Za-z_][^{}]*\})\}")
_NUMBERS: Final = frozenset([INTEGER, DECIMAL, DURATION, SIZE])
_LONGEST_NUMBER: Final = 60


class Literals(Cursor):
    """Parses tokens that are values by themselves."""

    def expression(self, power: int = 0) -> ex.Expression:
        """Parses an expression (see ``Expressions``)."""
        raise NotImplementedError

    def literal(self) -> ex.Expression | None:
        """The literal at the current token, or None."""
        kind = self.kinds[self.i]
        start, end, text = self.starts[self.i], self.ends[self.i], self.texts[self.i]
        if kind in _NUMBERS and len(text) > _LONGEST_NUMBER:
            self.fail_expected(f"a number of at most {_LONGEST_NUMBER} characters")
        if kind == INTEGER:
            self.i += 1
            whole = ex.IntLiteral(start, end, int(text.replace("_", "")))
            return self.counted(whole) if self.texts[self.i] in UNITS else whole
        if kind == DECIMAL:
            self.i += 1
            return ex.DecimalLiteral(start, end, text.replace("_", ""))
        if kind == STRING:
            self.i += 1
            return self._string(start, end, text)
        if kind == RAW:
            self.i += 1
            return ex.StringLiteral(start, end, _dedent(text[3:-3]))
        if kind == DURATION:
            milliseconds = duration_milliseconds(text)
            if milliseconds is None:
                self.fail_expected("a duration of at most 10000 years")
            self.i += 1
            return ex.DurationLiteral(start, end, milliseconds)
        if kind == SIZE:
            self.i += 1
            number = text.rstrip("kmgbKMGB")
            return ex.SizeLiteral(start, end, int(number) * _SIZES[text[len(number) :].lower()])
        if kind == BROKEN:
            self.i += 1
            return ex.Missing(start, end)
        return None

    def counted(self, number: ex.IntLiteral) -> ex.Expression:
        """A number with a unit behind it, as in ``5 minutes``: reported with the way to write it, and taken for that."""
        if not self.at(NAME) or self.breaks[self.i] or self.kind_at(1) in (":", "{"):
            return number
        meant = intended(f"{number.value} {self.texts[self.i]}")
        if meant is None:
            return number
        end = self.ends[self.i]
        said = f"expected a duration, got '{number.value} {self.texts[self.i]}'"
        edits = (Edit(number.start, end, meant, True),)
        self.report(said, "CAI0010", number.start, end, help_text=f"did you mean '{meant}'?", expected=("a duration",), edits=edits)
        self.i += 1
        return ex.DurationLiteral(number.start, end, duration_milliseconds(meant) or 0)

    def quoted_names(self, wanted: str) -> tuple[Identifier, ...]:
        """The names, with dots between them, that a string holds."""
        start, end = self.start, self.ends[self.i]
        text = self.text_literal(wanted)
        if not is_dotted(text):
            self.fail(f"expected {wanted}, got '{text[:40]}'", "CAI0010", start, end, expected=(wanted,))
        return tuple(Identifier(start, end, part) for part in text.split("."))

    def text_literal(self, wanted: str = "string", *, pattern: bool = False) -> str:
        """Takes a string in which braces mean nothing (paths, patterns, texts of errors).

        :param pattern: keep unknown escapes, since they belong to the regular expression
        """
        kind = self.kinds[self.i]
        if kind == BROKEN:
            self.i += 1
            return self.texts[self.i - 1][1:]
        if kind not in (STRING, RAW):
            self.fail_expected(wanted)
        text, start = self.texts[self.i], self.starts[self.i]
        self.i += 1
        if kind == RAW:
            return _dedent(text[3:-3])
        return self._unescape(text[1:-1], start + 1, pattern=pattern)

    def _string(self, start: int, end: int, text: str) -> ex.Expression:
        inner = text[1:-1]
        if "{" in inner and self.error_class is DiagnosticClass.SYNTAX:
            self._left_over(start, text)
        if text[0] == "'" or "{" not in inner:
            value = inner if "\\" not in inner else self._unescape(inner, start + 1)
            return ex.StringLiteral(start, end, value)
        return self._interpolation(start, end, text)

    def _interpolation(self, start: int, end: int, text: str) -> ex.Expression:
        parts: list[ex.Expression] = []
        stop = len(text) - 1
        at = begin = 1
        while at < stop:
            character = text[at]
            if character == "\\":
                at += 2
                continue
            closing = interpolation_end(text, at, stop) if character == "{" and begins_interpolation(text, at) else -1
            if closing < 0:
                at += 1
                continue
            if at > begin:
                _join(parts, self._piece(start, begin, at, text))
            value = self._embedded(start + at + 1, start + closing - 1)
            _join(parts, ex.StringLiteral(start + at, start + closing, value.value) if isinstance(value, ex.StringLiteral) else value)
            at = begin = closing
        if stop > begin:
            _join(parts, self._piece(start, begin, stop, text))
        if all(isinstance(part, ex.StringLiteral) for part in parts):
            return ex.StringLiteral(start, end, "".join(part.value for part in parts if isinstance(part, ex.StringLiteral)))
        return ex.Interpolation(start, end, tuple(parts))

    def _left_over(self, start: int, text: str) -> None:
        """Hints at signs of other languages around what is put in, which stay in the text: ``"${name}"``, ``"{{name}}"``, ``'{name}'``."""
        found = (_NAMED if text[0] == "'" else _SIGNED).search(text)
        if found is None or self.file.text.startswith("`", start - self.file.base):
            return
        written, named = found[0], next(filter(None, found.groups()))
        said = f"'{written}' stays in the text as it is" if text[0] == "'" else f"of '{written}' only '{named}' is put in, the rest stays"
        place = (start + found.start(), start + found.end())
        edits = (Edit(*place, named, safe=False),) if text[0] != "'" else ()
        help_text = f"in double quotes, '{named}' is put in" if text[0] == "'" else f"write '{named}', unless the rest is meant"
        self.diagnostics.append(
            Diagnostic("CAI0038", DiagnosticClass.SEMANTIC, said, Span(*place), Severity.HINT, help=help_text, edits=edits)
        )

    def _piece(self, start: int, begin: int, stop: int, text: str) -> ex.StringLiteral:
        value = self._unescape(text[begin:stop], start + begin)
        return ex.StringLiteral(start + begin, start + stop, value)

    def _embedded(self, start: int, end: int) -> ex.Expression:
        """Parses the expression between the braces of a string."""
        base = self.file.base
        tokens = tokenize(self.file.text, base, start - base, end - base, error=self.lexer_class)
        self.diagnostics.extend(tokens.diagnostics)
        inner = self.within(tokens)
        if inner.kinds.count("{") > inner.kinds.count("}"):
            said, advice = "a map within braces of a text stands in parentheses", "as in \"{({ a: 1 }).a}\", or name it before, with 'let'"
            self.fail(said, "CAI0010", start - 1, end + 1, help_text=advice)
        value = inner.expression()
        if inner.kinds[inner.i] != "end":
            inner.fail_expected("'}'")
        return value

    def within(self, tokens: Tokens) -> Self:
        """A parser of tokens that stand inside of a string, which reports to this one."""
        inner = type(self)(self.file, tokens)
        inner.error_class = self.error_class
        inner.nesting = self.nesting + 1
        inner.depth = 1
        inner.diagnostics = self.diagnostics
        inner.known, inner.host = self.known, self.host
        return inner

    def _unescape(self, text: str, start: int, *, pattern: bool = False) -> str:
        value, unknown = unescaped(text)
        for at in () if pattern else unknown:
            edits = (Edit(start + at, start + at + 1, "\\\\"),)
            place = (start + at, start + at + 2)
            self.report(f"unknown escape '{text[at : at + 2]}'", "CAI0004", *place, help_text="write \\\\ for a backslash", edits=edits)
        return value


def unescaped(text: str) -> tuple[str, list[int]]:
    """The value of what stands between quotes, and the places of its unknown escapes, which stay as they are."""
    if "\\" not in text:
        return text, []
    out: list[str] = []
    unknown: list[int] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character != "\\":
            out.append(character)
            at += 1
            continue
        escape = text[at + 1 : at + 2]
        if escape == "u" and re.fullmatch(r"[0-9A-Fa-f]{4}", text[at + 2 : at + 6]):
            out.append(chr(int(text[at + 2 : at + 6], 16)))
            at += 6
            continue
        if escape in _ESCAPES and escape:
            out.append(_ESCAPES[escape])
        else:
            out.append("\\" + escape)
            unknown.append(at)
        at += 2
    return "".join(out).encode("utf-16", "surrogatepass").decode("utf-16", "replace"), unknown


def text_value(literal: str) -> str | None:
    """What a string literal says where braces mean nothing; None when the text is no such literal."""
    if literal.startswith('"""'):
        return _dedent(literal[3:-3])
    return unescaped(literal[1:-1])[0] if literal[:1] in ("'", '"') and literal else None


def _join(parts: list[ex.Expression], part: ex.Expression) -> None:
    """Adds a part of an interpolation; texts beside each other are one."""
    last = parts[-1] if parts else None
    if isinstance(last, ex.StringLiteral) and isinstance(part, ex.StringLiteral):
        parts[-1] = ex.StringLiteral(last.start, part.end, last.value + part.value)
    else:
        parts.append(part)


def _dedent(text: str) -> str:
    lines = text.split("\n", 1)
    if len(lines) == 2 and not lines[0].strip():
        text = lines[1]
    return textwrap.dedent(text.rstrip(" \t")).removesuffix("\n") if "\n" in text else text
