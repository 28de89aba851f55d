"""Text for people: the message, the lines it is about, and what to do, in the manner of rustc."""

from __future__ import annotations

from typing import Final

from codeai.language.diagnostics import Diagnostic, Severity
from codeai.language.rendering.columns import plain
from codeai.language.rendering.concise import concise as concise
from codeai.language.rendering.excerpt import GUTTER, PRIMARY, SECONDARY, excerpt
from codeai.language.source import Sources

_COLOURS: Final = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36", Severity.HINT: "36"}

_MOST: Final = 24  # alternatives that are named; the data has all


def rich(found: Diagnostic, sources: Sources, *, colour: bool = False) -> str:
    """A finding with excerpts, its places underlined, help and note.

    :param colour: whether to use ANSI colours
    """
    tone = _COLOURS[found.severity]
    styles = {PRIMARY: f"1;{tone}", SECONDARY: "1;34", GUTTER: "34", "head": f"1;{tone}", "message": "1"}

    def paint(text: str, style: str) -> str:
        return f"\x1b[{styles[style]}m{text}\x1b[0m" if colour and text.strip() else text

    lines = [paint(f"{found.severity}[{found.code}]", "head") + paint(f" {found.kind}: {plain(found.message)}", "message")]
    lines.extend(excerpt(found.primary, found.secondary, sources, paint))
    for name, text in (("help", found.help), ("expected", _alternatives(found)), ("note", found.note)):
        if text:
            lines.append(f"  {paint('=', GUTTER)} {paint(name, 'message')}: {plain(text)}")
    return "\n".join(lines)


def _alternatives(found: Diagnostic) -> str:
    """What could stand there, where that is more than the message or the advice says already."""
    if len(found.expected) < 2 or found.help:
        return ""
    shown = list(found.expected[:_MOST])
    more = len(found.expected) - len(shown)
    return f"{', '.join(shown)} and {more} more" if more else f"{', '.join(shown[:-1])} or {shown[-1]}"
