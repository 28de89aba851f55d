"""Text to tokens: one master regular expression, no look at the grammar.

Tokens are parallel lists instead of objects, since a program has many of them. The kind of a name is ``name``, of an operator
or bracket its own text; line ends are not tokens but flags (``breaks``) on the token that follows, because only the parser
knows whether a line end matters there. Strings are tokenised whole: the parser takes interpolations apart.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from codeai.language.diagnostics import Diagnostic, DiagnosticClass, Edit, Span
from codeai.language.durations import intended
from codeai.language.foreign_characters import QUOTES, invisible, meant, word_end, written
from codeai.language.tree.node import Comment

_CLOSED: Final = 'close it on its line; several lines stand between """ and """'
_CLOSED_RAW: Final = 'close it with """'
_DURATION_WORDS: Final = "milliseconds?|seconds?|minutes?|hours?|days?|weeks?"

_MASTER: Final = re.compile(
    r"[ \t\r\f]*(?:"
    r"([A-Za-z_][A-Za-z0-9_]*)"  # 1 name
    r"|(\n\s*)"  # 2 line end, with the blank lines after it
    r"|(=>|==|!=|<=|>=|&&|\|\||\?\?|->|[{}()\[\],;:.?=<>+\-*%!@|$]|/(?![/*]))"  # 3 operator
    rf"|([0-9]+\.(?:{_DURATION_WORDS})\b|(?:[0-9]+(?:ms|[smhdw]))+(?![A-Za-z0-9_]))"  # 4 duration
    r"|([0-9]+(?:kb|mb|gb|KB|MB|GB|b)(?![A-Za-z0-9_]))"  # 5 size
    r"|([0-9][0-9_]*(?:\.[0-9][0-9_]*(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+))(?![A-Za-z0-9_])"  # 6 decimal
    r"|([0-9][0-9_]*)(?![A-Za-z0-9_]|\.[0-9])"  # 7 integer
    r'|("""(?:[^"]++|"(?!""))*+""")'  # 8 raw string
    r'|((?!""")"(?:[^"\\\n{]++|\\.)*+"|' + r"'(?:[^'\\\n]++|\\.)*+')"  # 9 string without braces, or in single quotes
    r"|(//[^\n]*|\#[^\n]*|/\*(?:[^*]++|\*(?!/))*+\*/)"  # 10 comment
    r'|(")'  # 11 a string with braces, or one that does not end
    r"|(\Z)"  # 12 end
    r"|(/\*|[^ \t\r\f\n])"  # 13 anything else
    r")"
)

NAME: Final = "name"
DURATION: Final = "duration"
SIZE: Final = "size"
DECIMAL: Final = "decimal"
INTEGER: Final = "integer"
RAW: Final = "raw"
STRING: Final = "string"
END: Final = "end"
BROKEN: Final = "broken"

_QUOTES: Final = "'" + QUOTES  # what begins a text elsewhere, or here if it ended
# Texts as other languages quote them: templates, whose further lines are indented, and typographic quotes.
_TEMPLATE: Final = re.compile(r"`(?:[^`\\\n]|\\.|\n(?!\S)){1,2000}`|[\u201c-\u201e][^\n\u201c-\u201e]*[\u201c-\u201e]")
_LINES_OF_TEXT: Final = 20  # that a text may have whose quotes stand on different lines
_OF_PROGRAMS: Final = ("@", "$", "|")  # characters that no query text has
_OPENING: Final = ("{", "[", "(")
_KINDS: Final = ("", NAME, "", "", DURATION, SIZE, DECIMAL, INTEGER, RAW, STRING)


class Tokens:
    """The tokens of a stretch of text; the last one is ``end``. Offsets are in the space of the program's sources."""

    __slots__ = ("breaks", "comments", "diagnostics", "docs", "ends", "kinds", "starts", "texts")

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.texts: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.breaks: list[bool] = []
        self.docs: dict[int, str] = {}
        self.comments: list[Comment] = []
        self.diagnostics: list[Diagnostic] = []


