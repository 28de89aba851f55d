"""The ``q`` of a list: a condition, or a simple filter, over the rows of the list. It is a condition if it parses as one."""

from __future__ import annotations

import datetime
from typing import Any, Final

from codeai.analysis.queries import Queries
from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Host, Range, Scope
from codeai.language.parser import parse_expression
from codeai.language.source import SourceFile
from codeai.language.tree import expressions as ex
from codeai.model import expression as ir
from codeai.model.application import Application
from codeai.model.traversal import children
from codeai.query.compiler import Compiler
from codeai.query.errors import CompilerError, ParserError
from codeai.query.scope import TableRange
from codeai.query.text.findings import first_error
from codeai.query.text.folding import folded
from codeai.query.text.simple import simple_filter
from codeai.query.text.symbols import symbols_of
from codeai.query.truth import Truth

MAX_LENGTH: Final = 2_000
MAX_DEPTH: Final = 20
MAX_TERMS: Final = 50
ALIAS: Final = "q"
_COMPARISONS: Final = ("==", "!=", "<", "<=", ">", ">=", "in", "not_in", "contains", "starts_with", "ends_with", "matches")
_FORBIDDEN: Final = (
    *(ir.Selection, ir.UpdateRows, ir.DeleteRows, ir.CreateRow, ir.ChangeRow, ir.RemoveRow, ir.Request, ir.CallFunction),
    *(ir.CurrentUser, ir.EnvironmentValue, ir.ConfigValue),
)


class FilterText:
    """Understands what callers may send as a condition: readable fields only, no query, no call of the program."""

    def __init__(self, application: Application) -> None:
        self._symbols = symbols_of(application)

    def condition(self, entity: str, text: str, now: datetime.datetime | None = None) -> ir.Expression:
        """The resolved condition over ``RangeRow("q")``.

        :param entity: whose rows it is about
        :param now: what ``now()`` stands for
        :raises QueryError: LexerError, ParserError, CompilerError … with the texts of the language page
        """
        if len(text) > MAX_LENGTH:
            raise ParserError(f"a filter has at most {MAX_LENGTH} characters")
        tree = self._tree(entity, text)
        reporter = Reporter(declares=False)
        scope = Scope(Host("a filter", user=False, database=False), None, (Range(entity, ALIAS),))
        scope.query = True
        found = Queries(self._symbols, reporter, query_text=True).condition(tree, scope)
        error = first_error(reporter.diagnostics)
        if error is not None:
            raise error
        _check(found)
        return folded(found, now)

    def _tree(self, entity: str, text: str) -> ex.Expression:
        parsed = parse_expression(SourceFile("q", text))
        if parsed.expression is not None and not _is_value(parsed.expression):
            return parsed.expression
        simple = simple_filter(text, self._symbols.entities[entity])
        if simple is not None:
            return simple
        if parsed.expression is not None:
            return parsed.expression
        raise first_error(parsed.diagnostics) or ParserError("unexpected end of input")

    def compile(self, compiler: Compiler, row: TableRange, text: str, now: datetime.datetime | None) -> Truth:
        """The condition as part of a statement about ``row``."""
        condition = self.condition(row.entity.name, text, now)
        compiler.ranges[ALIAS] = row
        return compiler.truth(condition)


def _is_value(tree: ex.Expression) -> bool:
    """Whether an expression is no condition by its form: a text, as ``"reading light"``, or a sum, as ``light -archived``."""
    if isinstance(tree, ex.Binary):
        return tree.operator in ("+", "-", "*", "/", "%")
    return isinstance(tree, ex.StringLiteral) or (isinstance(tree, ex.Unary) and tree.operator == "-")


def _check(node: ir.Expression) -> None:
    """The limits of what a caller may ask."""
    terms = 0
    waiting: list[tuple[Any, int]] = [(node, 1)]
    while waiting:
        part, depth = waiting.pop()
        if isinstance(part, _FORBIDDEN):
            raise CompilerError("a filter compares fields with values only", at=part.at)
        if depth > MAX_DEPTH:
            raise CompilerError(f"a filter is at most {MAX_DEPTH} deep", hint="use 'in' for many values", at=getattr(part, "at", -1))
        terms += isinstance(part, ir.IsNull | ir.Between) or (isinstance(part, ir.Binary) and part.operator in _COMPARISONS)
        if terms > MAX_TERMS:
            raise CompilerError(f"a filter has at most {MAX_TERMS} terms", hint="use 'in' for many values")
        waiting.extend((child, _depth(part, child, depth)) for child in children(part))


def _depth(parent: Any, child: Any, depth: int) -> int:
    """A chain of ``and`` (or of ``or``) is one level, however long."""
    chain = isinstance(parent, ir.Binary) and isinstance(child, ir.Binary)
    return depth if chain and parent.operator == child.operator and parent.operator in ("and", "or") else depth + 1
