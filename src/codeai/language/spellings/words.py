"""Words that have another name in the canonical form: types, query words, kinds of middleware."""

from __future__ import annotations

from typing import Final

TYPES: Final = {
    **dict.fromkeys(("integer", "bigint", "int32", "int64"), "int"),
    **dict.fromkeys(("double", "number"), "float"),
    "varchar": "string",
    "numeric": "decimal",
    "boolean": "bool",
    "datetime": "timestamp",
    "jsonb": "json",
    "object": "json",
    "binary": "bytes",
    "array": "list",
    "has_many": "many",
    "Empty": "void",
}
QUERY: Final = {"find": "select", "include": "with", "order_by": "order by"}
MIDDLEWARE: Final = {"apikey": "api_key", "request_logger": "logging"}
