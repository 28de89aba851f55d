"""Queries and writes as expressions (language page, section 4): which one a word begins, and those that write."""

from __future__ import annotations

from codeai.language.lexer import NAME, STRING
from codeai.language.operators import NO_OPERANDS
from codeai.language.parser import foreign_statements
from codeai.language.parser.scripts import shell
from codeai.language.parser.selections import SELECTING, Selections
from codeai.language.spellings import steps
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree.node import Identifier


class Queries(Selections):
    """Parses what begins with a query word."""

    def query(self) -> ex.Expression | None:
        """The query or write that begins at the current name, or None when the name is an ordinary one."""
        word = self.texts[self.i]
        following = self.kind_at(1)
        if word == "exec":
            return shell(self) if following == "{" and not self.header else None
        if following == "(" and word in steps.STEPS:
            return steps.expression(self)
        if following == NAME and (self.breaks_at(1) or self.kind_at(2) == ":"):  # 'first' in '{ a: first  b: 1 }'
            return None
        if word == "select" and following == "*":
            return self.selection(word)
        if word in SELECTING and following == NAME and self._operand_follows(word):
            return self.selection(word)
        if word == "select" and following == "(":
            return self.selection(word)
        if word == "get" and following == NAME and (self.kind_at(2) == "(" or self.text_at(1)[:1].isupper()):
            return self.get() if self.text_at(1) not in NO_OPERANDS else None
        if word == "call" and following == STRING and not self.breaks_at(1):
            return self._call_operation()
        if following != NAME or self.text_at(1) in NO_OPERANDS:
            return None
        if word == "create":
            return self._create()
        if word == "update":
            return self._update()
        if word == "delete":
            return self._delete()
        if word == "call" and self.kind_at(2) == ".":
            return self._call_operation()
        if word == "call" and self.kind_at(2) in ("{", NAME) and not self.breaks_at(2):
            self.i += 1
            self.fail_expected("an operation", help_text=f"write {self.texts[self.i]}.operation")
        if word in ("start", "run"):
            return self._start(word)
        return None

    def _operand_follows(self, word: str) -> bool:
        """Whether the next name is what is selected, not an operator behind a variable called ``first``."""
        return word in ("select", "find") or self.text_at(1) not in (
            *NO_OPERANDS,
            *("where", "asc", "desc", "limit", "status", "order"),
        )

    # -- writes ----------------------------------------------------------------------------------------------------

    def _system(self) -> bool:
        if self.at_word("as") and self.text_at(1) == "system":
            self.i += 2
            return True
        return False

    def _create(self) -> ex.Expression:
        start = self.start
        self.i += 1
        entity = self.identifier("an entity")
        values, source = self._row_values()
        system = self._system()
        return self.postfix(q.CreateRow(start, self.previous_end, entity, values, source, system))

    def _row_values(self) -> tuple[tuple[ex.MapEntry, ...], ex.Expression | None]:
        source = None
        values: tuple[ex.MapEntry, ...] = ()
        if self.take_word("from"):
            header, self.header = self.header, True
            source = self.expression()
            self.header = header
        if self.at("{") and not (source is not None and self.breaks[self.i]):
            values = self.map_entries()
        elif source is None:
            self.fail_expected("'{'")
        return values, source

    def _target(self) -> ex.Expression:
        header, self.header = self.header, True
        name = self.identifier()
        target = self.postfix(ex.Name(name.start, name.end, name.text))
        self.header = header
        return target

    def _update(self) -> ex.Expression:
        start = self.start
        self.i += 1
        target = self._target()
        if self.at_word("set") and isinstance(target, ex.Name):
            entity = Identifier(target.start, target.end, target.text)
            assignments: list[q.SetClause] = []
            while self.take_word("set"):
                assignments.extend(self._assignments())
            clauses = self.clauses(("where", "with", "as"))
            return q.UpdateRows(
                start,
                self.previous_end,
                entity,
                tuple(assignments),
                clauses.where,
                clauses.everything,
                clauses.with_deleted,
                clauses.as_system,
            )
        values, source = self._row_values()
        system = self._system()
        return q.UpdateRow(start, self.previous_end, target, values, source, system)

    def _assignments(self) -> list[q.SetClause]:
        found: list[q.SetClause] = []
        while True:
            field = self.identifier("a field")
            if not self.doubled_equals():
                self.expect("=", "'='")
            value = self.expression()
            found.append(q.SetClause(field.start, value.end, field, value))
            if not (self.at(",") and self.kind_at(1) == NAME and self.kind_at(2) in ("=", "==")):
                return found
            self.i += 1

    def _delete(self) -> ex.Expression:
        start = self.start
        self.i += 1
        target = self._target()
        if isinstance(target, ex.Name) and (self.at_word("where") or self.at_word("with")) and self.kind_at(1) not in (":", "{"):
            clauses = self.clauses(("where", "with", "as"))
            entity = Identifier(target.start, target.end, target.text)
            return q.DeleteRows(
                start,
                self.previous_end,
                entity,
                clauses.where,
                clauses.everything,
                clauses.with_deleted,
                clauses.as_system,
            )
        return q.DeleteRow(start, target.end, target, self._system())

    def _call_operation(self) -> ex.Expression:
        start = self.start
        self.i += 1
        operation = self.event_reference("operation")
        values = self.map_entries() if self.at("{") and not self.breaks[self.i] else ()
        return self.postfix(q.CallOperation(start, self.previous_end, operation, values))

    def _start(self, word: str) -> ex.Expression:
        start = self.start
        self.i += 1
        target = self.identifier(f"what to {word}")
        values = self.map_entries() if self.at("{") and not self.breaks[self.i] else foreign_statements.carried(self, word, target.text)
        return q.Start(start, self.previous_end, word, target, values)
