"""Names in quotes: ``on "order.created" do workflow "fulfil"``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codeai.language.spellings.outline import event_key
from codeai.language.tree.node import Identifier, Reference

if TYPE_CHECKING:
    from codeai.language.parser.cursor import Cursor


def quoted_reference(p: Cursor, text: str, kind: str, start: int, end: int) -> Reference:
    """The reference that a quoted name is. What the program does not declare stays quoted: it is only a warning.

    :param kind: the keyword that would declare it
    """
    if kind == "event":
        known = event_key(text) in p.outline.events
    elif kind in ("integration", "operation"):
        known = p.outline.declares("operation", text)
    else:
        known = p.outline.declares(kind, text.split(".")[0])
    if known:
        p.older(start, end, text)
    return Reference(start, end, tuple(Identifier(start, end, part) for part in text.split(".")), not known)
