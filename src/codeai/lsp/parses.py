"""Trees of texts, from one check of a program to the next: a text that has not changed is not parsed again."""

from __future__ import annotations

from typing import Final

import msgspec

from codeai.language.parser import Parsed, parse_module
from codeai.language.source import SourceFile, Sources
from codeai.language.spellings.outline import Outline

ROOM: Final = 1 << 20  # offsets of a file for itself: trees hold places, which stay where they are while another file grows


class _Known(msgspec.Struct, frozen=True):
    file: SourceFile
    outline: Outline | None
    parsed: Parsed


class Parses:
    """The trees of the last check. Parsing depends on nothing but what is compared here, and nobody changes a tree."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool], _Known] = {}

    def of(self, file: SourceFile, outline: Outline | None) -> Parsed:
        """The tree of a text.

        :param outline: what the whole program declares (``parse_module``)
        """
        key = file.path, outline is None
        before = self._known.get(key)
        if before is not None and before.file.base == file.base and before.file.text == file.text and before.outline == outline:
            return before.parsed
        parsed = parse_module(file, outline)
        self._known[key] = _Known(file, outline, parsed)
        return parsed

    def forget_others(self, sources: Sources) -> None:
        """Forgets the files that are not of the program any more."""
        paths = {file.path for file in sources.files}
        self._known = {key: known for key, known in self._known.items() if key[0] in paths}
