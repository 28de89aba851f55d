"""Selections: ``select``, ``first``, ``get``, ``exists`` and the aggregates, with their clauses (language page, section 4)."""

from __future__ import annotations

from typing import Final

from codeai.language.diagnostics import Edit
from codeai.language.lexer import INTEGER, NAME, STRING
from codeai.language.parser.types import Types
from codeai.language.spellings import conditions
from codeai.language.spellings.references import quoted_reference
from codeai.language.spellings.texts import stands_alone
from codeai.language.spellings.words import QUERY
from codeai.language.suggestions import suggest
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree.node import Identifier, Reference

AGGREGATES: Final = ("count", "sum", "avg", "min", "max")
# What begins a query's clause with one word; and what may follow a query on its line and is near to one of them.
_CLAUSES: Final = ("where", "search", "having", "limit", "offset", "include", "order", "order_by", "group", "join", "with")
_NOT_CLAUSES: Final = ("when", "else", "then", "set", "status", "or", "and", "as", "in", "is", "if", "on", "let", "for")
SELECTING: Final = {"select": "select", "find": "select", "first": "first", "exists": "exists"}


class _Clauses:
    """The clauses of one selection while they are read, in any order."""

    def __init__(self) -> None:
        self.loads: list[Reference] = []
        self.joins: list[q.JoinClause] = []
        self.with_deleted = False
        self.where: ex.Expression | None = None
        self.everything = False
        self.search: ex.Expression | None = None
        self.group_by: tuple[ex.Expression, ...] = ()
        self.having: ex.Expression | None = None
        self.order_by: list[q.OrderTerm] = []
        self.limit: ex.Expression | None = None
        self.offset: ex.Expression | None = None
        self.as_system = False


