"""Operators with their binding powers (language page, section 4), and the words that tell where an expression ends."""

from __future__ import annotations

from typing import Final

# Binding powers, weakest to strongest (language page, section 4).
TERNARY: Final = 1
OR: Final = 2
AND: Final = 3
NOT: Final = 4
COMPARISON: Final = 5
COALESCE: Final = 6
SUM: Final = 7
PRODUCT: Final = 8
NEGATION: Final = 9

SYMBOLS: Final[dict[str, tuple[int, str]]] = {
    "?": (TERNARY, "?"),
    "||": (OR, "or"),
    "&&": (AND, "and"),
    "==": (COMPARISON, "=="),
    "=": (COMPARISON, "="),
    "!=": (COMPARISON, "!="),
    "<": (COMPARISON, "<"),
    "<=": (COMPARISON, "<="),
    ">": (COMPARISON, ">"),
    ">=": (COMPARISON, ">="),
    "??": (COALESCE, "??"),
    "+": (SUM, "+"),
    "-": (SUM, "-"),
    "*": (PRODUCT, "*"),
    "/": (PRODUCT, "/"),
    "%": (PRODUCT, "%"),
}
WORDS: Final[dict[str, tuple[int, str]]] = {
    "or": (OR, "or"),
    "and": (AND, "and"),
    "in": (COMPARISON, "in"),
    "not": (COMPARISON, "not_in"),
    "contains": (COMPARISON, "contains"),
    "includes": (COMPARISON, "contains"),
    "starts_with": (COMPARISON, "starts_with"),
    "ends_with": (COMPARISON, "ends_with"),
    "matches": (COMPARISON, "matches"),
    "is": (COMPARISON, "is"),
    "between": (COMPARISON, "between"),
}
# With what a line goes on.
CONTINUING: Final = frozenset(
    [".", "?", ":", "??", "+", "*", "/", "==", "!=", "<", "<=", ">", ">=", "&&", "||"]
)  # with what a line goes on
TYPE_WORDS: Final = frozenset(
    (
        *("uuid", "string", "text", "varchar", "int", "integer", "bigint", "float", "double", "number", "decimal", "numeric"),
        *("bool", "boolean", "timestamp", "datetime", "date", "time", "duration", "email", "url", "json", "object", "jsonb"),
        *("map", "bytes", "binary", "list", "array", "enum", "ref", "many"),
    )
)
# Words with which a line goes on: at the beginning of a statement they would be read as part of the one before.
CONTINUING_WORDS: Final = frozenset(
    (
        *("where", "order", "order_by", "asc", "desc", "group", "having", "limit", "offset", "search", "with", "join", "include", "set"),
        *("and", "or", "in", "contains", "includes", "starts_with", "ends_with", "matches", "is", "between", "as"),
    )
)
# Words with which the lines of a query go on, below its first one.
CLAUSE_WORDS: Final = frozenset(("where", "order", "order_by", "group", "having", "limit", "offset", "join"))
# Words that begin a statement, and are no values unless something is called so.
STATEMENT_WORDS: Final = frozenset(
    (
        *("let", "var", "if", "for", "return", "redirect", "fail", "require", "log", "sleep", "as", "emit", "send", "expect", "mock"),
        "advance",
    )
)
# Words that begin a query, a write or another expression when something follows that could be its operand.
PREFIXES: Final = frozenset(
    ("select", "find", "first", "exists", "get", "create", "update", "delete", "call", "start", "run", "exec", "if", "not")
)
# What stands behind a variable of such a name, and is no operand.
NO_OPERANDS: Final = frozenset(
    ("is", "in", "and", "or", "not", "contains", "includes", "starts_with", "ends_with", "matches", "between", "as", "then", "else")
)
VALUES: Final = ("true", "false", "null")  # names that are none where an expression stands
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
LEVELS: Final = ("debug", "info", "warn", "error")
