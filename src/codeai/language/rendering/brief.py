"""Findings for somebody who runs a program: what is wrong in full, older spellings as a number.

A program in older spellings has hundreds of notes, among which a warning would be lost; ``codeai validate`` shows each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from codeai.language.diagnostics import Diagnostic
from codeai.language.rendering.text import rich
from codeai.language.source import Sources

OLDER: Final = "CAI0030"


def brief(diagnostics: Sequence[Diagnostic], sources: Sources, *, colour: bool = False) -> str:
    """The findings in the order of the text, each followed by an empty line."""
    wanted = sorted((found for found in diagnostics if found.code != OLDER), key=lambda found: found.primary.start)
    parts = [rich(found, sources, colour=colour) for found in wanted]
    older = len(diagnostics) - len(wanted)
    if older:
        spellings = "1 older spelling" if older == 1 else f"{older} older spellings"
        parts.append(f"note: {spellings}; 'codeai fmt' rewrites them, 'codeai validate' shows them")
    return "".join(f"{part}\n\n" for part in parts)
