"""Maps: what stands in braces as a value, in the call of an operation, or in the columns of a row."""

from __future__ import annotations

from codeai.language.lexer import NAME
from codeai.language.parser.literals import Literals
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier


class Maps(Literals):
    """Parses maps."""

    def map_literal(self) -> ex.MapLiteral:
        """``{ key: value, other value }``; line ends and commas separate entries."""
        start = self.start
        entries = self.map_entries()
        return ex.MapLiteral(start, self.previous_end, entries)

    def map_entries(self) -> tuple[ex.MapEntry, ...]:
        """Takes ``{ … }`` with entries."""
        self.expect("{", "'{'")
        aliases, self.aliases = self.aliases, False
        found = self.items(self._map_entry)
        self.aliases = aliases
        return found

    def _map_entry(self) -> ex.MapEntry:
        key = self.map_key()
        self.take(":")
        value = self.expression()
        return ex.MapEntry(key.start, value.end, key, value)

    def map_key(self) -> Identifier:
        """The key of a map: a name, also with hyphens, or a string."""
        start = self.start
        if self.at("string"):
            return Identifier(start, self.ends[self.i], self.text_literal())
        name = self.identifier()
        text, end = name.text, name.end
        while self.at("-") and self.kind_at(1) == NAME and self.start == end:
            self.i += 1
            part = self.identifier()
            text, end = f"{text}-{part.text}", part.end
        return Identifier(start, end, text)
