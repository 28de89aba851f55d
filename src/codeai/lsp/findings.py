"""Findings as an editor shows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from lsprotocol import types as lsp

from codeai.language.diagnostics import Diagnostic, Severity
from codeai.lsp.checked import Checked

SOURCE: Final = "codeai"
OLDER: Final = "CAI0030"
_UNNECESSARY: Final = ("CAI0032", "CAI0131", "CAI0133", "CAI0340")  # read but not used, never used, never read, never reached
_WEIGHTS: Final = {
    Severity.ERROR: lsp.DiagnosticSeverity.Error,
    Severity.WARNING: lsp.DiagnosticSeverity.Warning,
    Severity.INFO: lsp.DiagnosticSeverity.Information,
    Severity.HINT: lsp.DiagnosticSeverity.Hint,
}


def findings(checked: Checked, uri: Callable[[Path], str]) -> dict[Path, list[lsp.Diagnostic]]:
    """The findings of each file of a program, in the order of the text; none, where there are none."""
    found: dict[Path, list[lsp.Diagnostic]] = {path: [] for path in checked.lines}
    for one in sorted(checked.loaded.diagnostics, key=lambda item: item.primary.start):
        path, shown = finding(one, checked, uri)
        found[path].append(shown)
    return found


def finding(found: Diagnostic, checked: Checked, uri: Callable[[Path], str]) -> tuple[Path, lsp.Diagnostic]:
    """One finding, with the file in which it stands."""
    path, place = checked.place(found.primary.start, found.primary.end)
    related = []
    for span in found.secondary:
        other, where = checked.place(span.start, span.end)
        related.append(lsp.DiagnosticRelatedInformation(lsp.Location(uri(other), where), span.label or "see here"))
    return path, lsp.Diagnostic(
        range=place,
        message=message(found),
        severity=lsp.DiagnosticSeverity.Hint if found.code == OLDER else _WEIGHTS[found.severity],
        code=found.code,
        source=SOURCE,
        tags=_tags(found.code),
        related_information=related or None,
        data={"class": str(found.kind), "fixes": bool(found.edits)},
    )


def message(found: Diagnostic) -> str:
    """What the finding says, with its class, and what to do on lines of their own."""
    lines = [f"{found.kind}: {found.message}"]
    lines.extend(f"{word}: {text}" for word, text in (("help", found.help), ("note", found.note)) if text)
    return "\n".join(lines)


def _tags(code: str) -> list[lsp.DiagnosticTag] | None:
    if code == OLDER:
        return [lsp.DiagnosticTag.Deprecated]
    return [lsp.DiagnosticTag.Unnecessary] if code in _UNNECESSARY else None
