"""A flame graph as one SVG file, for people without Go (after Brendan Gregg: width is cost, what calls stands below)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from html import escape
from typing import Final

from codeai.observability.profiling.stacks import Frame, Sample

_WIDTH: Final = 1200
_HEIGHT: Final = 17
_LETTER: Final = 6.6
_DEEPEST: Final = 120


class _Node:
    __slots__ = ("below", "frame", "value")

    def __init__(self, frame: Frame | None) -> None:
        self.frame = frame
        self.value = 0
        self.below: dict[tuple[str, str], _Node] = {}


def flame_graph(samples: Iterable[Sample], value: int, unit: str, title: str) -> bytes:
    """The picture.

    :param value: which of the samples' values is the width
    :param unit: of these values
    """
    root = _tree(samples, value)
    boxes: list[str] = []
    depth = _draw(root, 0.0, _WIDTH / root.value if root.value else 0.0, 0, boxes, unit, root.value)
    height = (depth + 3) * _HEIGHT
    body = "\n".join(boxes) if root.value else f'<text x="10" y="{2.5 * _HEIGHT}">nothing was seen</text>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11">\n'
        f"<style>rect{{stroke:#fff;stroke-width:.5}} g:hover rect{{stroke:#000}}</style>\n"
        f'<text x="10" y="{_HEIGHT - 4}" font-size="13">{escape(title)}</text>\n'
        f'<g transform="translate(0 {height})">\n{body}\n</g></svg>\n'
    ).encode("utf-8", "replace")


def _tree(samples: Iterable[Sample], value: int) -> _Node:
    root = _Node(None)
    for sample in samples:
        weight = sample.values[value]
        if weight <= 0:
            continue
        root.value += weight
        node = root
        for frame in list(reversed(sample.stack))[:_DEEPEST]:
            node = node.below.setdefault((frame.function, frame.file), _Node(frame))
            node.value += weight
    return root


def _draw(node: _Node, left: float, scale: float, depth: int, boxes: list[str], unit: str, total: int) -> int:
    """Draws what is above a node; returns how deep it got."""
    deepest = depth
    for child in sorted(node.below.values(), key=lambda found: -found.value):
        width = child.value * scale
        if width >= 0.4 and child.frame is not None:
            boxes.append(_box(child, child.frame, left, width, depth, unit, total))
            deepest = max(deepest, _draw(child, left, scale, depth + 1, boxes, unit, total))
        left += width
    return deepest


def _box(node: _Node, frame: Frame, left: float, width: float, depth: int, unit: str, total: int) -> str:
    top = -(depth + 1) * _HEIGHT - 4
    letters = int((width - 4) / _LETTER)
    name = frame.function
    text = name if len(name) <= letters else "…" + name[-(letters - 1) :] if letters > 3 else ""
    hint = f"{name} ({frame.file}:{frame.begins})\n{_shown(node.value, unit)}, {100 * node.value / total:.1f} %"
    hue = 20 + zlib.crc32(frame.file.encode("utf-8", "replace")) % 40
    label = f'<text x="{left + 3:.1f}" y="{top + _HEIGHT - 5:.1f}">{escape(text)}</text>' if text else ""
    return (
        f'<g><title>{escape(hint)}</title><rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{_HEIGHT}" '
        f'fill="hsl({hue} 80% 68%)"/>{label}</g>'
    )


def _shown(value: int, unit: str) -> str:
    if unit == "nanoseconds":
        return f"{value / 1e6:,.0f} ms"
    return f"{value / 1024:,.0f} kB" if unit == "bytes" else f"{value:,}"
