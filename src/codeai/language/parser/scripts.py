"""Top-level statements and ``exec { … }``: what a file has beside declarations when it is a script (language page, section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codeai.language.lexer import NAME, tokenize
from codeai.language.parser.reporting import ParseFailure
from codeai.language.tree import declarations as d
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.cursor import Cursor
    from codeai.language.parser.declarations import Parser

STATEMENTS: Final = frozenset(
    (
        *("var", "let", "for", "if", "exec", "log", "emit", "send", "sleep", "require", "fail", "return", "start", "run", "as"),
        *("expect", "mock", "advance", "redirect"),
        *("create", "update", "delete", "select", "first", "get", "exists", "call", "upsert"),
    )
)


def begins(p: Cursor) -> bool:
    """Whether a statement stands where a declaration could: by its keyword, as an assignment or as a call."""
    if p.kinds[p.i] in ("(", "[", "string", "integer", "decimal"):
        return True
    if not p.at(NAME):
        return False
    following = p.kind_at(1)
    if following in ("=", "(", "[", ".") and not p.breaks_at(1):
        return True
    if p.texts[p.i] == "exec":
        return following == "{"
    return p.texts[p.i] in STATEMENTS and (following != "{" or p.texts[p.i] in ("return", "require", "sleep"))


def script(p: Parser) -> d.Script:
    """The statements from here to the next declaration."""
    start = p.start
    found: list[st.Statement] = []
    while begins(p) and not p.declaration_begins():
        before, told, gaps = p.i, len(p.diagnostics), len(p.gaps)
        try:
            statement = p.statement()
            found.extend(statement if isinstance(statement, tuple) else (statement,))
            if len(p.gaps) == gaps and p.misread(before, told):
                p.leave_gap(before)
        except ParseFailure:
            p.depth, p.header, p.aliases, p.nesting = 0, False, False, 0
            p.skip_item(())
            p.leave_gap(before)
        p.i += p.i == before
        p.separator()
    end = found[-1].end if found else p.previous_end
    return d.Script(start, end, "", st.Block(start, end, tuple(found)))


def shell(p: Cursor) -> q.Exec:
    """``exec { … }``: the text between the braces is the shell's, whatever the lexer made of it."""
    start = p.start
    text, base = p.file.text, p.file.base
    opening = p.starts[p.i + 1] - base
    closing = _closing(text, opening)
    if closing < 0:
        p.i += 1
        p.skip_balanced()
        p.fail("unexpected end of input", "CAI0011", p.start, p.start, help_text="expected '}'")
    p.diagnostics[:] = [found for found in p.diagnostics if found.primary.start < start or found.primary.start > closing + base]
    _go_on(p, start, closing + 1 + base)
    command = text[opening + 1 : closing]
    begin = base + opening + 1 + len(command) - len(command.lstrip())
    return q.Exec(start, closing + 1 + base, Identifier(begin, begin + len(command.strip()), command.strip()))


def _closing(text: str, opening: int) -> int:
    """The offset of the brace that closes the shell text, or -1; quotes of the shell hide braces."""
    depth, at, quote = 0, opening, ""
    while at < len(text):
        character = text[at]
        if quote:
            at += quote == '"' and character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#" and text[at - 1].isspace():
            at = text.find("\n", at) if "\n" in text[at:] else len(text)
        elif character == "\\":
            at += 1
        elif character in "{}":
            depth += 1 if character == "{" else -1
            if not depth:
                return at
        at += 1
    return -1


def _go_on(p: Cursor, start: int, end: int) -> None:
    """Reads anew behind the shell text, where the lexer may have lost its way in it."""
    base = p.file.base
    p.diagnostics[:] = [found for found in p.diagnostics if found.primary.start < end or found.code >= "CAI0010"]
    tokens = tokenize(p.file.text, base, end - base, error=p.lexer_class)
    p.diagnostics.extend(tokens.diagnostics)
    p.tokens.comments[:] = [comment for comment in p.tokens.comments if comment.start < start] + tokens.comments
    p.tokens.docs = {at: doc for at, doc in p.tokens.docs.items() if at < p.i} | {at + p.i + 1: doc for at, doc in tokens.docs.items()}
    p.starts[p.i] = start
    p.ends[p.i] = end
    p.i += 1
    tokens.breaks[0] = "\n" in p.file.text[end - base : tokens.starts[0] - base]
    p.kinds[p.i :] = tokens.kinds
    p.texts[p.i :] = tokens.texts
    p.starts[p.i :] = tokens.starts
    p.ends[p.i :] = tokens.ends
    p.breaks[p.i :] = tokens.breaks
