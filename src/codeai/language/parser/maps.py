"""Maps: what stands in braces as a value, in the call of an operation, or in the columns of a row."""

from __future__ import annotations

from codeai.language.diagnostics import Edit
from codeai.language.lexer import NAME, is_name
from codeai.language.parser import slips
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
        alone = self.at(NAME) and (self.breaks[self.i] or self.kinds[self.i - 1] in ("{", ",", ";"))
        key = self.map_key()
        if alone and self.kinds[self.i] in (",", "}") and is_name(key.text):
            return self._shorthand(key)
        if self.take(":") and slips.value_missing(self, self.previous_end):
            return ex.MapEntry(key.start, self.previous_end, key, ex.Missing(self.previous_end, self.previous_end))
        value = self.expression()
        return ex.MapEntry(key.start, value.end, key, value)

    def _shorthand(self, key: Identifier) -> ex.MapEntry:
        """``{ total }``, where other languages mean the variable of that name."""
        said, edits = f"expected ':', got '{self.texts[self.i]}'", (Edit(key.end, key.end, f": {key.text}"),)
        self.report(said, "CAI0037", key.start, key.end, help_text=f"write '{key.text}: {key.text}'", edits=edits)
        return ex.MapEntry(key.start, key.end, key, ex.Name(key.start, key.end, key.text))

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
