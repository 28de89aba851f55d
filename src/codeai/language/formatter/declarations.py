"""Declarations as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from codeai.language.formatter.clauses import Clauses
from codeai.language.formatter.printer import FIELDS, quoted
from codeai.language.formatter.words import settled
from codeai.language.lexer import is_name
from codeai.language.parser.scripts import STATEMENTS
from codeai.language.source import SourceFile
from codeai.language.tree import declarations as d
from codeai.language.tree import events as ev
from codeai.language.tree import integrations as i
from codeai.language.tree import statements as st
from codeai.language.tree import workflows as w
from codeai.language.tree.module import Module
from codeai.language.tree.node import Identifier, Node

_STATEMENT: Final = re.compile(r"[\[(\"'0-9]|\w+[(\[.]|exec \{")  # how an expression begins that is a statement of a script


class Declarations(Clauses):
    """Prints whole files.

    :param kept: declarations that are left as they are written
    """

    def __init__(self, module: Module, file: SourceFile, kept: Sequence[Node] = ()) -> None:
        super().__init__(module, file)
        self.kept = frozenset(id(node) for node in kept)
        self.alone: list[str] = []  # the text of each declaration by itself

    def module(self) -> str:
        """The file: declarations of several lines stand apart, single lines may stand together."""
        return settled(self.items(self.tree.declarations, self.declaration, 0, self.tree.start, self.tree.end, spaced=self._apart))

    def _apart(self, before: tuple[d.Declaration, str], after: tuple[d.Declaration, str]) -> bool:
        several = before[1].count("\n") > 1 or after[1].count("\n") > 1
        return several or type(before[0]) is not type(after[0])

    def declaration(self, node: Node, depth: int) -> str:
        """One declaration, with its annotations."""
        if id(node) in self.kept:
            return self.as_written(node)
        annotations = getattr(node, "annotations", ())
        lead = self.items(annotations, self._annotation, depth, annotations[0].start, node.start) if annotations else ""
        text = self.described(node, depth) + lead + _DECLARATIONS[type(node)](self, node, depth)
        self.printed.clear()
        self.alone.append(settled(text))
        return text

    def _annotation(self, node: d.Annotation, depth: int) -> str:
        arguments = f"({', '.join(self.expression(argument, depth) for argument in node.arguments)})" if node.arguments else ""
        return f"@{node.name.text}{arguments}"

    def enum_member(self, node: Identifier) -> str:
        """A member of an enum, which has no dots unless it is quoted."""
        return node.text if is_name(node.text) else quoted(node.text)

    def _enum(self, node: d.EnumDeclaration, depth: int) -> str:
        return self.braces(node, f"enum {node.name.text}", node.members, lambda member, inner: self.enum_member(member), depth, joiner=", ")

    def _function(self, node: d.FunctionDeclaration, depth: int) -> str:
        parameters = [p.name.text + (f": {self.type(p.type, depth)}" if p.type is not None else "") for p in node.parameters]
        result = f" -> {self.type(node.result, depth)}" if node.result is not None else ""
        if node.body is None:
            return self.enclosed(f"extern function {node.name.text}(", parameters, f"){result} from {quoted(node.source or '')}", depth)
        head = self.enclosed(f"function {node.name.text}(", parameters, f"){result} {{", depth).removesuffix(" {")
        return self.block(node.body, head, depth)

    def _script(self, node: d.Script, depth: int) -> str:
        return self.items(node.body.statements, self._of_script, depth, node.start, node.end).rstrip("\n")

    def _of_script(self, node: Node, depth: int) -> str:
        """A statement between declarations, which begins as such or stands in parentheses."""
        text = self.statement(node, depth)
        if not isinstance(node, st.ExpressionStatement) or _STATEMENT.match(text) is not None:
            return text
        word = text.partition(" ")[0]
        return text if word in STATEMENTS and "{" not in text[len(word) : len(word) + 2] and word != text else f"({text})"

    def _resource(self, node: d.ResourceDeclaration, depth: int) -> str:
        return self.clauses_of(node, f"resource {node.entity.text} at {self.path(node.path)}", depth)

    def _endpoint(self, node: d.EndpointDeclaration, depth: int) -> str:
        return self.clauses_of(_behind(node, node.path), f"endpoint {node.method.text} {self.path(node.path)}", depth)

    def _event(self, node: ev.EventDeclaration, depth: int) -> str:
        return self.clauses_of(node, f"event {node.name.text}", depth)

    def _handler(self, node: ev.HandlerDeclaration, depth: int) -> str:
        head = f"on {self.reference(node.event)}"
        if node.where is not None:
            head = self.header(f"{head} where ", node.where, depth)
        if node.body is not None:
            return self.block(node.body, head, depth)
        assert node.kind is not None
        assert node.target is not None
        head = f"{head} do {node.kind.text} {self.reference(node.target)}"
        return self.entries(node, head, node.values, depth) if node.values else head


def _behind(node: d.EndpointDeclaration, path: d.Path) -> Any:
    """The declaration from the end of its path, in which braces mean parameters."""
    return d.ActionSettings(path.end, node.end, (), node.clauses)


_Print = Callable[[Declarations, Any, int], str]
_DECLARATIONS: Final[dict[type, _Print]] = {
    d.ImportDeclaration: lambda printer, node, depth: f"import {quoted(node.pattern)}",
    d.ConfigDeclaration: lambda printer, node, depth: printer._settings(node, "config", depth),
    d.EntityDeclaration: lambda printer, node, depth: printer.clauses_of(node, f"entity {node.name.text}", depth),
    d.TypeDeclaration: lambda printer, node, depth: printer.braces(
        node, f"type {node.name.text}", node.fields, printer.field, depth, joiner=FIELDS
    ),
    d.EnumDeclaration: Declarations._enum,
    d.ResourceDeclaration: Declarations._resource,
    d.EndpointDeclaration: Declarations._endpoint,
    d.FunctionDeclaration: Declarations._function,
    d.Script: Declarations._script,
    d.AuthDeclaration: lambda printer, node, depth: printer._settings(node, f"auth {node.name.text}", depth),
    d.RoleDeclaration: lambda printer, node, depth: printer.clauses_of(node, f"role {node.name.text}", depth),
    d.SeedDeclaration: lambda printer, node, depth: printer.block(node.body, "seed", depth),
    d.TestDeclaration: lambda printer, node, depth: printer.block(node.body, f"test {quoted(node.name)}", depth),
    ev.EventDeclaration: Declarations._event,
    ev.HandlerDeclaration: Declarations._handler,
    ev.WebhookDeclaration: lambda printer, node, depth: printer.clauses_of(node, f"webhook {node.name.text}", depth),
    i.IntegrationDeclaration: lambda printer, node, depth: printer.clauses_of(node, f"integration {node.name.text}", depth),
    i.MiddlewareDeclaration: lambda printer, node, depth: printer._settings(node, f"middleware {node.name.text}", depth),
    w.WorkflowDeclaration: lambda printer, node, depth: printer.clauses_of(node, f"workflow {node.name.text}", depth),
    w.JobDeclaration: lambda printer, node, depth: printer.clauses_of(node, f"job {node.name.text}", depth),
}
