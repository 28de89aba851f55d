"""Query text at run time: the language's own grammar, checked by its own checker, with the errors of the language page.

Callers send conditions and simple filters (``FilterText``); operators send whole queries (``parse_query_text``). Either way the text
becomes a resolved expression and is compiled like one of the program; its constants are bound, its names are looked up.
"""

from __future__ import annotations

from codeai.query.text.conditions import FilterText
from codeai.query.text.queries import parse_query_text, parse_statement_text

__all__ = ["FilterText", "parse_query_text", "parse_statement_text"]
