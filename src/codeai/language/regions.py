"""The stretches of a program that belong to one declaration each, for findings that concern only theirs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from codeai.language.tree.declarations import EndpointDeclaration, ResourceDeclaration
from codeai.language.tree.module import Module


class Regions:
    """Where declarations begin and end; what was lost of the text is one of them, too."""

    def __init__(self, modules: Sequence[Module]) -> None:
        starts: set[int] = set()
        for module in modules:
            starts.add(module.start)
            starts.update(gap.start for gap in module.gaps if gap.whole)
            for one in module.declarations:
                annotated = isinstance(one, EndpointDeclaration | ResourceDeclaration) and one.annotations
                starts.add(annotated[0].start if annotated else one.start)
        self._starts = sorted(starts)
        self._end = max((module.end for module in modules), default=0)

    def at(self, place: int) -> tuple[int, int]:
        """Where the declaration around a place begins, and where the next one does."""
        index = max(bisect_right(self._starts, place) - 1, 0)
        return self._starts[index], self._starts[index + 1] if index + 1 < len(self._starts) else self._end + 1
