"""Edits of a text from one form into another: only what differs, so that cursors and folds of an editor stay where they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from lsprotocol import types as lsp
from rapidfuzz.distance import LCSseq

from codeai.lsp.lines import Normal

_MANY: Final = 40_000  # lines above which looking for the differences takes too much memory: its square in bits


def edits_between(before: str, after: str, lines: Normal) -> list[lsp.TextEdit]:
    """The edits that make one text of another, whole lines each.

    :param before: the text that ``lines`` are of
    """
    if before == after:
        return []
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    return [
        lsp.TextEdit(lines.range(starts[first], starts[last]), in_ends_of("".join(new[low:high]), lines.original))
        for first, last, low, high in _differences(old, new)
    ]


def in_ends_of(text: str, original: str) -> str:
    """A text with the line ends of another."""
    return text.replace("\n", "\r\n") if "\r\n" in original else text


def _differences(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Stretches of lines that differ: those at both ends that are the same are set aside first."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    middle, changed = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(middle) + len(changed) > _MANY:
        yield head, len(old) - tail, head, len(new) - tail
        return
    at = to = 0
    for first, last, low, high in (*_same(middle, changed), (len(middle), len(middle), len(changed), len(changed))):
        if first > at or low > to:
            yield head + at, head + first, head + to, head + low
        at, to = last, high


def _same(old: list[str], new: list[str]) -> Iterator[tuple[int, int, int, int]]:
    """Stretches of lines that both have, in their order."""
    for part in LCSseq.opcodes(old, new):
        if part.tag == "equal":
            yield part.src_start, part.src_end, part.dest_start, part.dest_end


def applied(edits: Sequence[lsp.TextEdit], lines: Normal) -> str:
    """The text, as the compiler reads it, with edits that do not overlap."""
    found: list[str] = []
    at = 0
    for edit in sorted(edits, key=lambda one: (one.range.start.line, one.range.start.character)):
        found += [lines.text[at : lines.offset(edit.range.start)], edit.new_text.replace("\r\n", "\n")]
        at = lines.offset(edit.range.end)
    return "".join(found) + lines.text[at:]
