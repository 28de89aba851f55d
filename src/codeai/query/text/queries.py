"""Whole queries as text, for operators: ``codeai query "select …"`` and the query API. They read, unless they are
asked to write.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from codeai.analysis.queries import Queries
from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Host, Scope
from codeai.analysis.symbols import Symbols
from codeai.language.parser import parse_expression
from codeai.language.source import SourceFile
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree.node import Node
from codeai.model import expression as ir
from codeai.model.traversal import any_node
from codeai.query.errors import ParserError, SemanticError
from codeai.query.text.findings import first_error
from codeai.query.text.folding import folded
from codeai.query.text.parameters import with_parameters
from codeai.query.text.symbols import restricted

MAX_LENGTH = 20_000
_WRITING = (q.UpdateRows, q.DeleteRows, q.CreateRow, q.UpdateRow, q.DeleteRow, q.CallOperation, q.CallActivity, q.Start)
_WRITES = (ir.UpdateRows, ir.DeleteRows, ir.CreateRow, ir.ChangeRow, ir.RemoveRow)
_OUTSIDE = (ir.CallOperation, ir.CallActivity, ir.StartRun)


def parse_query_text(
    text: str, symbols: Symbols, now: datetime.datetime | None = None, parameters: Mapping[str, Any] | None = None
) -> ir.Selection:
    """The resolved query of an operator, which reads. Secret fields have no name here either.

    :param symbols: the names of the program
    :param now: what ``now()`` stands for where it stands beside constants; the host knows it otherwise
    :param parameters: the values of ``params.name``
    :raises QueryError: LexerError, ParserError, SemanticError, CompilerError with the texts of the language page
    """
    node = _parsed(text, parameters)
    if isinstance(node, _WRITING):
        raise SemanticError("a query only reads", hint="ask for writing: write of the query API, or --write")
    found = _resolved(node, symbols)
    if not isinstance(found, ir.Selection) or any_node(found, lambda inner: isinstance(inner, (*_WRITES, *_OUTSIDE))):
        raise ParserError("expected a query", hint="begin with select, first, exists or count(…)")
    selection = folded(found, now)
    assert isinstance(selection, ir.Selection)
    return selection


def parse_statement_text(
    text: str, symbols: Symbols, now: datetime.datetime | None = None, parameters: Mapping[str, Any] | None = None
) -> ir.Expression:
    """The resolved query or write (``update E set … where …``, ``delete E where …``, ``create E { … }``) of an operator.

    :raises QueryError: as ``parse_query_text``, also for a write to what can only be read
    """
    node = _parsed(text, parameters)
    if isinstance(node, q.UpdateRow | q.DeleteRow):
        raise SemanticError("a write of rows needs a condition", hint="'where all' means every row", at=node.start)
    if not isinstance(node, q.UpdateRows | q.DeleteRows | q.CreateRow):
        return parse_query_text(text, symbols, now, parameters)
    symbol = symbols.entities.get(node.entity.text)
    if symbol is not None and symbol.entity is not None and symbol.entity.view:
        raise SemanticError(f"'{node.entity.text}' can only be read", at=node.entity.start)
    return folded(_resolved(node, symbols, writer=node), now)


def _parsed(text: str, parameters: Mapping[str, Any] | None) -> ex.Expression:
    if len(text) > MAX_LENGTH:
        raise ParserError(f"a query has at most {MAX_LENGTH} characters")
    parsed = parse_expression(SourceFile("query", text))
    error = first_error(parsed.diagnostics)
    if parsed.expression is None or error is not None:
        raise error or ParserError("unexpected end of input")
    return with_parameters(parsed.expression, parameters) if parameters is not None else parsed.expression


class _Writing(Queries):
    """The checker of a text whose outermost node may write."""

    writer: Node | None = None

    def _written(self, node: Node, scope: Scope) -> None:
        if node is not self.writer:
            super()._written(node, scope)


def _resolved(node: ex.Expression, symbols: Symbols, writer: Node | None = None) -> ir.Expression:
    reporter = Reporter(declares=False)
    checker = _Writing(restricted(symbols), reporter, query_text=True)
    checker.writer = writer
    found = checker.expression(node, Scope(Host("a query", user=False)))
    error = first_error(reporter.diagnostics)
    if error is not None:
        raise error
    return found
