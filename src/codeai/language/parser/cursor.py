"""What every part of the parser does at a position: take what must be there, parse items, and recover behind what is broken."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from codeai.language.diagnostics import Edit, Severity
from codeai.language.lexer import BROKEN, END, NAME, STRING
from codeai.language.operators import CLAUSE_WORDS, CONTINUING_WORDS, VALUES
from codeai.language.parser.reporting import ParseFailure, Reporting
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


class Cursor(Reporting):
    """A position that parses items and gives up broken ones."""

    # -- taking ----------------------------------------------------------------------------------------------------

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

    def doubled_equals(self) -> bool:
        """Reports and takes a comparison where a value is assigned."""
        if not self.at("=="):
            return False
        edits = (Edit(self.start, self.ends[self.i], "="),)
        self.report("expected '=', got '=='", "CAI0010", self.start, self.ends[self.i], expected=("'='",), edits=edits)
        self.i += 1
        return True

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

    def items(
        self, parse: Callable[[], _Item | tuple[_Item, ...] | None], closing: str = "}", *, within: bool = False
    ) -> tuple[_Item, ...]:
        """Parses items up to the closing bracket, and takes it; a broken item is skipped, so that one mistake is one error.

        An older spelling may stand for several items, or for none.

        :param within: whether they are among the items of others, to whom the closing bracket is left
        """
        found: list[_Item] = []
        depth, header, nesting = self.depth, self.header, self.nesting
        self.depth, self.header = 0, False
        begins = [self.i]
        while True:
            self.separator()
            if within and (self.kinds[self.i] in (closing, END) or self.declaration_begins()):
                break
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
        if len(self.diagnostics) == told and not self.guessed and not self.broken:
            return False
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
