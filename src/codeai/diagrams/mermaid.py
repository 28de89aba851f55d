"""Diagrams as Mermaid flowcharts (https://mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

from typing import Final

from codeai.diagrams.layout import printable
from codeai.diagrams.structure import Box, Chain, Diagram, Part

_SHAPES: Final = {"start": ("([", "])"), "step": ("[", "]"), "done": ("([", "])"), "failed": ("([", "])")}
_CLASSES: Final = (
    "classDef start fill:#e0ecff,stroke:#3b6fd4,color:#12305f",
    "classDef done fill:#dff5e3,stroke:#2e8b47,color:#123d1d",
    "classDef failed fill:#fde4e1,stroke:#c8402f,color:#5c1510",
)


def mermaid(diagram: Diagram) -> str:
    """The text of a flowchart. Names get a prefix, since words such as ``end`` mean something to Mermaid."""
    lines = ["flowchart TD", *(f"    {_node(box)}" for box in (diagram.start, diagram.done, diagram.failed))]
    lines += ['    subgraph flow_body[" "]', *(f"        {_node(box)}" for box in diagram.boxes()), "    end"]
    lasts = _links(diagram.body, [diagram.start], lines)
    lines += [f"    {_id(box)} --> {_id(diagram.done)}" for box in lasts]
    lines.append(f"    flow_body -. fails .-> {_id(diagram.failed)}")
    return "\n".join([*lines, *(f"    {line}" for line in _CLASSES)]) + "\n"


def _links(part: Part, before: list[Box], lines: list[str]) -> list[Box]:
    """Writes the arrows of a part; returns the boxes with which it ends."""
    if isinstance(part, Box):
        lines.extend(f"    {_id(box)} --> {_id(part)}" for box in before)
        return [part]
    if isinstance(part, Chain):
        for inner in part.parts:
            before = _links(inner, before, lines)
        return before
    return [box for branch in part.branches for box in _links(branch, before, lines)]


def _id(box: Box) -> str:
    return f"{'step' if box.kind == 'step' else 'flow'}_{box.id}"


def _node(box: Box) -> str:
    opening, closing = _SHAPES[box.kind]
    undo = (f"undo: {box.undo}",) if box.undo else ()
    text = "<br>".join(_escaped(line) for line in (box.title, *box.lines, *box.notes, *undo))
    return f'{_id(box)}{opening}"{text}"{closing}' + ("" if box.kind == "step" else f":::{box.kind}")


def _escaped(text: str) -> str:
    """Text between quotation marks: entity codes for what has a meaning there."""
    plain = printable(text)
    return "".join(f"#{ord(character)};" if character in '#"<>&`;' else character for character in plain)
