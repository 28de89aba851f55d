"""Places for the boxes of a diagram: chains run down, forks stand side by side. Lengths are pixels of SVG."""

from __future__ import annotations

from typing import Final

import msgspec

from codeai.diagrams.structure import Box, Chain, Diagram, Part

CHARACTER: Final = 7.3  # a character of the 12 px monospace face, rounded up
LINE: Final = 17.0
PADDING: Final = 12.0
GAP: Final = 30.0
SIDE_GAP: Final = 26.0
LONGEST: Final = 46  # characters of a line; longer ones end in an ellipsis
_SMALLEST: Final = 150.0


class Placed(msgspec.Struct, frozen=True):
    """A box at its place."""

    box: Box
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The x of its middle."""
        return self.x + self.width / 2


class Line(msgspec.Struct, frozen=True):
    """An arrow through corner points; ``dashed`` ones are failures."""

    points: tuple[tuple[float, float], ...]
    dashed: bool = False
    arrow: bool = True


class Layout(msgspec.Struct, frozen=True):
    """A whole picture; ``frame`` (x, y, width, height) surrounds the body."""

    boxes: tuple[Placed, ...]
    lines: tuple[Line, ...]
    frame: tuple[float, float, float, float]
    width: float
    height: float


def texts(box: Box) -> list[tuple[str, str]]:
    """The lines of a box with their roles: title, line, note, undo."""
    found = [("title", box.title), *(("line", text) for text in box.lines), *(("note", text) for text in box.notes)]
    return [*found, ("undo", f"undo: {box.undo}")] if box.undo else found


def printable(text: str) -> str:
    """A text without characters that XML has no place for."""
    return "".join(character if character.isprintable() else " " for character in text)


def shortened(text: str) -> str:
    """A text that fits into a box."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _size(part: Part) -> tuple[float, float]:
    if isinstance(part, Box):
        longest = max(len(shortened(text)) for _, text in texts(part))
        return max(_SMALLEST, longest * CHARACTER + 2 * PADDING), len(texts(part)) * LINE + 2 * PADDING - 5
    if isinstance(part, Chain):
        sizes = [_size(inner) for inner in part.parts]
        return max((width for width, _ in sizes), default=0.0), sum(height for _, height in sizes) + GAP * max(len(sizes) - 1, 0)
    sizes = [_size(branch) for branch in part.branches]
    return sum(width for width, _ in sizes) + SIDE_GAP * (len(sizes) - 1), max(height for _, height in sizes) + 2 * GAP


class _Placing:
    def __init__(self) -> None:
        self.boxes: list[Placed] = []
        self.lines: list[Line] = []

    def place(self, part: Part, middle: float, top: float) -> float:
        """Places a part below ``top``, around ``middle``; returns where it ends."""
        if isinstance(part, Box):
            width, height = _size(part)
            self.boxes.append(Placed(part, middle - width / 2, top, width, height))
            return top + height
        if isinstance(part, Chain):
            for number, inner in enumerate(part.parts):
                if number:
                    self.lines.append(Line(((middle, top), (middle, top + GAP)), arrow=isinstance(inner, Box | Chain)))
                    top += GAP
                top = self.place(inner, middle, top)
            return top
        return self._place_fork(part.branches, middle, top)

    def _place_fork(self, branches: tuple[Part, ...], middle: float, top: float) -> float:
        sizes = [_size(branch) for branch in branches]
        left = middle - (sum(width for width, _ in sizes) + SIDE_GAP * (len(sizes) - 1)) / 2
        bottom = top + GAP + max(height for _, height in sizes) + GAP
        for branch, (width, _) in zip(branches, sizes, strict=True):
            centre = left + width / 2
            self.lines.append(Line(((middle, top), (centre, top), (centre, top + GAP))))
            end = self.place(branch, centre, top + GAP)
            self.lines.append(Line(((centre, end), (centre, bottom), (middle, bottom)), arrow=False))
            left += width + SIDE_GAP
        return bottom


def layout(diagram: Diagram) -> Layout:
    """Places everything: the start on top, the body in its frame, both endings below, failure to the right."""
    margin, placing = 24.0, _Placing()
    start, body, done, failed = (_size(part) for part in (diagram.start, diagram.body, diagram.done, diagram.failed))
    inner = max(start[0], body[0], done[0])
    middle = margin + PADDING + inner / 2
    top = placing.place(diagram.start, middle, margin)
    frame_top = top + GAP - PADDING
    placing.lines.append(Line(((middle, top), (middle, top + GAP))))
    bottom = placing.place(diagram.body, middle, top + GAP)
    frame = (margin, frame_top, inner + 2 * PADDING, bottom + PADDING - frame_top)
    ending = bottom + PADDING + GAP
    placing.lines.append(Line(((middle, bottom), (middle, ending))))
    placing.place(diagram.done, middle, ending)
    right = frame[0] + frame[2]
    failed_middle = right + SIDE_GAP + failed[0] / 2
    placing.place(diagram.failed, failed_middle, ending)
    height_of_frame = frame_top + frame[3] / 2
    placing.lines.append(Line(((right, height_of_frame), (failed_middle, height_of_frame), (failed_middle, ending)), dashed=True))
    width = failed_middle + failed[0] / 2 + margin
    return Layout(tuple(placing.boxes), tuple(placing.lines), frame, width, ending + max(done[1], failed[1]) + margin)
