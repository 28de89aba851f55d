"""Names that could be read as the beginning of something else: ``create``, ``first`` or ``if`` as a variable.

Whether such a name needs parentheses depends on what is printed behind it, which nobody knows while it is printed. So it is printed
with a mark, and when the text is complete each mark becomes parentheses or nothing.
"""

from __future__ import annotations

import re
from typing import Final

from codeai.language.operators import METHODS, NO_OPERANDS, PREFIXES

_MARK: Final = "\x00?\x00"
_MARKED: Final = re.compile(rf"([A-Za-z]+){re.escape(_MARK)}")
_NEXT: Final = re.compile(r"[ \t]*([A-Za-z_]\w*|.)?")


def marked(name: str) -> str:
    """A name, with a mark if it may need parentheses."""
    return f"{name}{_MARK}" if name in PREFIXES or name in METHODS else name


def settled(text: str) -> str:
    """A text without marks."""
    return _MARKED.sub(lambda found: _settled(found[1], text[found.end() : found.end() + 100]), text) if _MARK in text else text


def _settled(name: str, behind: str) -> str:
    if name in ("if", "not"):
        return name if behind[:1] in (".", ")", ",") else f"({name})"
    found = _NEXT.match(behind)
    following = (found[1] or "") if found is not None else ""
    if name in METHODS:
        return f"({name})" if following == "/" else name
    if following[:1].isalpha() or following[:1] == "_":
        return name if following in NO_OPERANDS and name not in ("select", "find") else f"({name})"
    return f"({name})" if following and following in {"exec": "{", "call": "\"'"}.get(name, "") else name
