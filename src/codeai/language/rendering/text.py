"""Text: one line per finding, or with an excerpt of the program in the manner of rustc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from codeai.language.diagnostics import Diagnostic, Severity, Span
from codeai.language.source import Sources

_COLOURS: Final = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36", Severity.HINT: "36"}


def concise(found: Diagnostic, sources: Sources) -> str:
    """``file:line:column: Class: message``."""
    place = sources.locate(found.primary.start)
    weight = "" if found.severity is Severity.ERROR else f" {found.severity}"
    hint = f" ({found.help})" if found.help else ""
    return f"{place}: {found.kind}{weight}: {found.message}{hint}"


def rich(found: Diagnostic, sources: Sources, *, colour: bool = False) -> str:
    """The message with the line it is about, the place underlined, and what to do."""

    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    tone = _COLOURS[found.severity]
    head = paint(f"{found.severity}[{found.code}]", f"1;{tone}") + paint(f" {found.kind}: {found.message}", "1")
    lines = [head, *_excerpt(found.primary, sources, "^", lambda text: paint(text, tone))]
    for span in found.secondary:
        lines.extend(_excerpt(span, sources, "-", lambda text: paint(text, "36")))
    if found.help:
        lines.append(f"  = help: {found.help}")
    if found.note:
        lines.append(f"  = note: {found.note}")
    return "\n".join(lines)


def _excerpt(span: Span, sources: Sources, mark: str, paint: Callable[[str], str]) -> list[str]:
    place = sources.locate(span.start)
    text = sources.file_at(span.start).line_text(place.line).expandtabs(1) if place.path else ""
    length = max(1, min(span.end - span.start, len(text) - place.column + 1))
    start = max(0, place.column - 100)
    shown = text[start : start + 160]
    gutter = " " * len(str(place.line))
    under = " " * (place.column - 1 - start) + mark * length
    label = f" {span.label}" if span.label else ""
    return [
        f"{gutter}--> {place}",
        f"{gutter} |",
        f"{place.line} | {shown}",
        f"{gutter} | {paint(under[:160] + label)}",
    ]