def tokenize(
    text: str, base: int = 0, start: int = 0, end: int | None = None, *, error: DiagnosticClass = DiagnosticClass.SYNTAX
) -> Tokens:
    """Splits ``text[start:end]`` into tokens.

    :param base: offset of ``text`` in the program's sources
    :param error: the class of diagnostics: ``LexerError`` for query text, else ``SyntaxError``
    :returns: the tokens, comments and diagnostics; characters that fit nowhere are reported and left out, malformed numbers are ``broken``
    """
    tokens = Tokens()
    stop = len(text) if end is None else end
    kinds, texts, starts, ends, breaks = tokens.kinds, tokens.texts, tokens.starts, tokens.ends, tokens.breaks
    scan = _MASTER.finditer(text, start, stop)
    refused = _OF_PROGRAMS if error is DiagnosticClass.LEXER else ()
    broken_line = True
    doc: list[str] = []
    while (found := next(scan, None)) is not None:
        index = found.lastindex or 0
        content = found[index]
        position = found.end()
        if index == 2:
            broken_line = True
            continue
        if index == 12:
            break
        first = position - len(content)
        kind = content if index == 3 else _KINDS[index] if index < 10 else ""
        if index == 10:
            describes = content.startswith("///") and content[3:4] != "/" and (broken_line or kinds[-1] in _OPENING)
            if describes:
                doc.append(content[3:].strip())
            tokens.comments.append(Comment(base + first, base + position, content, describes))
            broken_line = broken_line or ("\n" in content)
            continue
        if index > 10 or kind in refused:
            read = ""
            if index == 11:
                kind, position = _braced_string(tokens, text, base, first, stop, error)
            else:
                position, kind, read = _unexpected(tokens, text, base, first, stop, error)
            scan = _MASTER.finditer(text, position, stop)
            if not kind:
                continue
            content = read or text[first:position]
        if doc:
            tokens.docs[len(kinds)] = "\n".join(doc)
            doc = []
        kinds.append(kind)
        texts.append(content)
        starts.append(base + first)
        ends.append(base + position)
        breaks.append(broken_line)
        broken_line = False
    kinds.append(END)
    texts.append("")
    starts.append(base + stop)
    ends.append(base + stop)
    breaks.append(True)
    return tokens


def _braced_string(tokens: Tokens, text: str, base: int, first: int, stop: int, error: DiagnosticClass) -> tuple[str, int]:
    """The kind and the end of a string with braces, or of one that does not end, which is reported."""
    position = _string_end(text, first, stop)
    if position >= 0:
        return STRING, position
    raw = text.startswith('"""', first)
    position = stop if raw else _broken_end(text, first, stop)
    if not raw and _ends_text_of_lines(tokens, text, base, first):
        tokens.ends[-1] = base + first + 1
        tokens.texts[-1] = text[tokens.starts[-1] - base : first + 1]
        return "", first + 1
    _report(tokens, base, first, position, "unterminated string", "CAI0002", error, _CLOSED_RAW if raw else _CLOSED)
    return BROKEN, position


def _ends_text_of_lines(tokens: Tokens, text: str, base: int, first: int) -> bool:
    """Whether the quote ends the text that a line before it began: that is one mistake, and what lies between is text."""
    at = len(tokens.kinds) - 1
    while at >= 0 and tokens.kinds[at] not in (BROKEN, STRING, RAW):
        at -= 1
    last = tokens.diagnostics[-1] if tokens.diagnostics else None
    if at < 0 or tokens.kinds[at] != BROKEN or last is None or last.code != "CAI0002" or last.primary.start != tokens.starts[at]:
        return False
    if text.count("\n", last.primary.start - base, first) > _LINES_OF_TEXT:
        return False
    depth = tokens.texts[at].count("{")
    for kind in tokens.kinds[at:]:
        depth += (kind == "{") - (kind == "}")
        if depth < 0:
            return False
    if depth > tokens.texts[at].count("{"):
        return False
    for column in (tokens.kinds, tokens.texts, tokens.starts, tokens.ends, tokens.breaks):
        del column[at + 1 :]
    return True


def _string_end(text: str, start: int, stop: int) -> int:
    """The offset behind the quote that ends the string at ``start``, or -1. Inside ``{…}`` single-quoted strings may hold anything."""
    if text.startswith('"""', start):
        return -1
    at = start + 1
    while at < stop:
        character = text[at]
        if character == '"':
            return at + 1
        if character == "\n":
            return -1
        if character == "\\":
            at += 2
        elif character == "{" and begins_interpolation(text, at):
            closing = interpolation_end(text, at, stop)
            at = closing if closing > 0 else at + 1
        else:
            at += 1
    return -1


def is_name(text: str) -> bool:
    """Whether a text has the form of a name."""
    return text.isidentifier() and text.isascii()


def is_dotted(text: str) -> bool:
    """Whether a text is a name, or several with dots between them."""
    return all(map(is_name, text.split(".")))


def begins_interpolation(text: str, at: int) -> bool:
    """Whether the ``{`` at this offset of a string starts an interpolation: a letter, ``_`` or ``(`` follows."""
    following = text[at + 1 : at + 2]
    return following == "_" or following == "(" or (following.isascii() and following.isalpha())


def interpolation_end(text: str, start: int, stop: int) -> int:
    """The offset behind the ``}`` that ends the interpolation at ``start``, or -1 when the line or string ends first."""
    depth = 0
    at = start + 1
    while at < stop:
        character = text[at]
        if character == "'":
            at = text.find("'", at + 1, stop)
            if at < 0:
                return -1
        elif character in '"\n':
            return -1
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "}" and depth <= 0:
            return at + 1
        at += 1
    return -1


