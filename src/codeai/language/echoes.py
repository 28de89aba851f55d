"""One mistake, one finding: what other findings of a broken text merely follow from the first one.

Where a text does not parse, its tree lacks something, and complaints about what is lacking are echoes: names that the broken
declaration would have declared, and the meaning of the broken clause or statement.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from codeai.language.diagnostics import Diagnostic, DiagnosticClass, Severity
from codeai.language.repetitions import UNKNOWN, meant_by, without_repetitions
from codeai.language.source import SourceFile, Sources

_WORD: Final = re.compile(r"(?<![0-9A-Za-z_])[A-Za-z_][A-Za-z0-9_]*|(?<=[0-9])[A-Za-z_][A-Za-z0-9_]+")
# What a finding says about the insides of a declaration.
_OWNER: Final = re.compile(r"(?:on entity|to create) '(\w+)'|\bin (\w+)(?: input)?$")
_QUOTED: Final = re.compile(r"'([^']*)'")
_STRUCTURE: Final = ("CAI0002", "CAI0003", "CAI0010", "CAI0011", "CAI0014", "CAI0025", "CAI0026")  # behind these the tree lacks much
_DECLARED: Final = re.compile(r"^[a-z]+ (\w+)|\b(\w+)(?=\s*[:{])|\b(?:let|var|for|operation|function) (\w+)")
_VARIABLES: Final = re.compile(r"\b(\w+)(?=\s*\{)|\b(?:let|var|for) (\w+)|^\s*(\w+) = |\bas:? (\w+)", re.MULTILINE)
# What a line of statements or clauses names: variables, steps, keys, and what follows 'as'.
_NAMING: Final = re.compile(r"\s*(?:(?:let|var|const|val)\s+[^=]*|[\w-]+(?: [\w-]+)? \{|\w+)|\bas\W+\w+|\w+\s*[:{]|:\s*\w+")
_OUTPUT: Final = re.compile(r"\bas\W+\w+")
_FIELDS: Final = re.compile(r"\b(?:body|path|query|header|cookie|input|payload|schema|returns)\b")
# Declarations whose insides are names that others use.
_DECLARING: Final = frozenset(
    (
        *("entity", "model", "type", "enum", "event", "config", "database", "collection", "role", "auth", "middleware", "integration"),
        "webhook",
    )
)
_ANSWERING: Final = ("endpoint", "resource")
_UNANSWERED: Final = "CAI0519"
# Declarations without a name, and the codes of what is missed then.
_NAMELESS: Final = re.compile(r"(\w+)\s*\{")
_MISSED: Final = {
    **dict.fromkeys(("entity", "model"), ("CAI0104", "CAI0105", "CAI0201", "CAI0519", "CAI0034", "CAI0501", "CAI0603")),
    **dict.fromkeys(("type", "enum"), ("CAI0201", "CAI0307", "CAI0101")),
    **dict.fromkeys(("workflow", "job"), ("CAI0124",)),
    "event": ("CAI0120",),
    "middleware": ("CAI0128",),
    "webhook": ("CAI0129",),
    "role": ("CAI0109",),
    "auth": ("CAI0116",),
    "integration": ("CAI0121", "CAI0122"),
    "function": ("CAI0110",),
}
_KEYWORDS: Final = (
    *_DECLARING,
    *("endpoint", "resource", "function", "extern", "workflow", "job", "on", "test", "seed", "import"),
)
_TYPED: Final = ("entity", "model", "type", "event", "database", "collection")
_OPEN: Final = ("CAI0033", "CAI0034", "CAI0036", "CAI0113", "CAI0120", "CAI0501", "CAI0603")  # about what names no declared type
# What is said of values of which the broken part has the type.
_UNTYPED: Final = ("'from' needs a record", "a payload is a record", "type 'null' has", "type 'array' has", "'delete' needs")
_EVENT: Final = re.compile(r"\bevent\s+[\"']?([\w.]+)")
_UNNAMED: Final = re.compile(r"\s*(?:let|var)\s+(?:=|null\b|true\b|false\b)")
_UNDEFINED: Final = "CAI0101"
_STEPS: Final = ("malformed step 'paginate'", "nothing says of which")  # of which an earlier step says what they work with
_OPEN_NAMES: Final = ("CAI0033", "CAI0036")
_UNTERMINATED: Final = "CAI0002"
_MENDED: Final = ("CAI0010", "CAI0037")  # with an edit, the parser has gone on as if it were made
_OF_PARSER: Final = "CAI0010"  # the first code that is not of the lexer
# What a declaration lacks, and may have where it is broken.
_LACKING: Final = ("CAI0209", "CAI0306", "CAI0325", "CAI0330", "CAI0602", "CAI0604", "CAI0605")
_OF_DECLARATION: Final = ("CAI0036", "CAI0106", "CAI0506")  # of what a broken clause may have declared or returned
_OF_WHOLE: Final = re.compile(r"belongs to a schedule|\bjson\b")  # which another clause of the declaration would have changed
_OWN: Final = re.compile(r"\binput\b|of the request|in record")
_UNKNOWN_OPERATION: Final = "CAI0122"
_NO_DECLARATION: Final = "CAI0014"
_OF_NAMES: Final = UNKNOWN | {"CAI0204"}
_ITEMS: Final = re.compile(r"(?<=\S)\s{2,}(?=\S)")  # between items of one line


class _Broken(msgspec.Struct):
    """A declaration with an error of the text: its place, its first word and its name."""

    start: int
    end: int
    word: str
    name: str


def without_echoes(syntax: Sequence[Diagnostic], semantic: Sequence[Diagnostic], sources: Sources) -> list[Diagnostic]:
    """The findings about the meaning that stand on their own, given those about the text."""
    errors = [found for found in syntax if found.severity is Severity.ERROR]
    if not errors:
        return without_repetitions(semantic, sources)
    echoes = _Echoes(errors, sources)
    return without_repetitions([found for found in semantic if found.severity is Severity.ERROR and not echoes.is_echo(found)], sources)


class _Echoes:
    """What errors of the text leave unknown."""

    def __init__(self, errors: Sequence[Diagnostic], sources: Sources) -> None:
        self._sources = sources
        self._starts = [error.primary.start for error in errors]
        self._starts.sort()
        self._behind = _Stretches(_behind(error, sources) for error in errors)
        self._broken = [_declaration(error, sources) for error in errors]
        self._inside = _Stretches((one.start, one.end) for one in self._broken)
        self._words: set[str] = set()  # what broken declarations would have declared
        self._local: dict[int, set[str]] = {}  # and broken statements and clauses, within theirs, by its beginning
        lines = [_line_text(error, sources) for error in errors]
        for error, line, declaration in zip(errors, lines, self._broken, strict=True):
            self._declare(error, line, declaration)
        unknown = any(error.code == _NO_DECLARATION or one.word not in _KEYWORDS for error, one in zip(errors, self._broken, strict=True))
        self._missed = {code for line in lines if (head := _NAMELESS.match(line)) for code in _MISSED.get(head[1], ())}
        if unknown or any(one.word in _ANSWERING for one in self._broken):
            self._missed.add(_UNANSWERED)
        if unknown:
            self._missed.update(_OPEN)
        if any(one.word == "role" for one in self._broken):
            self._missed.add("CAI0134")
        if any(one.word == "event" and not line[:1].isspace() for one, line in zip(self._broken, lines, strict=True)):
            self._missed.update(("CAI0036", "CAI0120"))
        if any(_UNNAMED.match(line) for line in lines):
            self._missed.add(_UNDEFINED)
        self._configured = any(one.word == "config" for one in self._broken)
        self._lines = "\n".join(("", *self._words, ""))

    def _declare(self, error: Diagnostic, line: str, declaration: _Broken) -> None:
        text = line if error.code in _STRUCTURE else self._sources.text(*_item(error, self._sources))
        named = {word for part in (*_NAMING.findall(text), *_OUTPUT.findall(line)) for word in _WORD.findall(part)}
        local = self._local.setdefault(declaration.start, set())
        local |= named
        unknown = error.code == _NO_DECLARATION or declaration.word not in _KEYWORDS
        if declaration.word in _DECLARING or unknown:
            self._words.update(_WORD.findall(text))
            self._words.update(_camel(name) for name in _EVENT.findall(text))
        elif _FIELDS.search(line):
            local.update(_WORD.findall(text))
        if error.code in _STRUCTURE:
            self._words.add(declaration.name)
            inside = self._sources.text(declaration.start, declaration.end)
            if declaration.word in _DECLARING or unknown:
                self._words.update(word for match in _DECLARED.findall(inside) for word in match if word)
            else:
                local.update(word for match in _VARIABLES.findall(inside) for word in match if word)

    def is_echo(self, found: Diagnostic) -> bool:
        """Whether a finding only says what a broken text has left out."""
        at = found.primary.start
        if found.code in self._missed or self._behind.hold(at):
            return True
        lacking = found.code in _LACKING and not found.message.startswith("a cron")
        if lacking:
            start, end = _behind(found, self._sources)
            if bisect_left(self._starts, start) < bisect_left(self._starts, end):
                return True
        own = found.code in _OF_DECLARATION and (_OWN.search(found.message) or not found.message.startswith("unknown"))
        if (own or _OF_WHOLE.search(found.message)) and self._inside.hold(at):
            return True
        if found.message.startswith(_UNTYPED) and self._inside.hold(at):
            return True
        if self._configured and (found.code == "CAI0107" or "config." in _line_text(found, self._sources)):
            return True
        return found.code in _OF_NAMES and self._is_about_lost(found)

    def _is_about_lost(self, found: Diagnostic) -> bool:
        quoted = _QUOTED.findall(found.message)
        unknown = quoted[-1:] if " takes no " in found.message else quoted[: 2 if found.code == _UNKNOWN_OPERATION else 1]
        if " takes no " in found.message and self._words.intersection(quoted):
            return True
        local = self._local.get(_declaration(found, self._sources).start, set())
        meant = meant_by(found)
        if (meant in self._words or meant in local) and self._words.isdisjoint(unknown) and local.isdisjoint(unknown):
            return False
        if any(self._is_lost(word) or _is_lost(word, local) for name in unknown for word in _WORD.findall(name)):
            return True
        owner = _OWNER.search(found.message)
        return owner is not None and (owner[1] or owner[2]) in self._words

    def _is_lost(self, name: str) -> bool:
        """The same as the function, of the words of all broken declarations."""
        return name in self._words or (len(name) > 1 and (f"\n{name}" in self._lines or f"{name}\n" in self._lines))


class _Stretches:
    """Whether a place lies in one of many stretches of the text."""

    def __init__(self, stretches: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(stretches):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def hold(self, at: int) -> bool:
        """Whether one of them holds the place."""
        index = bisect_right(self._starts, at)
        return index > 0 and at < self._ends[index - 1]


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[._]", name))


def _is_lost(name: str, words: set[str]) -> bool:
    """Whether a name stands in broken text, or is stuck to another word there (``idtotal`` for ``id total``)."""
    return name in words or (len(name) > 1 and any(word.startswith(name) or word.endswith(name) for word in words))


def _declaration(error: Diagnostic, sources: Sources) -> _Broken:
    """The declaration in which an error stands: from one line that begins at the very left to the next."""
    file = sources.file_at(error.primary.start)
    begins = file.beginnings
    index = bisect_right(begins, error.primary.start)
    start = begins[index - 1] if index else file.base
    end = begins[index] if index < len(begins) else file.end + 1
    head = _WORD.findall(file.line_text(file.locate(start).line))
    return _Broken(start, end, *[*head, "", ""][:2])


def _line_text(found: Diagnostic, sources: Sources) -> str:
    file = sources.file_at(found.primary.start)
    return file.line_text(file.locate(found.primary.start).line)


def _behind(error: Diagnostic, sources: Sources) -> tuple[int, int]:
    """The clause or statement that is broken: the item of its line; where the parser has lost its place, the whole line with what stands
    deeper below it.
    """
    if error.kind is DiagnosticClass.SYNTAX and error.code not in _STRUCTURE:
        return _item(error, sources)
    file = sources.file_at(error.primary.start)
    line = file.locate(error.primary.start).line
    start = file.base + file.line_starts[line - 1]
    indent = _indent(file.line_text(line))
    last = line
    while last < len(file.line_starts) and (not file.line_text(last + 1).strip() or _indent(file.line_text(last + 1)) > indent):
        last += 1
    return start, file.base + file.line_starts[last] if last < len(file.line_starts) else file.end + 1


def _item(found: Diagnostic, sources: Sources) -> tuple[int, int]:
    """The place of the item of a line in which a finding stands; items have two spaces between them."""
    file = sources.file_at(found.primary.start)
    line = file.locate(found.primary.start).line
    begin = file.base + file.line_starts[line - 1]
    text = file.line_text(line)
    borders = [begin, *(begin + match.end() for match in _ITEMS.finditer(text)), begin + len(text) + 1]
    index = min(max(bisect_right(borders, found.primary.start), 1), len(borders) - 1)
    return borders[index - 1], borders[index]


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


def first_of_each_line(syntax: Sequence[Diagnostic], sources: Sources) -> list[Diagnostic]:
    """The findings about the text without those that follow from another one of their line: behind a string that does not end, since its
    quotes are shifted; behind one after which the parser has lost its place; and behind any in one item. Warnings wait for errors.
    """
    errors = [found for found in syntax if found.severity is Severity.ERROR]
    if not errors:
        return list(syntax)
    lost: set[tuple[int, int]] = set()
    begun: set[tuple[int, int]] = set()
    declarations: set[int] = set()
    items: set[tuple[int, int]] = set()
    kept: set[int] = set()
    for found in sorted(errors, key=lambda one: (one.code != _UNTERMINATED, one.primary.start)):
        if found.code in _MENDED and found.edits:
            kept.add(id(found))  # mended on the spot: the parser has not lost its place
            continue
        line, item = _line(found, sources), _item(found, sources)
        begin = _declaration(found, sources).start
        if found.message.startswith(_STEPS) and begin in declarations:
            continue
        declarations.add(begin)
        if line in lost or (item in items and found.code >= _OF_PARSER) or (line in begun and found.code in _STRUCTURE):
            continue
        kept.add(id(found))
        if found.code in _STRUCTURE:
            lost.add(line)
        if found.code >= _OF_PARSER:
            begun.add(line)
            items.add(item)
    broken = [_declaration(found, sources) for found in errors]
    inside = _Stretches((one.start, one.end) for one in broken)
    nameless = any(not one.name or one.word in _TYPED or one.word not in _KEYWORDS for one in broken)

    def uncertain(found: Diagnostic) -> bool:
        """Whether what is kept by nothing may be wrong: an error, or a warning about names that are missing."""
        return found.severity is Severity.ERROR or (found.code in _OPEN_NAMES and (nameless or inside.hold(found.primary.start)))

    return [found for found in syntax if id(found) in kept or not uncertain(found)]


def _line(found: Diagnostic, sources: Sources) -> tuple[int, int]:
    file: SourceFile = sources.file_at(found.primary.start)
    return file.base, file.locate(found.primary.start).line
