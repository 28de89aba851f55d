"""Types and fields as text."""

from __future__ import annotations

from codeai.language.formatter.printer import FIELDS, INDENT, WIDTH
from codeai.language.formatter.queries import Queries
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import types as ty
from codeai.language.tree.node import Node, Reference


class Types(Queries):
    """Prints types."""

    spread = False  # whether the members of an enum stand on lines of their own

    def type(self, node: Node, depth: int) -> str:
        """A type expression, by its canonical name."""
        if isinstance(node, ty.OptionalType):
            return f"{self.type(node.item, depth)}?"
        if isinstance(node, ty.RecordType):
            return self.braces(node, "", node.fields, self.field, depth, joiner=FIELDS)
        if isinstance(node, ty.ShapeType):
            fields = f"({', '.join(name.text for name in node.fields)})" if node.fields else ""
            return f"{node.entity.text}.{node.shape.text}{fields}"
        assert isinstance(node, ty.NamedType)
        name = node.name.text
        if not node.arguments:
            return name
        arguments = [self._type_argument(argument, depth) for argument in node.arguments]
        if self.spread and name == "enum":
            inner = INDENT * (depth + 1)
            return f"{name}(\n" + "".join(f"{inner}{argument},\n" for argument in arguments) + f"{INDENT * depth})"
        return f"{name}({(',' if name == 'decimal' else ', ').join(arguments)})"

    def _type_argument(self, node: Node, depth: int) -> str:
        if isinstance(node, ty.TypeExpression):
            return self.type(node, depth)
        return self.reference(node) if isinstance(node, Reference) else self.expression(node, depth)

    def field(self, node: Node, depth: int) -> str:
        """``name: type, modifiers = computed``."""
        assert isinstance(node, d.FieldDeclaration)
        mark = self.at
        text = self._field(node, depth)
        if len(INDENT) * depth + len(text.partition("\n")[0]) > WIDTH and node.computed is None:
            self.at, self.spread = mark, True
            text = self._field(node, depth)
            self.spread = False
        return text

    def _field(self, node: d.FieldDeclaration, depth: int) -> str:
        parts = [f"{node.name.text}: {self.type(node.type, depth)}", *(self._modifier(modifier, depth) for modifier in node.modifiers)]
        text = ", ".join(parts)
        return self.fitting(f"{text} = ", node.computed, depth) if node.computed is not None else text

    def _modifier(self, node: ty.Modifier, depth: int) -> str:
        literal = node.name.text == "pattern"
        arguments = [self._pattern(argument, depth) if literal else self.expression(argument, depth) for argument in node.arguments]
        return f"{node.name.text}({', '.join(arguments)})" if arguments else node.name.text

    def _pattern(self, node: ex.Expression, depth: int) -> str:
        """What a field matches: a text in which braces mean nothing; an expression that begins with a text stands in parentheses."""
        if isinstance(node, ex.StringLiteral):
            return self.literal_text(node)
        text = self.expression(node, depth)
        return f"({text})" if text.startswith('"') else text
