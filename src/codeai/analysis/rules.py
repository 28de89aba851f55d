"""What an entity lays down beside its fields: indexes, checks, policies and what is hidden (language page, section 5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from codeai.analysis.inquiries import Inquiries
from codeai.analysis.scope import Host, Range, Scope
from codeai.analysis.statements import finish
from codeai.analysis.symbols import EntitySymbol
from codeai.analysis.translation import beyond_row, place_of
from codeai.language import types as t
from codeai.language.diagnostics import Severity
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier, Node
from codeai.model import expression as ir
from codeai.model.entity import Allow, Check, Hide, Index

_UNINDEXED: Final = (t.Json, t.List, t.Map, t.Record, t.Bytes)
_OF_TABLE: Final = 46  # characters of a table's name in those of its checks: a number and a hash follow, in 63 altogether
_ACTIONS: Final = ("read", "create", "update", "delete")


def source_text(sources: Any, node: Node) -> str:
    """The text of a node, on one line."""
    return " ".join(sources.text(node.start, node.end).split()) if sources is not None else ""


class Rules(Inquiries):
    """Elaborates the lines of an entity that are no fields."""

    sources: Any = None

    def _row_scope(self, symbol: EntitySymbol, kind: str, *, user: bool = True) -> Scope:
        scope = Scope(Host(kind, user=user, database=kind == "a policy"), None, (Range(symbol.name, "self"),))
        scope.query = True
        return scope

    def _indexes(self, symbol: EntitySymbol) -> tuple[Index, ...]:
        found: list[Index] = []
        places: dict[str, Node] = {}
        for clause in symbol.declaration.clauses:
            if not isinstance(clause, d.IndexClause):
                continue
            self._indexed(symbol, clause)
            if self._unique_already(symbol, clause):
                continue
            if not clause.columns:
                self.report.error(clause, "an index has fields", "CAI0205", help_text="as in index: [name]")
            columns = tuple((column.name.text, column.descending) for column in clause.columns)
            name = "_".join([symbol.table, *(column for column, _ in columns), "key" if clause.unique else "idx"])
            if name in places and columns in (index.columns for index in found if index.unique == clause.unique):
                said = "there is an index on these fields already"
                hint, other = "leave one of them out", places[name]
                self.report.error(clause, said, "CAI0217", severity=Severity.WARNING, other=other, label="declared here", help_text=hint)
                continue
            name = name if name not in places else f"{name}_{len(places)}"
            places[name] = clause
            found.append(Index(name=name, columns=columns, unique=clause.unique))
        return tuple(found)

    def _unique_already(self, symbol: EntitySymbol, clause: d.IndexClause) -> bool:
        """Whether the index is the one that a ``unique`` field has by itself."""
        field = symbol.fields.get(clause.columns[0].name.text) if len(clause.columns) == 1 else None
        return clause.unique and field is not None and field.unique and not field.primary

    def _indexed(self, symbol: EntitySymbol, clause: d.IndexClause) -> None:
        """Reports fields that cannot be in an index."""
        self.distinct(column.name for column in clause.columns)
        for column in clause.columns:
            name = column.name.text
            field = symbol.fields.get(name)
            if field is None and (name in symbol.computed or name in symbol.relations):
                self.report.error(column.name, f"'{name}' is not stored, and an index is over what is", "CAI0205")
            elif field is None:
                self.unknown_field(column.name, symbol)
            elif isinstance(field.type, _UNINDEXED):
                self.report.error(column.name, f"values of type '{field.type}' have no place in an index", "CAI0205")

    def distinct(self, names: Iterable[Identifier]) -> None:
        """Reports what a list names twice."""
        seen: dict[str, Node] = {}
        for name in names:
            if name.text in seen:
                self.report.duplicate(name, name.text, seen[name.text])
            seen.setdefault(name.text, name)

    def _checks(self, symbol: EntitySymbol) -> tuple[Check, ...]:
        found: list[Check] = []
        scope = self._row_scope(symbol, "a check", user=False)
        for clause in symbol.declaration.clauses:
            if isinstance(clause, d.CheckClause):
                condition = self.condition(clause.condition, scope)
                self._check_of_row(clause.condition, condition)
                text = source_text(self.sources, clause.condition)
                found.append(
                    Check(name=f"{symbol.table[:_OF_TABLE]}_check_{len(found) + 1}", condition=condition, source=text, at=clause.start)
                )
        return tuple(found)

    def _check_of_row(self, node: ex.Expression, condition: ir.Expression) -> None:
        """A check is a condition of the table: it reads its row and constants."""
        found = beyond_row(condition)
        if found is not None:
            at, what = found
            hint = "check it with 'validate' or 'require'"
            self.report.error(place_of(node, at), f"a check reads its own row, and {what}", "CAI0216", help_text=hint)
        else:
            self.check_query(node, condition, advice="check it with 'validate' or 'require'")

    def _allow(self, clause: d.AllowClause, scope: Scope) -> list[Allow]:
        condition: ir.Expression | None = None
        if not (isinstance(clause.condition, ex.Name) and clause.condition.text == "public"):
            condition = finish(self.condition(clause.condition, scope), scope.host)
            self.check_query(clause.condition, condition)
        found: list[Allow] = []
        self.distinct(clause.actions)
        for action in clause.actions:
            if action.text not in _ACTIONS:
                self.report.unknown(action, f"unknown action '{action.text}'", action.text, _ACTIONS, "CAI0115")
                continue
            found.append(Allow(action=action.text, condition=condition, source=source_text(self.sources, clause), at=clause.start))  # type: ignore[arg-type]  # checked above
        return found

    def _hide(self, clause: d.HideClause, symbol: EntitySymbol, scope: Scope) -> Hide:
        self.distinct(Identifier(name.start, name.end, name.text) for name in clause.fields)
        for name in clause.fields:
            if name.text not in symbol.fields and name.text not in symbol.computed:
                self.unknown_field(Identifier(name.start, name.end, name.text), symbol)
        unless = self.condition(clause.unless, scope) if clause.unless is not None else None
        if clause.unless is not None:
            self.check_query(clause.unless, unless)
        return Hide(
            fields=tuple(name.text for name in clause.fields), unless=unless, source=source_text(self.sources, clause), at=clause.start
        )
