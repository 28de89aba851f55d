"""Types and fields as text."""

from __future__ import annotations

from codeai.language.formatter.printer import FIELDS
from codeai.language.formatter.queries import Queries
from codeai.language.tree import declarations as d
from codeai.language.tree import types as ty
from codeai.language.tree.node import Node, Reference


class Types(Queries):
    """Prints types."""

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
        joiner = "," if name == "decimal" else ", "
        return f"{name}({joiner.join(self._type_argument(argument, depth) for argument in node.arguments)})"

    def _type_argument(self, node: Node, depth: int) -> str:
        if isinstance(node, ty.TypeExpression):
            return self.type(node, depth)
        return self.reference(node) if isinstance(node, Reference) else self.expression(node, depth)

    def field(self, node: Node, depth: int) -> str:
        """``name: type, modifiers = computed``."""
        assert isinstance(node, d.FieldDeclaration)
        parts = [f"{node.name.text}: {self.type(node.type, depth)}", *(self._modifier(modifier, depth) for modifier in node.modifiers)]
        text = ", ".join(parts)
        return self.fitting(f"{text} = ", node.computed, depth) if node.computed is not None else text

    def _modifier(self, node: ty.Modifier, depth: int) -> str:
        arguments = f"({', '.join(self.expression(argument, depth) for argument in node.arguments)})" if node.arguments else ""
        return f"{node.name.text}{arguments}"
