"""Requests of tests, and paths: runs of characters up to white space, whatever the lexer made of them."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import Final

from codeai.language.lexer import BROKEN, NAME, STRING, Tokens, begins_interpolation, interpolation_end, tokenize
from codeai.language.operators import NO_OPERANDS
from codeai.language.parser import foreign_statements
from codeai.language.parser.queries import Queries
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q

_OF_PARSER: Final = "CAI0010"  # the first code that is not of the lexer


class Requests(Queries):
    """Parses what a test asks of the program."""

    def path_missing(self) -> None:
        """Refuses a method with a name, or a text that is none, instead of a path."""
        if self.kind_at(1) in (NAME, STRING) and not self.breaks_at(1) and self.text_at(1) not in NO_OPERANDS:
            self.i += 1
            self.fail_expected("a path", help_text="a path begins with '/'")

    def path_follows(self) -> bool:
        """Whether the token behind the current one begins a path, which may stand in quotes."""
        return self.kind_at(1) == "/" or (self.kind_at(1) == STRING and self.text_at(1)[1:2] == "/" and not self.breaks_at(1))

    def request(self) -> ex.Expression:
        """``GET /a/{id} headers { … } { … }``."""
        start = self.start
        method = self.identifier().text
        path = self._request_path()
        headers = None
        body: ex.Expression | None = None
        if self._headers_follow():
            self.i += 1
            headers = self.map_literal()
        foreign_statements.sent_with(self)
        if self.kinds[self.i] in ("{", "[") and not self.breaks[self.i]:
            body = self.expression()
        foreign_statements.asked_as(self)
        if headers is None and self._headers_follow():
            self.i += 1
            headers = self.map_literal()
        return q.TestRequest(start, self.previous_end, method, path, body, headers)

    def _headers_follow(self) -> bool:
        return self.at_word("headers") and self.kind_at(1) == "{" and not self.breaks_at(1)

    def _request_path(self) -> ex.Expression:
        """The run of characters up to white space, or a text; ``{expression}`` in it is interpolated."""
        if self.kinds[self.i] == STRING:
            return self._quoted_path()
        begin, end = self.path_run(braces=True)
        text = self.file.text[begin - self.file.base : end - self.file.base]
        self._closed_braces(text, begin)
        last = self.file.base + len(self.file.text)  # a path at the very end has nothing behind it in place of a quote
        return self._interpolation(begin - 1, min(end + 1, last), f"/{text}/")

    def _quoted_path(self) -> ex.Expression:
        start, end, text = self.start, self.ends[self.i], self.texts[self.i]
        self.i += 1
        blank = re.search(r"\s", re.sub(r"\{[^}]*\}", lambda found: "x" * len(found[0]), text))
        if blank is not None:
            place = start + blank.start()
            self.report("a path has no white space", "CAI0020", place, place + 1, help_text="write '%20' for a space")
        self._closed_braces(text[1:-1], start + 1)
        return self._interpolation(start, end, text)

    def _closed_braces(self, text: str, begin: int) -> None:
        """Reports a brace of a path that begins no expression, or ends none: nothing in a path is text by accident."""
        at = text.find("{")
        while at >= 0:
            end = interpolation_end(text, at, len(text)) if begins_interpolation(text, at) else -1
            if end < 0:
                told = "an expression in a path is written as in /posts/{post.id}, and ends on its line"
                segment = text[text.rfind("/", 0, at) + 1 :].partition("/")[0]
                place = begin + at
                self.report(f"malformed path segment '{segment}'", "CAI0020", place, place + 1, help_text=told)
                return
            at = text.find("{", end)

    def path_run(self, *, braces: bool = False) -> tuple[int, int]:
        """Takes the run of characters of a path that begins at the current token; returns its offsets.

        :param braces: within ``{…}`` white space does not end the path
        """
        text, base = self.file.text, self.file.base
        begin = at = self.start - base
        depth = 0
        while at < len(text) and not (text[at].isspace() and (not depth or text[at] == "\n")):
            depth += braces and text[at] == "{"
            depth -= braces and text[at] == "}" and depth > 0
            at += 1
        self.resume(at + base)
        return begin + base, at + base

    def resume(self, offset: int) -> None:
        """Goes on with the first token at or behind an offset; reads anew when a token (a comment, say) spans it."""
        begin, first = self.start, self.i
        while self.starts[self.i] < offset and self.kinds[self.i] != "end":
            self.i += 1
        read = sum(self.ends[first : self.i]) - sum(self.starts[first : self.i])
        if read != offset - begin or BROKEN in self.kinds[first : self.i]:  # '2fa' is no number here, '^' nothing unexpected
            self.diagnostics[:] = [
                found for found in self.diagnostics if found.code >= _OF_PARSER or not begin <= found.primary.start < offset
            ]
        base = self.file.base
        gap = self.file.text[offset - base : self.starts[self.i] - base]
        comments = self.tokens.comments
        low, high = (bisect_left(comments, place, key=lambda comment: comment.start) for place in (begin, offset))
        inside = comments[low:high]
        del comments[low:high]  # what looks like a comment in a path is a part of it
        if gap.strip() or any(comment.text.startswith("///") for comment in inside):
            tokens = tokenize(self.file.text, base, offset - base, error=self.lexer_class)
            self._continue_with(tokens.kinds, tokens.texts, tokens.starts, tokens.ends, tokens.breaks)
            self._found_anew(tokens, begin)

    def _found_anew(self, tokens: Tokens, begin: int) -> None:
        """Takes over what the tokens say besides themselves, in the place of what was thought to be there."""
        self.diagnostics[:] = [found for found in self.diagnostics if found.code >= _OF_PARSER or found.primary.start < begin]
        self.diagnostics.extend(tokens.diagnostics)
        self.tokens.comments[:] = [comment for comment in self.tokens.comments if comment.start < begin]
        self.tokens.comments.extend(tokens.comments)
        docs = self.tokens.docs
        self.tokens.docs = {at: doc for at, doc in docs.items() if at < self.i} | {at + self.i: doc for at, doc in tokens.docs.items()}

    def _continue_with(self, kinds: list[str], texts: list[str], starts: list[int], ends: list[int], breaks: list[bool]) -> None:
        breaks[0] = "\n" in self.file.text[self.previous_end - self.file.base : starts[0] - self.file.base]
        self.kinds[self.i :] = kinds
        self.starts[self.i :] = starts
        self.ends[self.i :] = ends
        self.texts[self.i :] = texts
        self.breaks[self.i :] = breaks
