"""Conditions in the words of SQL, quoted: ``"deleted_at IS NULL"``, ``"user_id = :userId AND total > 10"``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from codeai.language.lexer import END, NAME, STRING, Tokens
from codeai.language.spellings.texts import tokens_within
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier

if TYPE_CHECKING:
    from codeai.language.parser.selections import Selections

_WORDS: Final = frozenset(("and", "or", "not", "in", "is", "null", "between", "true", "false", "asc", "desc"))


def condition(p: Selections) -> ex.Expression:
    """The condition in the string at the current token; what is wrong in it is reported at its place."""
    start, end = p.start, p.ends[p.i]
    tokens = _translated(p)
    p.i += 1
    inner = p.within(tokens)
    value = inner.expression()
    if not inner.at(END):
        inner.fail_expected("the end of the condition")
    p.older(start, end, "a condition without quotes")
    return value


def _translated(p: Selections) -> Tokens:
    """The tokens of SQL as tokens of ours."""
    writer = _Writer(p, tokens_within(p))
    writer.run()
    return writer.out


class _Writer:
    def __init__(self, p: Selections, source: Tokens) -> None:
        self.p, self.source = p, source
        self.out = Tokens()
        self.at = 0
        self.brackets: list[str] = []

    def put(self, kind: str, text: str) -> None:
        """Writes a token at the place of the current one."""
        self.out.kinds.append(kind)
        self.out.texts.append(text)
        self.out.starts.append(self.source.starts[min(self.at, len(self.source.starts) - 1)])
        self.out.ends.append(self.source.ends[min(self.at, len(self.source.ends) - 1)])
        self.out.breaks.append(False)

    def run(self) -> None:
        """Translates all tokens."""
        kinds, texts = self.source.kinds, self.source.texts
        while self.at < len(kinds):
            kind, text = kinds[self.at], texts[self.at]
            if kind == NAME:
                self._word(text)
            elif (kind == ":" and kinds[self.at + 1] == NAME) or (kind == "$" and kinds[self.at + 1] == NAME):
                self.at += 1
                self._parameter(texts[self.at])
            elif kind == "<" and kinds[self.at + 1] == ">":
                self.put("!=", "!=")
                self.at += 1
            elif kind == "=":
                self.put("==", "==")
            elif kind == "(":
                opening = "[" if self.out.texts and self.out.texts[-1] == "in" else "("
                self.brackets.append("]" if opening == "[" else ")")
                self.put(opening, opening)
            elif kind == ")" and self.brackets:
                closing = self.brackets.pop()
                self.put(closing, closing)
            else:
                self.put(kind, text)
            self.at += 1

    def _word(self, text: str) -> None:
        word = text.lower()
        following = self.source.kinds[self.at + 1]
        if word in ("like", "ilike"):
            self._like(folded=word == "ilike")
        elif word in ("current_date", "current_timestamp") and following != "(":
            for kind, part in ((NAME, "today" if word == "current_date" else "now"), ("(", "("), (")", ")")):
                self.put(kind, part)
        else:
            self.put(NAME, word if word in _WORDS or following == "(" else text)

    def _parameter(self, name: str) -> None:
        """Never a field of the row: a variable, a parameter of the path, or else a member of the input."""
        host = self.p.host
        value = host.name(name, 0, 0)
        if isinstance(value, ex.Name) and name not in host.declared and host.takes_input:
            value = ex.Member(0, 0, ex.Name(0, 0, host.place), Identifier(0, 0, name))
        if isinstance(value, ex.Member) and isinstance(value.target, ex.Name):
            self.put(NAME, value.target.text)
            self.put(".", ".")
            self.put(NAME, value.name.text)
        else:
            self.put(NAME, value.text if isinstance(value, ex.Name) else name)

    def _operand(self) -> int | None:
        """The index in the output at which the operand before the current word begins: a name, a path, a call, parentheses."""
        kinds, at = self.out.kinds, len(self.out.kinds) - 1
        while at >= 0:
            if kinds[at] == ")":
                depth = 0
                while at >= 0:
                    depth += (kinds[at] == ")") - (kinds[at] == "(")
                    if depth == 0:
                        break
                    at -= 1
                called = at > 0 and kinds[at - 1] == NAME and self.out.texts[at - 1] not in ("and", "or", "not", "in")
                at -= called
            if at < 2 or kinds[at - 1] != ".":
                break
            at -= 2
        return at if at >= 0 else None

    def _insert(self, at: int, *tokens: tuple[str, str]) -> None:
        for kind, text in reversed(tokens):
            self.out.kinds.insert(at, kind)
            self.out.texts.insert(at, text)
            self.out.starts.insert(at, self.out.starts[at])
            self.out.ends.insert(at, self.out.ends[at])
            self.out.breaks.insert(at, False)

    def _like(self, *, folded: bool) -> None:
        """``LIKE 'a%'`` is ``starts_with``; ``ILIKE`` compares lower case."""
        operator, text = "contains", ""
        if self.source.kinds[self.at + 1] == STRING:
            pattern = self.source.texts[self.at + 1][1:-1]
            begins, ends = pattern.startswith("%"), pattern.endswith("%")
            operator = "contains" if begins and ends else "starts_with" if ends else "ends_with" if begins else "=="
            text = pattern.strip("%")
        negated = bool(self.out.texts) and self.out.texts[-1] == "not"
        if negated:
            for store in (self.out.kinds, self.out.texts, self.out.starts, self.out.ends, self.out.breaks):
                store.pop()
        begin = self._operand()
        if folded and begin is not None:
            self._insert(begin, (NAME, "lower"), ("(", "("))
            self.put(")", ")")
        if negated and begin is not None:
            self._insert(begin, (NAME, "not"))
        self.put(NAME if operator != "==" else "==", operator)
        if self.source.kinds[self.at + 1] == STRING:
            self.at += 1
            self.put(STRING, f"'{text.lower() if folded else text}'")
