"""Names in quotes: ``on "order.created" do workflow "fulfil"``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codeai.language.spellings.outline import event_key
from codeai.language.tree.node import Identifier, Reference

if TYPE_CHECKING:
    from codeai.language.parser.cursor import Cursor


def quoted_reference(p: Cursor, names: tuple[Identifier, ...], kind: str) -> Reference:
    """The reference that quoted names are. What the program does not declare stays quoted: it is only a warning.

    :param kind: the keyword that would declare it
    """
    text = ".".join(name.text for name in names)
    if kind == "event":
        known = event_key(text) in p.outline.events
    elif kind in ("integration", "operation"):
        known = p.outline.declares("operation", text)
    else:
        known = p.outline.declares(kind, text.split(".")[0])
    if known:
        p.older(names[0].start, names[0].end, text)
    return Reference(names[0].start, names[0].end, names, not known)
