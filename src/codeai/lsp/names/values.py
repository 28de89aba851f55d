"""What names in expressions refer to, as the analysis has resolved them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from codeai.analysis.observing import Seen
from codeai.analysis.payloads import wire_name
from codeai.analysis.symbols import EntitySymbol, Symbols
from codeai.language import types as t
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Node
from codeai.lsp.names.declared import Declared, Key
from codeai.model import expression as ir

_SHAPES: Final = ("Create", "Update", "Partial", "Pick", "Omit")


class Values:
    """Keys of what expressions refer to.

    :param seen: what the analysis has found out
    :param declared: what the program declares
    """

    def __init__(self, symbols: Symbols, seen: Mapping[Node, Seen], declared: Mapping[Key, Declared]) -> None:
        self.symbols = symbols
        self.seen = seen
        self.declared = declared

    def of_name(self, node: ex.Name, host: int) -> Key | None:
        """What a bare name refers to.

        :param host: where the declaration begins in which it stands
        """
        seen = self.seen.get(node)
        if seen is None:
            return self._known(("type", node.text)) or self._known(("function", node.text))
        if seen.variable is not None and seen.variable.node is not None:
            return ("variable", seen.variable.node.start)
        if node.text in seen.scope.columns:  # that of a field without another name is the field
            return self._of_value(seen.scope.columns[node.text], node.text, host)
        return self._of_value(seen.value, node.text, host)

    def of_member(self, node: ex.Member, host: int) -> Key | None:
        """What the name behind a dot refers to."""
        seen = self.seen.get(node)
        name = node.name.text
        if isinstance(node.target, ex.Name) and self.seen.get(node.target) is None:
            found = self._known(("member", node.target.text, name))
            if found is not None:
                return found
        if seen is not None:
            found = self._of_value(seen.value, name, host)
            if found is not None:
                return found
        target = self.seen.get(node.target)
        return self.of_field(target.value.type, name) if target is not None else None

    def _of_value(self, value: ir.Expression, name: str, host: int) -> Key | None:
        match value:
            case ir.FieldValue(row=row, field=field) | ir.ComputedValue(row=row, field=field) if field == name:
                return self.of_field(row.type, field)
            case ir.RelatedRow(row=row, relation=relation) | ir.RelatedRows(row=row, relation=relation) if relation == name:
                return self.of_field(row.type, relation)
            case ir.RequestValue(place=place, name=str(field)):
                return self._known(("input", host, place, field))
            case ir.ConfigValue(path=path):
                return ("setting", *path)
        return None

    def of_field(self, type_: t.Type, name: str) -> Key | None:
        """The field, relation or member of that name of a value of a type."""
        type_ = t.required(type_)
        if isinstance(type_, t.List | t.Paginated):
            type_ = t.required(type_.item)
        if isinstance(type_, t.Row | t.Ref):
            return self._of_entity(type_.entity, name)
        if not isinstance(type_, t.Record) or not type_.name:
            return None
        if type_.name == "steps":
            return None
        return self._of_record(type_.name, name)

    def _of_record(self, record: str, name: str) -> Key | None:
        event = ("payload", wire_name(record), name)
        found = self._known(("field", record, name)) or self._known(event)
        if found is not None:
            return found
        run = record.removesuffix(" input")
        if run != record:
            return self._known(("argument", run, name))
        whole, _, operation = record.partition(".")
        if operation:
            return self._known(("argument", whole, operation, name))
        shaped = next((record.removesuffix(shape) for shape in _SHAPES if record.endswith(shape)), "")
        return self._of_entity(shaped, name) if shaped else None

    def _of_entity(self, entity: str, name: str) -> Key | None:
        symbol = self.symbols.entities.get(entity)
        if symbol is None:
            return None
        return self._known(("field", entity, name)) or self._relation(symbol, name)

    def _relation(self, symbol: EntitySymbol, name: str) -> Key | None:
        """``customer`` is declared by ``customer_id: ref(Customer)``."""
        relation = symbol.relations.get(name)
        return self._known(("field", symbol.name, relation.field)) if relation is not None and relation.kind == "one" else None

    def _known(self, key: Key) -> Key | None:
        return key if key in self.declared else None
