"""Diagrams as SVG 1.1: one file without references, readable in light and dark surroundings and by screen readers."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Final

from codeai.diagrams.layout import LINE, PADDING, Layout, Line, Placed, layout, printable, shortened, texts
from codeai.diagrams.structure import Diagram

_STYLE: Final = """
svg { background: #ffffff; font: 12px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; }
rect { fill: #ffffff; stroke: #64748b; stroke-width: 1.2; }
.start rect { fill: #e6efff; stroke: #3b6fd4; }
.done rect { fill: #e3f6e7; stroke: #2e8b47; } .failed rect { fill: #fdebe9; stroke: #c8402f; }
rect.frame { fill: none; stroke: #cbd5e1; stroke-dasharray: 5 4; }
text { fill: #334155; } .title { font-weight: 700; fill: #0f172a; } .note { fill: #64748b; } .undo { fill: #9a5b00; }
path { fill: none; stroke: #64748b; stroke-width: 1.3; } path.fails { stroke: #c8402f; stroke-dasharray: 5 4; }
marker path { fill: #64748b; stroke: none; } marker.fails path { fill: #c8402f; }
@media (prefers-color-scheme: dark) {
  svg { background: #0f172a; } rect { fill: #1e293b; stroke: #64748b; } rect.frame { fill: none; stroke: #475569; }
  .start rect { fill: #172c54; } .done rect { fill: #12351f; } .failed rect { fill: #431a16; }
  text { fill: #cbd5e1; } .title { fill: #f8fafc; } .note { fill: #94a3b8; } .undo { fill: #f5b04c; }
}
"""


def svg(diagram: Diagram) -> str:
    """The text of an SVG document."""
    plan = layout(diagram)
    size = {"width": _number(plan.width), "height": _number(plan.height), "viewBox": f"0 0 {_number(plan.width)} {_number(plan.height)}"}
    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", "aria-labelledby": "title", **size})
    ET.SubElement(root, "title", {"id": "title"}).text = f"{diagram.title}: {len(diagram.boxes())} steps"
    ET.SubElement(root, "style").text = _STYLE
    _markers(root)
    _frame(root, plan)
    for line in plan.lines:
        _line(root, line)
    for placed in plan.boxes:
        _box(root, placed)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _markers(root: ET.Element) -> None:
    definitions = ET.SubElement(root, "defs")
    for name in ("goes", "fails"):
        size = {"markerWidth": "7", "markerHeight": "7", "refX": "8", "refY": "5", "orient": "auto", "viewBox": "0 0 10 10"}
        marker = ET.SubElement(definitions, "marker", {"id": name, "class": name, **size})
        ET.SubElement(marker, "path", {"d": "M0 0 L10 5 L0 10 z"})


def _frame(root: ET.Element, plan: Layout) -> None:
    x, y, width, height = map(_number, plan.frame)
    ET.SubElement(root, "rect", {"class": "frame", "x": x, "y": y, "width": width, "height": height, "rx": "10"})


def _line(root: ET.Element, line: Line) -> None:
    steps = " L".join(f"{_number(x)} {_number(y)}" for x, y in line.points)
    kind = "fails" if line.dashed else "goes"
    arrow = {"marker-end": f"url(#{kind})"} if line.arrow else {}
    ET.SubElement(root, "path", {"class": kind, "d": f"M{steps}", **arrow})


def _box(root: ET.Element, placed: Placed) -> None:
    box = placed.box
    group = ET.SubElement(root, "g", {"class": box.kind, "id": f"{'step' if box.kind == 'step' else 'flow'}-{box.id}"})
    ET.SubElement(group, "title").text = "\n".join(printable(text) for _, text in texts(box))
    place = {"x": _number(placed.x), "y": _number(placed.y), "width": _number(placed.width), "height": _number(placed.height)}
    ET.SubElement(group, "rect", {**place, "rx": "6" if box.kind == "step" else "16"})
    for number, (role, text) in enumerate(texts(box)):
        at = {"x": _number(placed.x + PADDING), "y": _number(placed.y + PADDING + LINE * number + 9)}
        ET.SubElement(group, "text", {"class": role, **at}).text = shortened(printable(text))


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
