"""Functions as expressions: what a call means is written in its place, so that a database can compute it over rows.

A function whose body declares variables, branches and returns is such an expression; one that loops, assigns, fails, reads rows or
has an effect is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from codeai.language import types as t
from codeai.language.types import Type
from codeai.model import expression as ir
from codeai.model import statement as st
from codeai.model.application import Function
from codeai.model.traversal import any_node, rebuilt

LARGEST: Final = 2_000
"""Nodes of an expression, beyond which a function is not written in the place of its call."""

_ONCE: Final = frozenset({"random", "uuid", "hash_password", "verify_password", "issue_token", "print"})
ROWS: Final = (ir.Selection, ir.UpdateRows, ir.DeleteRows, ir.CreateRow, ir.ChangeRow, ir.RemoveRow)
EFFECTS: Final = (ir.CallOperation, ir.CallActivity, ir.StartRun, ir.Request, ir.Shell)
_STATEMENTS: Final[dict[type[st.Statement], str]] = {
    st.For: "has a loop",
    st.Assign: "assigns a variable",
    st.Require: "may fail",
    st.Fail: "may fail",
}


class NotInlinable(ValueError):
    """A function that is no expression; the text says why and completes *function 'f' …*."""


class Inliner:
    """Writes calls of declared functions out.

    :param functions: the functions of the program by name
    """

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self._functions = functions
        self._inside: list[str] = []
        self._size = self._copies = 0

    def refusal(self, name: str) -> str | None:
        """Why a function is no expression, None where it is one."""
        function = self._functions[name]
        arguments = tuple(ir.Local(type=parameter.type, name=parameter.name) for parameter in function.parameters)
        self._size = 0
        try:
            self.written_out(ir.CallFunction(type=function.result, function=name, arguments=arguments))
        except NotInlinable as error:
            return str(error)
        return None

    def written_out(self, node: Any) -> Any:
        """A part of the model without calls of declared functions.

        :raises NotInlinable: one of them is no expression
        """
        return rebuilt(node, self._replaced)

    def _replaced(self, node: Any) -> Any:
        self._size += 1
        if self._size > LARGEST:
            raise NotInlinable("is too large to be written out")
        return self._body(node) if isinstance(node, ir.CallFunction) else node

    def _body(self, call: ir.CallFunction) -> ir.Expression:
        function = self._functions[call.function]
        if function.source is not None:
            raise NotInlinable("is Python")
        if function.name in self._inside:
            raise NotInlinable("calls itself")
        known = {parameter.name: value for parameter, value in zip(function.parameters, call.arguments, strict=True)}
        self._inside.append(function.name)
        try:
            return self._block(function.body, known, function.result)
        finally:
            self._inside.pop()

    def _block(self, body: st.Block, known: Mapping[str, ir.Expression], result: Type) -> ir.Expression:
        for at, statement in enumerate(body):
            if isinstance(statement, st.Let):
                known = {**known, statement.name: self._value(statement.value, known)}
            elif isinstance(statement, st.Return):
                return ir.Constant(type=result, value=None) if statement.value is None else self._value(statement.value, known)
            elif isinstance(statement, st.If):
                return self._branches(statement, body[at + 1 :], known, result)
            else:
                raise NotInlinable(_STATEMENTS.get(type(statement), "has an effect"))
        return ir.Constant(type=result, value=None)

    def _branches(self, node: st.If, rest: st.Block, known: Mapping[str, ir.Expression], result: Type) -> ir.Expression:
        found = self._block((*node.otherwise, *rest), known, result)
        for branch in reversed(node.branches):
            then = self._block((*branch.body, *rest), known, result)
            condition = self._value(branch.condition, known)
            found = ir.Conditional(type=_wider(result, then, found), condition=condition, then=then, otherwise=found)
        return found

    def _value(self, node: ir.Expression, known: Mapping[str, ir.Expression]) -> ir.Expression:
        if any_node(node, lambda part: isinstance(part, ROWS)):
            raise NotInlinable("reads or writes rows")
        if any_node(node, lambda part: isinstance(part, EFFECTS) or (isinstance(part, ir.Call) and part.function in _ONCE)):
            raise NotInlinable("gives another value each time, or has an effect")
        renamed = self._renamed(node)
        bound: ir.Expression = rebuilt(renamed, lambda part: known.get(part.name, part) if isinstance(part, ir.Local) else part)
        written: ir.Expression = self.written_out(bound)
        return written

    def _renamed(self, node: ir.Expression) -> ir.Expression:
        """Parameters of lambdas get names that no argument has."""

        def rename(part: Any) -> Any:
            if not isinstance(part, ir.LambdaOf):
                return part
            self._copies += 1
            names = {name: f"{name}_in_{'_'.join(self._inside)}_{self._copies}" for name in part.parameters}
            body = rebuilt(part.body, lambda inner: _named(inner, names))
            return msgspec.structs.replace(part, parameters=tuple(names.values()), body=body)

        found: ir.Expression = rebuilt(node, rename)
        return found


def _named(node: Any, names: Mapping[str, str]) -> Any:
    return msgspec.structs.replace(node, name=names[node.name]) if isinstance(node, ir.Local) and node.name in names else node


def _wider(result: Type, then: ir.Expression, otherwise: ir.Expression) -> Type:
    """The declared type, or, where a function declares none, that of a branch."""
    if not isinstance(result, t.Unknown):
        return result
    return otherwise.type if isinstance(then, ir.Constant) and then.value is None else then.type
