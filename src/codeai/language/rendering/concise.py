"""One line per finding, for editors and logs."""

from __future__ import annotations

from codeai.language.diagnostics import Diagnostic, Severity
from codeai.language.rendering.columns import plain
from codeai.language.source import Sources


def concise(found: Diagnostic, sources: Sources) -> str:
    """``file:line:column: Class: message``, the column in characters from 1; what is no error names its severity."""
    place = sources.locate(found.primary.start)
    weight = "" if found.severity is Severity.ERROR else f" {found.severity}"
    hint = f" ({found.help})" if found.help else ""
    return plain(f"{place}: {found.kind}{weight}: {found.message}{hint}")
