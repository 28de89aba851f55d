"""Expressions without queries: which part elaborates which node."""

from __future__ import annotations

from codeai.analysis.operators import Operators
from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import broken
from codeai.analysis.symbols import Symbols
from codeai.language import types as t
from codeai.language.tree import expressions as ex
from codeai.model import expression as ir


class Expressions(Operators):
    """Elaborates expressions; queries, calls and writes join in subclasses."""

    def __init__(self, symbols: Symbols, reporter: Reporter, *, query_text: bool = False) -> None:
        super().__init__(symbols, reporter, query_text=query_text)
        self._dispatch |= {
            ex.Name: self._name,
            ex.IntLiteral: self._integer,
            ex.DecimalLiteral: self._decimal,
            ex.StringLiteral: lambda node, scope, expected: ir.Constant(type=t.String(), value=node.value, at=node.start),
            ex.BooleanLiteral: lambda node, scope, expected: ir.Constant(type=t.Bool(), value=node.value, at=node.start),
            ex.NullLiteral: lambda node, scope, expected: ir.Constant(type=t.Null(), value=None, at=node.start),
            ex.DurationLiteral: self._duration,
            ex.SizeLiteral: lambda node, scope, expected: ir.Constant(type=t.Int(), value=node.size, at=node.start),
            ex.Interpolation: self._interpolation,
            ex.ListLiteral: self._list,
            ex.MapLiteral: self._map,
            ex.Member: self._member,
            ex.Index: self._index,
            ex.Call: self.call,
            ex.Unary: self._unary,
            ex.Binary: self._binary,
            ex.IsNull: self._is_null,
            ex.Between: self._between,
            ex.Conditional: self._conditional,
            ex.Conversion: self._conversion,
            ex.Lambda: self._stray,
            ex.Star: self._stray,
            ex.Provided: self._stray,
            ex.Missing: lambda node, scope, expected: broken(node),
        }
