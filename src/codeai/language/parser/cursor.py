"""A position in a list of tokens, and what every part of the parser does with it: look, take, report, recover."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from typing import NoReturn, TypeVar

from codeai.language.diagnostics import Diagnostic, DiagnosticClass, Edit, Severity, Span
from codeai.language.elsewhere import clause_instead, nearest_or_meant
from codeai.language.lexer import BROKEN, END, NAME, STRING, Tokens
from codeai.language.operators import CLAUSE_WORDS, CONTINUING_WORDS, VALUES
from codeai.language.source import SourceFile
from codeai.language.spellings.hosts import Host
from codeai.language.spellings.outline import Outline, outline_of
from codeai.language.suggestions import nearest
from codeai.language.tree.module import Gap
from codeai.language.tree.node import Identifier

_Item = TypeVar("_Item")

NESTING_LIMIT = 100
CHAIN_LIMIT = 150
TOO_DEEP = "name a part with 'let', or move it into a function"

_BEGINNINGS = frozenset(
    (
        *("import", "config", "entity", "model", "type", "enum", "resource", "endpoint", "function", "extern", "auth", "role"),
        *("seed", "test", "workflow", "job", "event", "on", "webhook", "integration", "middleware", "database"),
    )
)
_MENDED = "CAI0037"
_IN_WORDS = ("a ", "an ", "the ", "steps ", "settings ")  # how canonical forms begin that are told and not shown


class ParseFailure(Exception):
    """Ends the parsing of a clause, statement or declaration; its diagnostic is reported already. Never leaves the parser."""


def in_words(texts: Iterable[str]) -> tuple[str, ...]:
    """Keywords as members of an expected set: in quotes, each once, by the alphabet."""
    return tuple(f"'{text}'" for text in sorted(set(texts)))


class Cursor:
    """Tokens of one file with the index of the current one.

    ``depth`` counts open parentheses and brackets, in which line ends mean nothing; ``header`` is true where ``{`` opens the
    block of a header and so no map; ``alone`` is true in parentheses around one expression, in which commas are its own;
    ``inner`` are words that begin declarations elsewhere and something else here.
    """

    def __init__(self, file: SourceFile, tokens: Tokens, *, query: bool = False) -> None:
        self.file = file
        self.tokens = tokens
        self.kinds = tokens.kinds
        self.texts = tokens.texts
        self.starts = tokens.starts
        self.ends = tokens.ends
        self.breaks = tokens.breaks
        self.i = 0
        self.depth = 0
        self.nesting = 0
        self.header = False
        self.aliases = False
        self.alone = False
        self.in_test = False
        self.error_class = DiagnosticClass.PARSER if query else DiagnosticClass.SYNTAX
        self.lexer_class = DiagnosticClass.LEXER if query else DiagnosticClass.SYNTAX
        self.diagnostics: list[Diagnostic] = tokens.diagnostics
        self.gaps: list[Gap] = []
        self.keyword = self.owner = ""
        self.unnamed = False
        self.whole = 0
        self.broken = BROKEN in tokens.kinds
        self.guessed: list[int] = []  # places of blocks of which a brace was put in
        self.known: Outline | None = None
        self.host = Host()
        self.described = ""
        self.inner: tuple[str, ...] = ()
        self.incomplete = False

    # -- looking ---------------------------------------------------------------------------------------------------

    @cached_property
    def words(self) -> frozenset[str]:
        """All texts of tokens in the file, for a quick look whether a word occurs at all."""
        return frozenset(self.texts)

    @property
    def start(self) -> int:
        """Where the current token begins."""
        return self.starts[self.i]

    @property
    def previous_end(self) -> int:
        """Where the token before the current one ends."""
        return self.ends[self.i - 1] if self.i else self.starts[0]

    def kind_at(self, ahead: int) -> str:
        """The kind of a token further on; ``end`` behind the last."""
        at = self.i + ahead
        return self.kinds[at] if at < len(self.kinds) else END

    def text_at(self, ahead: int) -> str:
        """The text of a token further on."""
        at = self.i + ahead
        return self.texts[at] if at < len(self.texts) else ""

    def at(self, kind: str) -> bool:
        """Whether the current token is of that kind (an operator is its own kind)."""
        return self.kinds[self.i] == kind

    def at_word(self, word: str) -> bool:
        """Whether the current token is that contextual keyword."""
        return self.texts[self.i] == word and self.kinds[self.i] == NAME

    def breaks_at(self, ahead: int) -> bool:
        """Whether a line begins with a token further on."""
        at = self.i + ahead
        return self.breaks[at] if at < len(self.breaks) else True

    # -- taking ----------------------------------------------------------------------------------------------------

    def take(self, kind: str) -> bool:
        """Steps over the current token if it is of that kind."""
        if self.kinds[self.i] == kind:
            self.i += 1
            return True
        return False

    def take_word(self, word: str) -> bool:
        """Steps over the current token if it is that contextual keyword."""
        if self.texts[self.i] == word and self.kinds[self.i] == NAME:
            self.i += 1
            return True
        return False

    def expect(self, kind: str, wanted: str = "", *also: str) -> int:
        """Steps over a token of that kind and returns its index; fails with ``expected …`` otherwise.

        :param also: what else could stand here, in words
        """
        if self.kinds[self.i] != kind:
            wanted = wanted or f"'{kind}'"
            self.fail_expected(wanted, among=(*also, wanted))
        self.i += 1
        return self.i - 1

    def expect_word(self, word: str) -> None:
        """Steps over a contextual keyword; fails otherwise."""
        if not self.take_word(word):
            self.fail_expected(f"'{word}'")

    def identifier(self, wanted: str = "identifier") -> Identifier:
        """Takes a name."""
        at = self.expect(NAME, wanted)
        return Identifier(self.starts[at], self.ends[at], self.texts[at])

    def new_name(self) -> Identifier:
        """Takes the name of what is declared here."""
        self.unnamed = self.kinds[self.i] != NAME
        return self.identifier()

    def variable(self) -> Identifier:
        """Takes the name of a variable, which cannot be one of the words that are values."""
        if self.texts[self.i] in VALUES:
            self.unnamed = True
            self.fail_expected("identifier")
        return self.new_name()

    def separator(self) -> None:
        """Steps over optional commas and semicolons between items."""
        while self.kinds[self.i] in (",", ";"):
            self.i += 1

    def doubled_equals(self) -> bool:
        """Reports and takes a comparison where a value is assigned."""
        if not self.at("=="):
            return False
        edits = (Edit(self.start, self.ends[self.i], "="),)
        self.report("expected '=', got '=='", "CAI0010", self.start, self.ends[self.i], expected=("'='",), edits=edits)
        self.i += 1
        return True

    # -- reporting -------------------------------------------------------------------------------------------------

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

    @property
    def outline(self) -> Outline:
        """What the program declares: all of its files where the caller has said so, else this one."""
        if self.known is None:
            self.known = outline_of(self.tokens)
            self.incomplete = True
        return self.known

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

    def declaration_begins(self) -> bool:
        """Whether a declaration begins here: its keyword at the very beginning of a line, with what must follow."""
        word, at = self.texts[self.i], self.starts[self.i] - self.file.base
        if word not in _BEGINNINGS or (at and self.file.text[at - 1] != "\n"):
            return False
        if word in self.inner:
            return False
        following = self.kind_at(1)
        if word in ("config", "seed"):
            return following == "{"
        if word in ("import", "test"):
            return following == "string"
        if word in ("endpoint", "resource", "extern"):
            return following == "name"
        if word in ("on", "event") and following == "string":
            return True
        if word == "on":
            return following == "name"
        if word == "event" and following == "name" and self.kind_at(2) == ".":
            return True
        return following == "name" and self.kind_at(2) in ("{", "(")

    # -- recovering ------------------------------------------------------------------------------------------------

    def skip_balanced(self) -> None:
        """Steps over the current token, with all that it brackets."""
        opening = self.kinds[self.i]
        self.i += opening != END
        if opening not in ("{", "(", "["):
            return
        depth = 1
        while depth and self.kinds[self.i] != END:
            kind = self.kinds[self.i]
            depth += kind in ("{", "(", "[")
            depth -= kind in ("}", ")", "]")
            self.i += 1

    def skip_item(self, stop: Collection[str] = ("}",), *, line: bool = False) -> None:
        """Goes on behind a broken item: to the next line or separator at this depth of brackets.

        :param line: the item begins its line, of which the rest is its own
        """
        begin = self.i
        while True:
            kind = self.kinds[self.i]
            if kind == END or kind in stop:
                return
            if kind in (",", ";") and not line:
                self.i += 1
                return
            goes_on = kind in ("{", ")", "]") or (line and kind == NAME and self.texts[self.i] in CLAUSE_WORDS and self.kind_at(1) != ":")
            if self.breaks[self.i] and self.i > begin and not goes_on:
                return
            self.skip_balanced()

    def _next_item(self, before: int) -> bool:
        """Whether an item broke at the end of its line: where it did, the next one begins, no farther right than itself."""
        return (
            self.i > before
            and self.at(NAME)
            and self.breaks[self.i]
            and self.breaks[before]
            and self._column(self.i) <= self._column(before)
        )

    def _column(self, at: int) -> int:
        start = self.starts[at] - self.file.base
        return start - (self.file.text.rfind("\n", 0, start) + 1)

    def _leave_brackets(self, begin: int) -> None:
        """Steps behind the parentheses and brackets that are open where an item broke, if they close within their line."""
        depth = sum((kind in ("(", "[")) - (kind in (")", "]")) for kind in self.kinds[begin : self.i])
        at = self.i
        while depth > 0 and self.kinds[at] not in (END, "{", "}") and not self.breaks[at]:
            depth += (self.kinds[at] in ("(", "[")) - (self.kinds[at] in (")", "]"))
            at += 1
        if depth == 0:
            self.i = at

    def items(self, parse: Callable[[], _Item | tuple[_Item, ...] | None], closing: str = "}") -> tuple[_Item, ...]:
        """Parses items up to the closing bracket, and takes it; a broken item is skipped, so that one mistake is one error.

        An older spelling may stand for several items, or for none.
        """
        found: list[_Item] = []
        depth, header, nesting = self.depth, self.header, self.nesting
        self.depth, self.header = 0, False
        begins = [self.i]
        while True:
            self.separator()
            if self.kinds[self.i] == closing:
                self.i += 1
                break
            if self.kinds[self.i] == END:
                self._unclosed(closing)
                break
            if closing == "}" and self.declaration_begins():
                self.report(
                    f"expected '}}', got '{self.texts[self.i]}'",
                    "CAI0010",
                    self.start,
                    self.ends[self.i],
                    help_text="a block before this declaration is not closed",
                )
                break
            before, told, gaps = self.i, len(self.diagnostics), len(self.gaps)
            begins.append(before)
            try:
                item = parse()
                if isinstance(item, tuple):
                    found.extend(item)
                elif item is not None:
                    found.append(item)
                if len(self.gaps) == gaps and self.misread(before, told):
                    self.leave_gap(self._torn_from(begins))
            except ParseFailure:
                self.depth, self.header, self.aliases, self.nesting = 0, False, False, nesting
                self.i = max(self.i, before)
                self._leave_brackets(before)
                if not self._next_item(before):
                    self.skip_item((closing,), line=self.breaks[before])
                self.leave_gap(self._torn_from(begins))
            if self.i == before:
                self.i += 1
        self.depth, self.header = depth, header
        return tuple(found)

    def misread(self, before: int, told: int) -> bool:
        """Whether what stands from a token on is not understood, although it was parsed; what comes with an edit is read as if that were
        made.

        :param told: how many findings there were before
        """
        errors = (found for found in self.diagnostics[told:] if found.severity is Severity.ERROR)
        if any(not (found.edits and found.code == _MENDED) for found in errors):
            return True
        if self.guessed and any(self.starts[before] <= place < self.ends[self.i - 1] for place in self.guessed):
            return True
        return self.broken and BROKEN in self.kinds[before : self.i]

    def _torn_from(self, begins: list[int]) -> int:
        """Where a broken item really begins, the last of those that begin at some tokens: with the item before, if it goes on with that."""
        return next((at for at in reversed(begins[1:]) if not self._continues(at)), begins[0])

    def _continues(self, at: int) -> bool:
        """Whether an item stands right behind the one before it on its line, or does not begin as items do."""
        if not at or (self.breaks[at] and not (self.kinds[at] == NAME and nearest(self.texts[at], CONTINUING_WORDS))):
            return False
        if self.kinds[at] in (")", "]"):  # what opens it may be anywhere on its line
            return True
        if self.kinds[at - 1] in ("{", ",", ";"):
            return False
        return self.breaks[at] or self.kinds[at] not in (NAME, STRING) or self.starts[at] - self.ends[at - 1] < 2

    def leave_gap(self, before: int, *, whole: bool = False) -> None:
        """Notes that the text from the token ``before`` to the current one is not in the tree, or not as it was meant."""
        inside = range(before, max(self.i, before + 1))
        words = frozenset(self.texts[at] for at in inside if self.kinds[at] == NAME)
        end = max(self.ends[inside[-1]], self.starts[before] + 1)
        self.gaps.append(Gap(self.starts[before], end, self.keyword, self.owner, whole, self.unnamed, words))
        self.unnamed = False

    def _unclosed(self, closing: str) -> None:
        # A string or comment without end has swallowed what would close the block.
        if any(found.code in ("CAI0011", "CAI0002", "CAI0003") for found in self.diagnostics):
            self.leave_gap(self.i - 1)
            return
        self.report("unexpected end of input", "CAI0011", self.start, self.start, help_text=f"expected '{closing}'")
