"""The first finding about a text as an exception of its class."""

from __future__ import annotations

from collections.abc import Sequence

from codeai.language.diagnostics import Diagnostic, DiagnosticClass, Severity
from codeai.query.errors import CompilerError, LexerError, ParserError, QueryError, SemanticError

_CLASSES: dict[DiagnosticClass, type[QueryError]] = {
    DiagnosticClass.LEXER: LexerError,
    DiagnosticClass.PARSER: ParserError,
    DiagnosticClass.SYNTAX: ParserError,
    DiagnosticClass.SEMANTIC: SemanticError,
}


def error_of(found: Diagnostic) -> QueryError:
    """A finding as an exception; ``at`` is the offset in the text."""
    return _CLASSES.get(found.kind, CompilerError)(found.message, hint=found.help, at=found.primary.start)


def first_error(diagnostics: Sequence[Diagnostic]) -> QueryError | None:
    """The error that comes first in the text, if there is one."""
    errors = [found for found in diagnostics if found.severity is Severity.ERROR]
    return error_of(min(errors, key=lambda found: found.primary.start)) if errors else None
