"""Whole queries as text, for operators: ``codeai query "select …"`` and the query API. They read; they never write."""

from __future__ import annotations

import datetime

from codeai.analysis.queries import Queries
from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Host, Scope
from codeai.analysis.symbols import Symbols
from codeai.language.parser import parse_expression
from codeai.language.source import SourceFile
from codeai.language.tree import queries as q
from codeai.model import expression as ir
from codeai.query.errors import ParserError, SemanticError
from codeai.query.text.findings import first_error
from codeai.query.text.folding import folded
from codeai.query.text.symbols import restricted
from codeai.query.traversal import any_node

MAX_LENGTH = 20_000
_WRITING = (q.UpdateRows, q.DeleteRows, q.CreateRow, q.UpdateRow, q.DeleteRow, q.CallOperation, q.Start)
_WRITES = (ir.UpdateRows, ir.DeleteRows, ir.CreateRow, ir.ChangeRow, ir.RemoveRow, ir.Request)


def parse_query_text(text: str, symbols: Symbols, now: datetime.datetime | None = None) -> ir.Selection:
    """The resolved query of an operator. Secret fields have no name here either.

    :param symbols: the names of the program
    :param now: what ``now()`` stands for where it stands beside constants; the host knows it otherwise
    :raises QueryError: LexerError, ParserError, SemanticError, CompilerError with the texts of the language page
    """
    if len(text) > MAX_LENGTH:
        raise ParserError(f"a query has at most {MAX_LENGTH} characters")
    parsed = parse_expression(SourceFile("query", text))
    if parsed.expression is None:
        raise first_error(parsed.diagnostics) or ParserError("unexpected end of input")
    if isinstance(parsed.expression, _WRITING):
        raise SemanticError("a query only reads", hint="write with an endpoint of the program")
    reporter = Reporter()
    found = Queries(restricted(symbols), reporter, query_text=True).expression(parsed.expression, Scope(Host("a query", user=False)))
    error = first_error(reporter.diagnostics)
    if error is not None:
        raise error
    if not isinstance(found, ir.Selection) or any_node(found, lambda node: isinstance(node, _WRITES)):
        raise ParserError("expected a query", hint="begin with select, first, exists or count(…)")
    selection = folded(found, now)
    assert isinstance(selection, ir.Selection)
    return selection
