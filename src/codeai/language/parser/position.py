"""A position in a list of tokens: looking, and stepping over what is there. What is not there is reported by ``reporting``."""

from __future__ import annotations

from functools import cached_property

from codeai.language.diagnostics import Diagnostic, DiagnosticClass
from codeai.language.lexer import BROKEN, END, NAME, Tokens
from codeai.language.source import SourceFile
from codeai.language.spellings.hosts import Host
from codeai.language.spellings.outline import Outline, outline_of
from codeai.language.tree.module import Gap


class Position:
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

    def separator(self) -> None:
        """Steps over optional commas and semicolons between items."""
        while self.kinds[self.i] in (",", ";"):
            self.i += 1

    @property
    def outline(self) -> Outline:
        """What the program declares: all of its files where the caller has said so, else this one."""
        if self.known is None:
            self.known = outline_of(self.tokens)
            self.incomplete = True
        return self.known
