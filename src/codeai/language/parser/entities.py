"""Clauses of entities beside their fields, and what all clauses have: keys and lists of names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from codeai.language.diagnostics import Edit
from codeai.language.elsewhere import nearest_or_meant
from codeai.language.lexer import NAME, is_name
from codeai.language.operators import TYPE_WORDS
from codeai.language.parser import foreign_annotations, foreign_sql
from codeai.language.parser.statements import Statements
from codeai.language.spellings import data, descriptions
from codeai.language.suggestions import suggest
from codeai.language.tree import declarations as d
from codeai.language.tree.node import Identifier


class Entities(Statements):
    """Parses the insides of entities."""

    def names(self) -> tuple[Identifier, ...]:
        """``[a, "b:c", d]`` or one name; quoted names are the same names, and several in one text are a list."""
        if not self.take("["):
            name = self._quotable()
            return self._listed(name) if "," in name.text else (name,)
        found: list[Identifier] = []
        while not self.at("]"):
            found.append(self._quotable())
            if not self.take(","):
                break
        self.expect("]", "']'", "','")
        return tuple(found)

    def _listed(self, name: Identifier) -> tuple[Identifier, ...]:
        """``"a, b"``, an older spelling."""
        parts = [part.strip() for part in name.text.split(",") if part.strip()]
        shown = ", ".join(part if is_name(part) else f'"{part}"' for part in parts)
        self.older(name.start, name.end, f"[{shown}]")
        return tuple(Identifier(name.start, name.end, part) for part in parts)

    def _quotable(self) -> Identifier:
        start, end = self.start, self.ends[self.i]
        if self.kinds[self.i] == "string":
            return Identifier(start, end, self.text_literal())
        reference = self.reference("a name")
        return Identifier(reference.start, reference.end, reference.text)

    def listed_names(self) -> tuple[Identifier, ...]:
        """``a, b, c`` without brackets."""
        found = [self.identifier()]
        while self.at(",") and self.kind_at(1) == NAME:
            self.i += 1
            found.append(self.identifier())
        return tuple(found)

    def entity_clause(self) -> d.Clause | tuple[d.Clause, ...]:
        """A field or another clause of an entity."""
        word = self.texts[self.i] if self.at(NAME) else ""
        if self.at("@") and self.kind_at(1) == "@":
            return foreign_annotations.of_entity(self)
        if word and self.kind_at(1) in (NAME, "string") and foreign_sql.of_entity(self):
            return ()
        if word == "description" and descriptions.taken(self):
            return ()
        spelling = data.CLAUSES.get(word)
        if spelling is not None:
            clauses = spelling(self)
            if clauses is not None:
                return clauses
        parse = _ENTITY.get(word)
        if parse is not None and self._clause_not_field(word):
            return parse(self)
        if self.text_at(1) in _ALLOWED and self.kind_at(2) in (":", ",") and nearest_or_meant(word, ("allow",)) is not None:
            self.unknown("clause", Identifier(self.start, self.ends[self.i], word), ("allow",), "CAI0013")
            self.texts[self.i] = "allow"
            return self.entity_clause()
        meant = suggest(word, _LISTED) if word and self.kind_at(1 + (self.kind_at(1) == ":")) == "[" else None
        if meant is not None and meant != word:
            self.unknown("clause", Identifier(self.start, self.ends[self.i], word), _LISTED, "CAI0013")
            self.texts[self.i] = meant
            return self.entity_clause()
        return self.field()

    def _clause_not_field(self, word: str) -> bool:
        """``index: [a]`` is a clause, ``index: int`` a field of that name."""
        at = 1 if self.kind_at(1) == ":" else 0
        following = self.kind_at(at + 1)
        if word in ("allow", "hide"):
            return at == 0 and following == NAME
        if word in ("index", "traits", "unique"):
            return following == "["
        if word == "table":
            return following in ("string", "raw")
        return word == "check" and not (following == NAME and self._is_type(at + 1))

    def _is_type(self, ahead: int) -> bool:
        return self.text_at(ahead) in TYPE_WORDS and (self.kind_at(ahead + 1) in (",", "}", "(") or self.breaks_at(ahead + 1))

    def key(self) -> Identifier:
        """The key of a clause, with its colon if it has one."""
        name = self.identifier()
        self.take(":")
        return name

    def _index(self) -> d.IndexClause:
        key = self.key()
        self.expect("[", "'['")
        columns: list[d.IndexColumn] = []
        while not self.at("]"):
            name = self.identifier("a field")
            descending = self.take_word("desc")
            if not descending:
                self.take_word("asc")
            columns.append(d.IndexColumn(name.start, self.previous_end, name, descending))
            if not self.take(","):
                break
        self.expect("]", "']'", "','")
        unique = self.at_word("unique") and not self.breaks[self.i] and self.take_word("unique")
        return d.IndexClause(key.start, self.previous_end, tuple(columns), unique)

    def _misplaced_unique(self) -> d.Clause:
        """``unique: [a, b]``, which is meant as an index over both."""
        start, end = self.start, self.ends[self.i]
        found = self._index()
        listed = ", ".join(column.name.text + " desc" * column.descending for column in found.columns)
        written = f"index: [{listed}] unique"
        edits = (Edit(start, found.end, written),)
        said = "'unique' is a modifier of one field"
        self.report(said, "CAI0010", start, end, help_text=f"over several it is an index: {written}", edits=edits)
        return found

    def _check(self) -> d.Clause:
        key = self.key()
        condition = self.expression()
        return d.CheckClause(key.start, condition.end, condition)

    def _table(self) -> d.Clause:
        key = self.key()
        name = self.text_literal()
        return d.TableClause(key.start, self.previous_end, name)

    def _traits(self) -> d.Clause:
        key = self.key()
        self.expect("[", "'['")
        found: list[d.Trait] = []
        while not self.at("]"):
            name = self.identifier("a trait")
            arguments: tuple[Identifier, ...] = ()
            if self.take("("):
                arguments = self.listed_names()
                self.expect(")", "')'")
            found.append(d.Trait(name.start, self.previous_end, name, arguments))
            if not self.take(","):
                break
        self.expect("]", "']'", "','")
        return d.TraitsClause(key.start, self.previous_end, tuple(found))

    def _allow(self) -> d.Clause:
        start = self.start
        self.i += 1
        actions = self.listed_names()
        if self.at(NAME) and self.text_at(0) in _INSTEAD_OF_A_COLON and not self.breaks[self.i]:
            said = f"expected ':', got '{self.text_at(0)}'"
            edits = (Edit(self.previous_end, self.ends[self.i], ":"),)
            self.report(said, "CAI0037", self.start, self.ends[self.i], help_text="write 'allow read: …'", edits=edits)
            self.i += 1
        else:
            self.expect(":", "':'")
        condition = self.expression()
        if self.at(NAME) and not self.breaks[self.i] and self.start - self.previous_end < 2:
            self.fail_expected("the end of the condition", help_text="as in 'allow delete: user.has_role(admin)'")
        return d.AllowClause(start, condition.end, actions, condition)

    def _hide(self) -> d.Clause:
        start = self.start
        self.i += 1
        fields = self.listed_names()
        unless = self.expression() if self.take_word("unless") else None
        return d.HideClause(start, self.previous_end, fields, unless)


_Parse = Callable[[Entities], d.Clause]
_ALLOWED: Final = ("read", "create", "update", "delete")
_INSTEAD_OF_A_COLON: Final = ("when", "if", "where")
_LISTED: Final = ("index", "unique", "traits")  # clauses with '[…]'
_ENTITY: Final[dict[str, _Parse]] = {
    "index": Entities._index,
    "unique": Entities._misplaced_unique,
    "check": Entities._check,
    "table": Entities._table,
    "traits": Entities._traits,
    "allow": Entities._allow,
    "hide": Entities._hide,
}
