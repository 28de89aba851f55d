"""What the parser says about the text: findings at a position, and what stands for what is missing or misspelt."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from functools import cached_property
from typing import NoReturn

from codeai.language.diagnostics import Diagnostic, DiagnosticClass, Edit, Severity, Span
from codeai.language.elsewhere import clause_instead, nearest_or_meant
from codeai.language.lexer import BROKEN, END
from codeai.language.parser.position import Position
from codeai.language.tree.node import Identifier

_IN_WORDS = ("a ", "an ", "the ", "steps ", "settings ")  # how canonical forms begin that are told and not shown


class ParseFailure(Exception):
    """Ends the parsing of a clause, statement or declaration; its diagnostic is reported already. Never leaves the parser."""


def in_words(texts: Iterable[str]) -> tuple[str, ...]:
    """Keywords as members of an expected set: in quotes, each once, by the alphabet."""
    return tuple(f"'{text}'" for text in sorted(set(texts)))


class Reporting(Position):
    """A position that reports."""

    def report(
        self,
        message: str,
        code: str,
        start: int,
        end: int,
        *,
        help_text: str = "",
        expected: tuple[str, ...] = (),
        edits: tuple[Edit, ...] = (),
    ) -> None:
        """Adds an error of the parser."""
        self.diagnostics.append(
            Diagnostic(code, self.error_class, message, Span(start, end), expected=expected, help=help_text, edits=edits)
        )

    def fail(self, message: str, code: str, start: int, end: int, *, help_text: str = "", expected: tuple[str, ...] = ()) -> NoReturn:
        """Adds an error and gives up the current item."""
        self.report(message, code, start, end, help_text=help_text, expected=expected)
        raise ParseFailure

    def fail_for_lack(self, message: str, code: str, start: int, end: int, *, help_text: str) -> NoReturn:
        """The same, of what an earlier part of the declaration should have said; silently, where that part was not understood."""
        if len(self.gaps) > self.whole:
            raise ParseFailure
        self.fail(message, code, start, end, help_text=help_text)

    def fail_expected(self, wanted: str, *, help_text: str = "", among: Iterable[str] = ()) -> NoReturn:
        """Adds ``expected …, got '…'`` (or ``unexpected end of input``) at the current token and gives up the item.

        :param among: all that could stand here, in words, where ``wanted`` is only one of them or the name of their kind
        """
        expected = tuple(among) or (wanted,)
        kind = self.kinds[self.i]
        if kind == BROKEN or self._foreign_sign_before():
            raise ParseFailure  # the lexer has reported it
        if kind == END:
            told = f"expected {wanted}" if len(expected) != 2 else f"expected {expected[0]} or {expected[1]}"
            self.fail("unexpected end of input", "CAI0011", self.start, self.start, help_text=told, expected=expected)
        text = self.texts[self.i]
        shown = text if len(text) <= 40 else text[:37] + "…"
        start, end = self.start, self.ends[self.i]
        if self.i and self.breaks[self.i] and wanted.startswith("'"):  # what is missing is missing at the end of the line before
            start = end = self.previous_end
        self.report(f"expected {wanted}, got '{shown}'", "CAI0010", start, end, help_text=help_text, expected=expected)
        raise ParseFailure

    def _foreign_sign_before(self) -> bool:
        """Whether the lexer has left out a sign right before the current token, so that something is missing there."""
        found = bisect_left(self._foreign_signs, self.previous_end)
        return found < len(self._foreign_signs) and self._foreign_signs[found] < self.start

    @cached_property
    def _foreign_signs(self) -> list[int]:
        return sorted(found.primary.start for found in self.diagnostics if found.code == "CAI0001")

    def older(self, start: int, end: int, canonical: str, *, edits: tuple[Edit, ...] = ()) -> None:
        """Notes that this stretch of text is an older spelling (language page, section 12), and names the canonical form."""
        if self.error_class is DiagnosticClass.SYNTAX:
            message = f"older spelling of {canonical}" if canonical.startswith(_IN_WORDS) else f"older spelling of '{canonical}'"
            span, advice = Span(start, end), "'codeai fmt' rewrites it"
            self.diagnostics.append(Diagnostic("CAI0030", self.error_class, message, span, Severity.INFO, help=advice, edits=edits))

    def warn(self, start: int, end: int, message: str, code: str, *, help_text: str = "") -> None:
        """Adds a warning about what the text says, where the tree cannot hold it."""
        self.diagnostics.append(Diagnostic(code, DiagnosticClass.SEMANTIC, message, Span(start, end), Severity.WARNING, help=help_text))

    def unsupported(self, start: int, end: int, what: str, instead: str) -> None:
        """Reports what older programs could say and this language does not do, with the way that it does."""
        self.diagnostics.append(Diagnostic("CAI0031", DiagnosticClass.SEMANTIC, f"{what} is not supported", Span(start, end), help=instead))

    def unknown(
        self, what: str, name: Identifier, known: Iterable[str], code: str, *, older: Iterable[str] = (), otherwise: str = ""
    ) -> Identifier:
        """Reports an unknown key, clause or keyword with the nearest known one, which it returns; the same where none is near.

        :param older: words that older files may use here, which are near but not offered
        :param otherwise: what to write instead, where no known word is meant
        """
        known = tuple(known)
        near = nearest_or_meant(name.text, (*known, *older)) if not otherwise else None
        edits = (Edit(name.start, name.end, near.name, near.sure),) if near else ()
        self.report(
            f"unknown {what} '{name.text}'",
            code,
            name.start,
            name.end,
            help_text=f"did you mean '{near.name}'?" if near else otherwise or clause_instead(name.text),
            expected=in_words(known),
            edits=edits,
        )
        return Identifier(name.start, name.end, near.name) if near else name
