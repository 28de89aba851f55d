"""Defaults of columns in the words of SQL: ``default "now()"``, ``default "gen_random_uuid()"``, ``default "'draft'"``."""

from __future__ import annotations

import re
from typing import Final

from codeai.language.tree import expressions as ex

UUIDS: Final = ("gen_random_uuid()", "uuid_generate_v4()")
_NOW: Final = ("now()", "current_timestamp", "current_timestamp()")
_TODAY: Final = ("current_date", "current_date()", "today()")
_CAST: Final = re.compile(r"::[a-z_ ]+(\[\])?$", re.IGNORECASE)


def default_value(text: str, start: int, end: int) -> ex.Expression | None:
    """The expression that a default of SQL stands for; None for a function that has no counterpart.

    :param text: what stands between the quotes
    :param start: where the quoted text begins, with its quote
    """
    bare = _CAST.sub("", text.strip())
    word = bare.lower()
    if word in _NOW or word in _TODAY:
        name = "now" if word in _NOW else "today"
        return ex.Call(start, end, ex.Name(start, end, name), ())
    if word in ("true", "false"):
        return ex.BooleanLiteral(start, end, word == "true")
    if word == "null":
        return ex.NullLiteral(start, end)
    if re.fullmatch(r"-?[0-9]+", bare):
        number = ex.IntLiteral(start, end, int(bare.lstrip("-")))
        return ex.Unary(start, end, "-", number) if bare.startswith("-") else number
    if re.fullmatch(r"-?[0-9]+\.[0-9]+", bare):
        exact = ex.DecimalLiteral(start, end, bare.lstrip("-"))
        return ex.Unary(start, end, "-", exact) if bare.startswith("-") else exact
    if bare in ("'{}'", "{}"):
        return ex.MapLiteral(start, end, ())
    if bare in ("'[]'", "[]", "ARRAY[]"):
        return ex.ListLiteral(start, end, ())
    if len(bare) > 1 and bare[0] == bare[-1] == "'":
        return ex.StringLiteral(start, end, bare[1:-1].replace("''", "'"))
    if re.fullmatch(r"[A-Za-z_.]+\(.*\)", bare):
        return None
    return ex.StringLiteral(start, end, text)