def _broken_end(text: str, start: int, stop: int) -> int:
    """Where a string without end is taken to end: before the brackets that close its line, so that they still close something."""
    end = _line_end(text, start, stop)
    while end > start + 1 and text[end - 1] in " \t\r})]":
        end -= 1
    return end


def _line_end(text: str, start: int, stop: int) -> int:
    found = text.find("\n", start, stop)
    return stop if found < 0 else found


def _report(
    tokens: Tokens, base: int, start: int, end: int, message: str, code: str, error: DiagnosticClass, help_text: str = "", meant: str = ""
) -> None:
    edits = (Edit(base + start, base + end, meant, safe=False),) if meant else ()
    tokens.diagnostics.append(Diagnostic(code, error, message, Span(base + start, base + end), help=help_text, edits=edits))


def _unexpected(tokens: Tokens, text: str, base: int, start: int, stop: int, error: DiagnosticClass) -> tuple[int, str, str]:
    """Reports a character that begins no token; a run of them is one mistake.

    :returns: where to go on, the kind of token to take it for, and its text if that is not what stands there
    """
    character = text[start]
    if text.startswith("/*", start):
        _report(tokens, base, start, stop, "unterminated comment", "CAI0003", error, "close it with '*/'")
        return stop, "", ""
    if character == "'":
        end = _broken_end(text, start, stop)
        _report(tokens, base, start, end, "unterminated string", "CAI0002", error, _CLOSED)
        return end, BROKEN, ""
    if character.isdigit() and character.isascii():
        found = re.compile(r"[A-Za-z0-9_.]+").match(text, start, stop)
        end = found.end() if found else start + 1
        number = intended(text[start:end])
        advice = f"did you mean '{number}'?" if number is not None else ""
        _report(tokens, base, start, end, f"malformed number '{text[start:end]}'", "CAI0005", error, advice)
        return end, BROKEN, ""
    template = _TEMPLATE.match(text, start, stop)
    if template is not None and error is DiagnosticClass.SYNTAX:
        read, instead = written(template[0])
        edits = (Edit(base + start, base + template.end(), instead),) if instead else ()
        said, advice = f"unexpected character '{character}'", meant(character, word=False)[0]
        tokens.diagnostics.append(Diagnostic("CAI0001", error, said, Span(base + start, base + start + 1), help=advice, edits=edits))
        return template.end(), STRING, read
    return (*_foreign(tokens, text, base, start, stop, error), "")


def _foreign(tokens: Tokens, text: str, base: int, start: int, stop: int, error: DiagnosticClass) -> tuple[int, str]:
    """Reports a character that no token has. A word with such a letter is a name all the same, so that nothing follows from it."""
    character = text[start]
    end = word_end(text, start, stop)
    advice, instead = meant(character, word=end > start)
    shown = character if character.isprintable() else f"\\{'u' if character < chr(0x10000) else 'U000'}{ord(character):04x}"
    said = f"unexpected character '{shown}'"
    if end > start and invisible(character):
        return _hidden(tokens, text, base, start, end, Diagnostic("CAI0001", error, said, Span(start, end), help=advice))
    if end > start:
        _report(tokens, base, start, end, said, "CAI0001", error, advice)
        if not tokens.ends or tokens.ends[-1] != base + start or tokens.kinds[-1] != NAME:
            return end, NAME
        tokens.texts[-1] += text[start:end]
        tokens.ends[-1] = base + end
        return end, ""
    end = start + 1
    closing = re.compile(rf"[^\n]*?[{QUOTES}]").match(text, end, stop) if character in _QUOTES else None
    if closing is None:
        while end < stop and not text[end].isspace() and not text[end].isascii() and not word_end(text, end, stop) > end:
            end += 1
    single = end == start + 1
    _report(tokens, base, start, end, said, "CAI0001", error, advice, instead if single else "")
    kind = BROKEN if character in _QUOTES else instead if single and not instead.isalpha() else ""
    return closing.end() if closing is not None else end, kind


def _hidden(tokens: Tokens, text: str, base: int, start: int, end: int, found: Diagnostic) -> tuple[int, str]:
    """Reports a character that nobody sees, before or within a word, which is read without it; ``--fix`` takes it out."""
    glued = bool(tokens.ends) and tokens.ends[-1] == base + start and tokens.kinds[-1] == NAME
    marks = [at for at in range(start, end) if invisible(text[at])]
    if not glued:
        marks = [at for at in marks if at - start <= marks.index(at)]  # those before the word, which is read next
    edits = tuple(Edit(base + at, base + at + 1, "") for at in marks)
    tokens.diagnostics.append(msgspec.structs.replace(found, primary=Span(base + start, base + start + 1), edits=edits))
    if not glued:
        return marks[-1] + 1, ""
    tokens.texts[-1] += "".join(character for character in text[start:end] if not invisible(character))
    tokens.ends[-1] = base + end
    return end, ""
