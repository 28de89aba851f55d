"""Findings as commands of GitHub Actions, which shows them beside the changed lines (docs: "Workflow commands")."""

from __future__ import annotations

from typing import Final

from codeai.language.diagnostics import Diagnostic, Severity
from codeai.language.rendering.columns import plain
from codeai.language.source import Sources

_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice", Severity.HINT: "notice"}


def annotation(found: Diagnostic, sources: Sources) -> str:
    """``::error file=…,line=…,endLine=…,col=…,endColumn=…,title=…::message``."""
    start = sources.locate(found.primary.start)
    end = sources.file_at(found.primary.start).locate(max(found.primary.start, found.primary.end))
    values = {
        "file": start.path,
        "line": start.line,
        "endLine": end.line,
        "col": start.column,
        # GitHub refuses columns when a place goes over several lines.
        "endColumn": end.column if end.line == start.line else None,
        "title": f"{found.kind} {found.code}",
    }
    if end.line != start.line:
        del values["col"]
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in values.items() if value is not None)
    text = "\n".join(plain(line) for part in (found.message, found.help, found.note) if part for line in part.split("\n"))
    return f"::{_COMMANDS[found.severity]} {properties}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
