"""Queries and writes as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from codeai.language.formatter.expressions import Expressions
from codeai.language.formatter.printer import INDENT
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree.node import Node

_ENCLOSED: Final = 1  # binds more strongly than what has no end of its own
_EVERYTHING: Final = re.compile(r"where all(?![\w(.]| ==? )")  # how what takes all rows begins, and a variable of that name does not


class Queries(Expressions):
    """Prints what begins with a query word."""

    def query(self, node: Node, depth: int) -> str:
        """A query, a write, or another word with a block of its own."""
        return _PRINTERS[type(node)](self, node, depth)

    def clauses(self, parts: list[str], depth: int) -> str:
        """The clauses of a query, from the second on its own line when it does not fit on one."""
        if not self.broken or len(parts) < 2:
            return " ".join(parts)
        return parts[0] + "".join(f"\n{INDENT * (depth + 1)}{part}" for part in parts[1:])

    def part(self, head: str, node: Node, depth: int) -> str:
        """One clause of a query: where the query takes several lines, each clause is broken only if it does not fit by itself."""
        if not self.broken:
            return f"{head}{self._operand(node, depth)}"
        self.broken = False
        whole = isinstance(node, ex.MapLiteral)
        text = f"{head}{self._operand(node, depth)}" if whole else self.fitted(lambda: f"{head}{self._operand(node, depth)}", depth)
        self.broken = True
        return text

    def _operand(self, node: Node, depth: int) -> str:
        """What stands behind the word of a clause: no clause before a brace, and no query that would take the next clauses."""
        text = self.expression(node, depth, _ENCLOSED)
        return f"({text})" if text.startswith("{") else text

    def select(self, node: q.Select, depth: int) -> str:
        inner = depth + 1 if self.broken else depth
        if node.operand is not None or node.kind not in ("select", "first", "exists"):
            assert node.operand is not None
            parts = [self.expression(node.operand, inner), *self._where(node, inner)]
            return f"{node.kind}({' '.join(parts)})"
        assert node.entity is not None
        columns = [
            self.expression(column.value, inner, _ENCLOSED) + (f" as {column.name.text}" if column.name is not None else "")
            for column in node.columns
        ]
        listed = self._enumerated(f"{node.kind} ", columns, inner)
        parts = [f"{listed} from {node.entity.text}" if columns else f"{node.kind} {node.entity.text}"]
        if node.loads:
            parts.append(f"with {', '.join(load.text for load in node.loads)}")
        parts += [self.part(f"join {join.entity.text} on ", join.condition, inner) for join in node.joins]
        parts += self._where(node, inner)
        if node.search is not None:
            parts.append(self.part("search ", node.search, inner))
        if node.group_by:
            parts.append(self._enumerated("group by ", [self.expression(value, inner, _ENCLOSED) for value in node.group_by], inner))
        if node.having is not None:
            parts.append(self.part("having ", node.having, inner))
        if node.order_by:
            parts.append(self._enumerated("order by ", [self._ordered(term, inner) for term in node.order_by], inner))
        for word, value in (("limit", node.limit), ("offset", node.offset)):
            if value is not None:
                parts.append(f"{word} {self._operand(value, inner)}")
        return self.clauses([*parts, *self._system(node)], depth)

    def _enumerated(self, head: str, parts: list[str], depth: int) -> str:
        return self.enumerated(head, parts, depth) if self.broken else f"{head}{', '.join(parts)}"

    def _ordered(self, term: q.OrderTerm, depth: int) -> str:
        return self.expression(term.value, depth, _ENCLOSED) + (" desc" if term.descending else "")

    def _where(self, node: q.Select | q.UpdateRows | q.DeleteRows, depth: int) -> list[str]:
        parts = ["with deleted"] if node.with_deleted else []
        if node.where is not None:
            part = self.part("where ", node.where, depth)
            parts.append(part if _EVERYTHING.match(part) is None else f"where ({part.removeprefix('where ')})")
        elif getattr(node, "everything", False):
            parts.append("where all")
        if isinstance(node, q.Select) and node.operand is not None:
            parts += self._system(node)
        return parts

    def _system(self, node: Any) -> list[str]:
        return ["as system"] if node.as_system else []

    def get(self, node: q.Get, depth: int) -> str:
        parts = [f"get {node.entity.text}({self.listed_value(node.key, depth)})"]
        if node.loads:
            parts.append(f"with {', '.join(load.text for load in node.loads)}")
        if node.with_deleted:
            parts.append("with deleted")
        return self.clauses([*parts, *self._system(node)], depth)

    def create(self, node: q.CreateRow, depth: int) -> str:
        return self._row(node, f"create {node.entity.text}", depth)

    def update(self, node: q.UpdateRow, depth: int) -> str:
        return self._row(node, f"update {self._target(node.target, depth)}", depth)

    def _row(self, node: q.CreateRow | q.UpdateRow, head: str, depth: int) -> str:
        if node.source is not None:
            head += f" from {self.headed(node.source, depth)}"
        text = self.entries(node, head, node.values, depth) if node.values or node.source is None else head
        return " ".join([text, *self._system(node)])

    def delete(self, node: q.DeleteRow, depth: int) -> str:
        return " ".join([f"delete {self._target(node.target, depth)}", *self._system(node)])

    def _target(self, node: Node, depth: int) -> str:
        return node.text if isinstance(node, ex.Name) else self.headed(node, depth)

    def update_rows(self, node: q.UpdateRows, depth: int) -> str:
        inner = depth + 1 if self.broken else depth
        assignments = [f"{part.field.text} = {self.expression(part.value, inner, _ENCLOSED)}" for part in node.assignments]
        setting = self._enumerated("set ", assignments, inner)
        return self.clauses([f"update {node.entity.text}", setting, *self._where(node, inner), *self._system(node)], depth)

    def delete_rows(self, node: q.DeleteRows, depth: int) -> str:
        inner = depth + 1 if self.broken else depth
        return self.clauses([f"delete {node.entity.text}", *self._where(node, inner), *self._system(node)], depth)

    def operation(self, node: q.CallOperation, depth: int) -> str:
        return self._invocation(node, f"call {self.reference(node.operation)}", depth)

    def activity(self, node: q.CallActivity, depth: int) -> str:
        return self._invocation(node, node.function.text, depth)

    def start(self, node: q.Start, depth: int) -> str:
        return self._invocation(node, f"{node.kind} {node.target.text}", depth)

    def _invocation(self, node: Any, head: str, depth: int) -> str:
        return self.entries(node, head, node.values, depth) if node.values else head

    def request(self, node: q.TestRequest, depth: int) -> str:
        path = self.between(node.path.start + 1, node.path.end - 1)
        text = f"{node.method} {path}"
        if node.headers is not None:
            text += f" headers {self.expression(node.headers, depth)}"
        if node.body is not None:
            text += f" {self.expression(node.body, depth)}"
        return text


_PRINTERS: Final[dict[type, Callable[[Queries, Any, int], str]]] = {
    q.Select: Queries.select,
    q.Get: Queries.get,
    q.CreateRow: Queries.create,
    q.UpdateRow: Queries.update,
    q.DeleteRow: Queries.delete,
    q.UpdateRows: Queries.update_rows,
    q.DeleteRows: Queries.delete_rows,
    q.CallOperation: Queries.operation,
    q.CallActivity: Queries.activity,
    q.Start: Queries.start,
    q.TestRequest: Queries.request,
    q.Exec: Queries.shell,
}
