"""Statements as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from codeai.language.formatter.printer import INDENT, WIDTH
from codeai.language.formatter.types import Types
from codeai.language.operators import CONTINUING_WORDS, LEVELS, METHODS
from codeai.language.parser.statements import KEYWORDS
from codeai.language.tree import expressions as ex
from codeai.language.tree import statements as st
from codeai.language.tree.node import Node

_LEVEL: Final = re.compile(r"\w+ [\"']")  # how a level of a log begins: a word before a text


class Statements(Types):
    """Prints blocks."""

    def block(self, node: st.Block, head: str, depth: int) -> str:
        """``head { statements }``; on one line only with one statement, since two might run together."""
        return self.braces(node, head, node.statements, self.statement, depth, inline=len(node.statements) < 2)

    def statement(self, node: Node, depth: int) -> str:
        """One statement."""
        return _PRINTERS[type(node)](self, node, depth)

    def _let(self, node: st.Let, depth: int) -> str:
        type_ = f": {self.type(node.type, depth)}" if node.type is not None else ""
        return self.fitting(f"{'var' if node.mutable else 'let'} {node.name.text}{type_} = ", node.value, depth)

    def _assign(self, node: st.Assign, depth: int) -> str:
        return self.fitting(f"{node.name.text} = ", node.value, depth)

    def _expression(self, node: st.ExpressionStatement, depth: int) -> str:
        if _looks_assigned(node.value):
            return f"({self.expression(node.value, depth)})"
        text = self.fitting("", node.value, depth)
        return f"({text})" if _begins_another(node.value, text) else text

    def _if(self, node: st.If, depth: int) -> str:
        several = len(node.arms) > 1 or node.otherwise is not None
        parts: list[str] = []
        for arm in node.arms:
            head = self.header("if " if not parts else "} else if ", arm.condition, depth).removeprefix("} else ")
            body = arm.body
            parts.append(self.braces(body, head, body.statements, self.statement, depth, inline=len(body.statements) < 2 and not several))
        if node.otherwise is not None:
            other = node.otherwise
            parts.append(self.braces(other, "", other.statements, self.statement, depth, inline=False))
        return " else ".join(parts)

    def _for(self, node: st.For, depth: int) -> str:
        return self.block(node.body, self.header(f"for {node.name.text} in ", node.items, depth), depth)

    def _return(self, node: st.Return, depth: int) -> str:
        word = "redirect" if node.redirect else "return"
        if node.value is None:
            return f"{word}{self._answer(node, depth)}"
        return self.fitting(f"{word} ", node.value, depth, lambda: self._answer(node, depth))

    def _answer(self, node: st.Return, depth: int) -> str:
        status = f" status {self.expression(node.status, depth)}" if node.status is not None else ""
        return f"{status} headers {self.expression(node.headers, depth)}" if node.headers is not None else status

    def failure(self, node: st.Failure, depth: int) -> str:
        """``fail 409 "text" code "c"``."""
        parts = [f"fail {self.expression(node.status, depth)}"]
        if node.message is not None:
            parts.append(self.expression(node.message, depth))
        if node.code is not None:
            parts.append(f"code {self.expression(node.code, depth)}")
        return " ".join(parts)

    def _require(self, node: st.Require, depth: int) -> str:
        failure = node.failure
        if failure is None:
            return self.fitting("require ", node.condition, depth)
        mark = self.at
        text = self.fitting("require ", node.condition, depth, lambda: f" else {self.failure(failure, depth)}")
        if "\n" not in text and len(INDENT) * depth + len(text) <= WIDTH:
            return text
        self.at = mark
        return self.fitting("require ", node.condition, depth, lambda: f"\n{INDENT * (depth + 1)}else {self.failure(failure, depth)}")

    def _log(self, node: st.Log, depth: int) -> str:
        level = f"{node.level.text} " if node.level is not None else ""
        message = self.headed(node.message, depth)
        other = message.startswith("(") or leftmost(node.message) in (*LEVELS, *METHODS) or _LEVEL.match(message) is not None
        if not level and other:  # the older form, since 'log error' and 'log (' begin otherwise
            data = f", {self.entries(node, '', node.data, depth)}" if node.data else ""
            return f"log({message}{data})"
        head = f"log {level}{message}"
        return self.entries(node, head, node.data, depth) if node.data else head

    def _as_user(self, node: st.AsUser, depth: int) -> str:
        head = f"as user {self.expression(node.principal, depth)}"
        return self.block(node.body, head, depth) if node.body is not None else head

    def _emit(self, node: st.Emit, depth: int) -> str:
        return self.emission(node, "emit ", depth)

    def emission(self, node: st.Emit, head: str, depth: int) -> str:
        """``emit E { … }``, ``emit(E, value)``."""
        if node.payload is None:
            return f"{head}{self.reference(node.event)}"
        if isinstance(node.payload, ex.MapLiteral):
            return self.entries(node.payload, f"{head}{self.reference(node.event)}", node.payload.entries, depth)
        return f"emit({self.reference(node.event)}, {self.listed_value(node.payload, depth)})"

    def sending(self, node: st.Send, head: str, depth: int) -> str:
        """``send email(to) { … }``."""
        head = f"{head}{self.headed(node.target, depth)}"
        return self.entries(node, head, node.values, depth) if node.values else head

    def _mock(self, node: st.Mock, depth: int) -> str:
        return self.fitting(f"mock {node.operation.text} {node.outcome.text} ", node.value, depth)


# The part with which the text of an expression begins.
_FIRST: Final[dict[type, str]] = {
    ex.Binary: "left",
    ex.Conditional: "condition",
    **dict.fromkeys((ex.IsNull, ex.Between, ex.Conversion), "operand"),
    **dict.fromkeys((ex.Member, ex.Index), "target"),
    ex.Call: "callee",
}


def _begins_another(value: ex.Expression, text: str) -> bool:
    """Whether a statement begins with a variable whose name is a word that begins or continues another statement."""
    name = leftmost(value)
    if name in CONTINUING_WORDS or name in ("return", "upsert", "else"):
        return True
    return name in KEYWORDS and text != name and text[len(name) : len(name) + 1] != "."


def leftmost(value: Node) -> str:
    """The name that an expression begins with, if it begins with one."""
    while type(value) in _FIRST:
        value = getattr(value, _FIRST[type(value)])
    return value.text if isinstance(value, ex.Name) else ""


def _looks_assigned(value: ex.Expression) -> bool:
    """Whether an expression begins as an assignment does, or as one with a sign too many: ``(a) = b`` without its parentheses."""
    while isinstance(value, ex.Binary):
        if value.operator in ("=", "==") and isinstance(value.left, ex.Name):
            return True
        value = value.left
    return isinstance(value, ex.Conditional) and _looks_assigned(value.condition)


_PRINTERS: Final[dict[type, Callable[[Statements, Any, int], str]]] = {
    st.Let: Statements._let,
    st.Assign: Statements._assign,
    st.If: Statements._if,
    st.For: Statements._for,
    st.Return: Statements._return,
    st.Fail: lambda printer, node, depth: printer.failure(node.failure, depth),
    st.Require: Statements._require,
    st.ExpressionStatement: Statements._expression,
    st.Log: Statements._log,
    st.Sleep: lambda printer, node, depth: f"sleep {printer.expression(node.duration, depth)}",
    st.AsUser: Statements._as_user,
    st.Emit: Statements._emit,
    st.Send: lambda printer, node, depth: printer.sending(node, "send ", depth),
    st.Expect: lambda printer, node, depth: printer.fitting("expect ", node.condition, depth),
    st.Mock: Statements._mock,
    st.Advance: lambda printer, node, depth: f"advance {printer.expression(node.duration, depth)}",
}
