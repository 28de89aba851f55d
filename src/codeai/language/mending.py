"""Applying the edits of findings to the text (``codeai validate --fix``).

Only safe edits are applied, and none in whose place another error stands: there the text is not understood well enough.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from codeai.language.diagnostics import Diagnostic, Edit, Severity
from codeai.language.source import SourceFile, Sources


def safe_edits(diagnostics: Sequence[Diagnostic]) -> list[Edit]:
    """The edits that may be applied together, in the order of the text; of those that overlap the first."""
    fixes = [found for found in diagnostics if found.edits and all(edit.safe for edit in found.edits)]
    chosen: list[Edit] = []
    for fix in sorted(fixes, key=lambda found: found.edits[0].start):
        others = [found for found in diagnostics if found is not fix and found.severity is Severity.ERROR]
        disputed = any(_touches(edit, found.primary.start, found.primary.end) for edit in fix.edits for found in others)
        taken = any(_touches(edit, other.start, other.end) for edit in fix.edits for other in chosen)
        if not disputed and not taken:
            chosen.extend(fix.edits)
    return sorted(chosen, key=lambda edit: edit.start)


def _touches(edit: Edit, start: int, end: int) -> bool:
    return edit.start < max(end, start + 1) and start < max(edit.end, edit.start + 1)


def mended(file: SourceFile, edits: Sequence[Edit], original: str) -> str:
    r"""The text of a file with the edits applied, its line ends and byte order mark kept.

    :param file: the text that was analysed, in which line ends are ``\\n``
    :param edits: those of this file, in order, without overlap
    :param original: the same text as it stands in the file
    """
    mark = 1 if original.startswith("\ufeff") else 0
    returns = _returns(original[mark:])
    found: list[str] = [original[:mark]]
    at = mark

    def place(offset: int) -> int:
        local = offset - file.base
        return mark + local + bisect_left(returns, local)

    for edit in edits:
        found.append(original[at : place(edit.start)])
        found.append(edit.replacement)
        at = place(edit.end)
    return "".join(found) + original[at:]


def _returns(text: str) -> list[int]:
    """Where, counted without them, the carriage returns before line ends stood."""
    found: list[int] = []
    at = text.find("\r\n")
    while at >= 0:
        found.append(at - len(found))
        at = text.find("\r\n", at + 2)
    return found


def by_file(edits: Sequence[Edit], sources: Sources) -> list[tuple[SourceFile, list[Edit]]]:
    """The edits of each file that has some."""
    found: dict[int, tuple[SourceFile, list[Edit]]] = {}
    for edit in edits:
        file = sources.file_at(edit.start)
        found.setdefault(file.base, (file, []))[1].append(edit)
    return list(found.values())
