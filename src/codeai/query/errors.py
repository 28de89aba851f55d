"""What can be wrong with a query: its text, its values, or what it finds. HTTP turns these into problems elsewhere."""

from __future__ import annotations


class QueryError(Exception):
    """The base. ``code`` is stable; the text is for the caller and says nothing of the database.

    :param hint: the next step, or empty
    :param at: offset in the program or in the query text, -1 when there is none
    """

    code = "query_error"

    def __init__(self, message: str, *, hint: str = "", at: int = -1) -> None:
        super().__init__(message)
        self.hint = hint
        self.at = at


class LexerError(QueryError):
    """Query text that has a character or string that cannot be read."""

    code = "lexer_error"


class ParserError(QueryError):
    """Query text whose words do not fit together."""

    code = "parser_error"


class SemanticError(QueryError):
    """Query text that names an entity that does not exist."""

    code = "semantic_error"


class CompilerError(QueryError):
    """A query that names an unknown field, compares what does not compare, or needs what no database offers."""

    code = "compiler_error"


class ExecutionError(QueryError):
    """A query that failed while it ran; the cause is chained for the log."""

    code = "execution_error"


class TooManyRows(ExecutionError):
    """More rows than a query without a larger ``limit`` may give (language page, section 4)."""

    code = "too_many_rows"

    def __init__(self, entity: str, limit: int) -> None:
        super().__init__(f"more than {limit} rows of '{entity}'", hint="say a limit, or narrow the condition")
        self.entity = entity
        self.limit = limit


class RowNotFound(QueryError):
    """No such row, or none that the caller may read: the two are not told apart."""

    code = "not_found"

    def __init__(self, entity: str) -> None:
        super().__init__(f"no such '{entity}'")
        self.entity = entity


class NotAllowed(QueryError):
    """A policy does not let the caller do this to a row that the caller may read (or create)."""

    code = "forbidden"

    def __init__(self, action: str, entity: str, *, hint: str = "") -> None:
        super().__init__(f"not allowed to {action} this '{entity}'", hint=hint)
        self.action = action
        self.entity = entity


class InvalidValue(QueryError):
    """A value of the caller that cannot be used; ``field`` is where it came from (``sort``, ``cursor``, a field)."""

    code = "invalid_value"

    def __init__(self, field: str, reason: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field
        self.reason = reason
