"""``description: "text"`` in declarations, steps, operations and lists of fields: what ``///`` says before them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from codeai.language.lexer import RAW, STRING

if TYPE_CHECKING:
    from codeai.language.parser.literals import Literals

_Found = TypeVar("_Found")


def taken(p: Literals) -> bool:
    """Takes ``description: "text"`` if it stands here; a type instead of a text makes it a field of that name."""
    if p.texts[p.i] != "description":
        return False
    ahead = 2 if p.kind_at(1) == ":" else 1
    if p.kind_at(ahead) not in (STRING, RAW) or p.kind_at(0) != "name":
        return False
    start = p.start
    p.i += ahead
    text = p.text_literal()
    p.older(start, p.previous_end, "/// …")
    if p.described:
        p.warn(start, p.previous_end, "a second description is not used", "CAI0032", help_text="one description is enough")
    p.described = p.described or text.strip()
    return True


def described(p: Literals, parse: Callable[[], _Found]) -> _Found:
    """What ``parse`` gives, with the description that was found inside of it."""
    start = p.start
    outer, p.described = p.described, ""
    try:
        found = parse()
    finally:
        text, p.described = p.described, outer
    nodes = found if isinstance(found, tuple) else (found,)
    if not text or len(nodes) != 1 or not isinstance(nodes[0], msgspec.Struct):
        return found
    node = nodes[0]
    if getattr(node, "description", ""):
        p.warn(start, p.previous_end, "the comment before it describes this already", "CAI0032", help_text="leave out 'description'")
        return found
    with_text = msgspec.structs.replace(node, description=text)
    return (with_text,) if isinstance(found, tuple) else with_text  # type: ignore[return-value]  # of the same kind
