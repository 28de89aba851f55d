"""Literals as text: as they were written, unless that was another spelling."""

from __future__ import annotations

from codeai.language.durations import duration_milliseconds, duration_text
from codeai.language.formatter.printer import Printer, quoted
from codeai.language.lexer import begins_interpolation, interpolation_end
from codeai.language.parser.literals import text_value
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree.node import Node


def begins_some(text: str) -> bool:
    """Whether some ``{`` of a text would begin an interpolation."""
    return any(character == "{" and begins_interpolation(text, at) for at, character in enumerate(text))


def _interpolates(literal: str) -> bool:
    """Whether a string literal has an interpolation in it."""
    if "{" not in literal or not literal.startswith('"') or literal.startswith('"""'):
        return False
    at = 1
    while at < len(literal):
        if literal[at] == "{" and begins_interpolation(literal, at) and interpolation_end(literal, at, len(literal) - 1) > 0:
            return True
        at += 2 if literal[at] == "\\" else 1
    return False


def _escaped(text: str) -> str:
    """A text as a string in which nothing is interpolated."""
    return quoted(text).replace("{", "\\{") if begins_some(text) else quoted(text)


class Literals(Printer):
    """Prints values and names. A line that does not fit is printed once more with its maps over several lines (``opened``), and if that
    does not help, with everything over several (``broken``).
    """

    opened = False
    broken = False

    def expression(self, node: Node, depth: int, power: int = 0) -> str:
        """An expression (see ``Expressions``)."""
        raise NotImplementedError

    def literal(self, node: Node, depth: int) -> str:
        return self.source(node)

    def shell(self, node: q.Exec, depth: int) -> str:
        """The command as it was written: its lines are the shell's."""
        text = self.between(node.command.start, node.command.end)
        written = self.source(node).removeprefix("exec").lstrip()
        return f"exec {{ {text} }}" if "\n" not in written else f"exec {written}"

    def number(self, node: ex.IntLiteral | ex.DecimalLiteral, depth: int) -> str:
        text = self.source(node)
        plain = str(node.value) if isinstance(node, ex.IntLiteral) else node.text
        return text if text.replace("_", "") == plain else plain

    def string(self, node: ex.StringLiteral, depth: int) -> str:
        """As it was written, unless it was written as something else (an older spelling)."""
        text = self.source(node)
        whole = text[0] == text[-1]  # in a quoted expression the quotes may have strokes before them
        return text if whole and text_value(text) == node.value and not _interpolates(text) else _escaped(node.value)

    def literal_text(self, node: ex.StringLiteral) -> str:
        """A string where braces mean nothing."""
        text = self.source(node)
        return text if text_value(text) == node.value else quoted(node.value)

    def interpolation(self, node: ex.Interpolation, depth: int) -> str:
        """Its texts as they were written, unless all of it was written as something else (an older spelling)."""
        layout = self.opened, self.broken
        self.opened = self.broken = False
        parts: list[str] = []
        for part in node.parts:
            if isinstance(part, ex.StringLiteral):
                parts.append(self.source(part) if part.start > node.start else _escaped(part.value)[1:-1])
                continue
            text = self.expression(part, depth)
            parts.append(f"{{{text}}}" if text[:1].isalpha() or text[:1] in "_(" else f"{{({text})}}")
        self.opened, self.broken = layout
        return f'"{"".join(parts)}"'

    def duration(self, node: ex.DurationLiteral, depth: int) -> str:
        text = self.source(node)
        return text if "." not in text and duration_milliseconds(text) == node.milliseconds else duration_text(node.milliseconds)