class Selections(Types):
    """Parses what reads rows."""

    def selection(self, word: str) -> ex.Expression:
        """``select …``, ``first …``, ``exists …``."""
        start = self.start
        self.i += 1
        self._alias(word)
        columns: tuple[q.SelectColumn, ...] = ()
        if word == "select" and self.at("*") and self.text_at(1) == "from":
            edits = (Edit(self.start, self.starts[self.i + 2], ""),)
            help_text = f"all fields are read by 'select {self.text_at(2)}'"
            self.report("expected an entity, got '*'", "CAI0037", self.start, self.ends[self.i], help_text=help_text, edits=edits)
            self.i += 2
        if word in ("select", "find"):
            columns = self._columns()
            if self.take_word("from"):
                entity = self.identifier("an entity")
            else:
                entity, columns = self._single_entity(columns)
        else:
            entity = self.identifier("an entity")
        clauses = self.clauses()
        return q.Select(
            start,
            self.previous_end,
            SELECTING[word],
            entity,
            None,
            columns,
            tuple(clauses.loads),
            clauses.with_deleted,
            tuple(clauses.joins),
            clauses.where,
            clauses.search,
            clauses.group_by,
            clauses.having,
            tuple(clauses.order_by),
            clauses.limit,
            clauses.offset,
            clauses.as_system,
        )

    def _alias(self, word: str) -> None:
        """Notes a word of queries that has another name now; it has just been taken."""
        if word in QUERY:
            at, end = self.starts[self.i - 1], self.previous_end
            self.older(at, end, QUERY[word], edits=(Edit(at, end, QUERY[word]),))

    def sql_condition(self, text: ex.StringLiteral) -> ex.Expression:
        """The condition in a string that has been read."""
        at, self.i = self.i, self.starts.index(text.start)
        found = conditions.condition(self)
        self.i = at
        return found

    def _single_entity(self, columns: tuple[q.SelectColumn, ...]) -> tuple[Identifier, tuple[q.SelectColumn, ...]]:
        if len(columns) == 1 and columns[0].name is None and isinstance(columns[0].value, ex.Name):
            name = columns[0].value
            return Identifier(name.start, name.end, name.text), ()
        return self.fail_expected("'from'")

    def _columns(self) -> tuple[q.SelectColumn, ...]:
        aliases, self.aliases = self.aliases, True
        found: list[q.SelectColumn] = []
        while True:
            value = self.expression()
            name = self.identifier() if not self._runs_as_system() and self.kind_at(1) != ":" and self.take_word("as") else None
            found.append(q.SelectColumn(value.start, self.previous_end, value, name))
            if not (self.at(",") and self._column_follows()):
                break
            self.i += 1
        self.aliases = aliases
        return tuple(found)

    def _runs_as_system(self) -> bool:
        """Whether ``as system`` is the clause of ``select E as system``, and not a name for a column."""
        if not self.at_word("as") or self.text_at(1) != "system" or self.text_at(2) == "from":
            return False
        return self.kind_at(2) != "," or not self._column_follows(3)

    def _column_follows(self, ahead: int = 1) -> bool:
        """Whether the comma before that token is one of ours: before ``key:`` it is not, and between values in brackets only while
        the ``from`` of this query is still to come.
        """
        if self._key_at(ahead):
            return False
        if not self.depth or self.alone:
            return True
        depth = 0
        while True:
            kind, text = self.kind_at(ahead), self.text_at(ahead)
            if kind == "end" or (not depth and (kind in (")", "]", "}") or text in ("select", "find"))):
                return False
            depth += (kind in ("(", "[", "{")) - (kind in (")", "]", "}"))
            if not depth and text == "from":
                return True
            ahead += 1

    def _key_at(self, ahead: int) -> bool:
        """Whether ``key:`` begins with a token further on; keys may have hyphens and quotes."""
        if self.kind_at(ahead) not in (NAME, STRING):
            return False
        while self.kind_at(ahead + 1) == "-" and self.kind_at(ahead + 2) == NAME:
            ahead += 2
        return self.kind_at(ahead + 1) == ":"

    def get(self) -> ex.Expression:
        """``get E(key)``."""
        start = self.start
        self.i += 1
        entity = self.identifier("an entity")
        self.expect("(", "'('")
        key = self.inside(self.expression)
        self.expect(")", "')'")
        clauses = self.clauses(("with", "as"))
        return self.postfix(q.Get(start, self.previous_end, entity, key, tuple(clauses.loads), clauses.with_deleted, clauses.as_system))

    def aggregate(self, name: Identifier, operand: ex.Expression) -> ex.Expression:
        """``count(E where …)`` behind its operand, with the closing parenthesis."""
        if name.text not in (*AGGREGATES, "exists"):
            self.fail_expected("')'")
        clauses = self.clauses()
        self.expect(")", "')'")
        return q.Select(
            name.start,
            self.previous_end,
            name.text,
            None,
            operand,
            where=clauses.where,
            with_deleted=clauses.with_deleted,
            as_system=clauses.as_system,
        )

    def clauses(self, allowed: tuple[str, ...] | None = None) -> _Clauses:
        """The clauses of a query or write, in any order."""
        found = _Clauses()
        while self.at(NAME) and self.kind_at(1) not in (":", "{"):
            word = self.texts[self.i]
            if allowed is not None and word not in allowed:
                break
            if not self._clause(word, found) and not self._clause(self._meant(word), found):
                break
        return found

    def _meant(self, word: str) -> str:
        """The clause that a misspelt word stands for, said to be so: else the message would be about what follows it."""
        if self.breaks[self.i] or self.kind_at(1) not in (NAME, STRING, INTEGER) or self.breaks_at(1) or word in _NOT_CLAUSES:
            return word
        near = suggest(word, _CLAUSES)
        if near is None:
            return word
        self.unknown("clause", Identifier(self.start, self.start + len(word), word), _CLAUSES, "CAI0013")
        return near

    def _clause(self, word: str, found: _Clauses) -> bool:
        if word == "with":
            self.i += 1
            self._with(found)
        elif word == "include":
            self.i += 1
            self._alias(word)
            found.loads.extend(self._relations())
        elif word == "where":
            self.i += 1
            if self.at_word("all") and self.kind_at(1) not in ("(", ".", "=", "=="):
                self.i += 1
                found.everything = True
            else:
                found.where = conditions.condition(self) if stands_alone(self) else self.expression()
        elif word == "order" and self.text_at(1) == "by":
            self.i += 2
            found.order_by.extend(self._order_terms())
        elif word == "order_by":
            self.i += 1
            self._alias(word)
            found.order_by.extend(self._order_terms())
        elif word == "group" and self.text_at(1) == "by":
            self.i += 2
            found.group_by = self._expressions()
        elif word == "as" and self.text_at(1) == "system":
            self.i += 2
            found.as_system = True
        elif word in ("having", "limit", "offset", "search"):
            self.i += 1
            setattr(found, word, self.expression())
        elif word == "join":
            self.i += 1
            found.joins.append(self._join())
        else:
            return False
        return True

    def _with(self, found: _Clauses) -> None:
        if self.at_word("deleted") and self.kind_at(1) != ".":
            self.i += 1
            found.with_deleted = True
            return
        found.loads.extend(self._relations())

    def _relations(self) -> list[Reference]:
        found = [self.reference("a relation")]
        while self.kind_at(1) == NAME and self._goes_on():
            found.append(self.reference("a relation"))
        return found

    def _goes_on(self) -> bool:
        """Steps over a comma behind which the query goes on: not one between values in brackets, nor one before ``key:``."""
        if not self.at(",") or (self.depth and not self.alone) or self._key_at(1):
            return False
        self.i += 1
        return True

    def reference(self, wanted: str) -> Reference:
        """A dotted name."""
        parts = [self.identifier(wanted)]
        while self.at(".") and self.kind_at(1) == NAME:
            self.i += 1
            parts.append(self.identifier())
        return Reference(parts[0].start, parts[-1].end, tuple(parts))

    def event_reference(self, kind: str = "event") -> Reference:
        """The name of an event (or of what ``kind`` declares): dotted, or quoted as in older files."""
        wanted = f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
        return quoted_reference(self, self.quoted_names(wanted), kind) if self.at(STRING) else self.reference(wanted)

    def _expressions(self) -> tuple[ex.Expression, ...]:
        found = [self.expression()]
        while self._goes_on():
            found.append(self.expression())
        return tuple(found)

    def _order_terms(self) -> list[q.OrderTerm]:
        found: list[q.OrderTerm] = []
        while True:
            value = self.expression()
            descending = self.take_word("desc")
            if not descending:
                self.take_word("asc")
            found.append(q.OrderTerm(value.start, self.previous_end, value, descending))
            if not self._goes_on():
                return found

    def _join(self) -> q.JoinClause:
        start = self.start
        entity = self.identifier("an entity")
        self.expect_word("on")
        condition = self.expression()
        return q.JoinClause(start, condition.end, entity, condition)
