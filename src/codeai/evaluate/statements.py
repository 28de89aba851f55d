"""Statements to Python source."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from codeai.evaluate.errors import EvaluationError
from codeai.evaluate.expressions import Program, Writer
from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model import statement as s
from codeai.model.storing import parts


class ExpectationFailed(Exception):
    """An ``expect`` of a test that does not hold: its place and the values of both sides."""

    def __init__(self, at: int, left: object, right: object, compared: bool) -> None:
        super().__init__("expectation failed")
        self.at = at
        self.left = left
        self.right = right
        self.compared = compared


class BlockWriter(Writer):
    """Writes the statements of one host.

    :param function: the host is a declared function: ``return`` gives the bare value
    :param waiting: the host may wait, so loops let others run now and then
    :param tested: the host is a test: what was left behind takes effect before a variable reads rows
    :param script: the host is a script: it tells where it is (``c.at``), and each of its statements is a transaction (``c.whole``)
    """

    def __init__(
        self, program: Program, *, function: bool = False, waiting: bool = True, script: bool = False, tested: bool = False
    ) -> None:
        super().__init__(program)
        self._tested = tested
        self._function = function
        self._script = script
        self._waiting = waiting
        self._begun = False
        self.namespace["_sleep"] = _sleep
        self.namespace["_ExpectationFailed"] = ExpectationFailed

    def block(self, body: s.Block, depth: int) -> list[str]:
        """The lines of a block, indented."""
        lines: list[str] = []
        if not self._begun:  # what a variable is given later may be null in the next turn of a loop
            self._begun = True
            self.open.update(one.name for one in parts_of(body, (s.Assign,)))
        for statement in body:
            if self._script:
                lines.extend(self._alone(statement, depth))
            else:
                lines.extend(_STATEMENTS[type(statement)](self, statement, "    " * depth, depth))
        return lines

    def _alone(self, statement: s.Statement, depth: int) -> list[str]:
        """A statement of a script. Commands of the shell may take long, so that no transaction is open around them."""
        pad = "    " * depth
        place = f"{pad}c.at = {statement.at}\n"
        if not isinstance(statement, _LEAVES) or contains(statement, (ir.Shell,)) or not contains(statement, (*_READS, *_WRITES)):
            return [place, *_STATEMENTS[type(statement)](self, statement, pad, depth)]
        lines = _STATEMENTS[type(statement)](self, statement, pad + "    ", depth + 1)
        return [place, f"{pad}async with c.whole({contains(statement, _WRITES)!r}):\n", *lines]

    def _let(self, node: s.Let | s.Assign, pad: str, depth: int) -> list[str]:
        before: list[str] = []
        if self._tested and any(isinstance(part, ir.Selection) for part in parts(node.value)):
            self.awaits = True
            before = [f"{pad}await c.client.settle()\n"]
        self._mark(node.name, node.value)
        return [*before, f"{pad}{self.local(node.name)} = {self.write(node.value)}\n"]

    def _mark(self, name: str, value: ir.Expression) -> None:
        """Notes a variable that may be null though its type says otherwise."""
        if not self.present(value):
            self.open.add(name)

    def _if(self, node: s.If, pad: str, depth: int) -> list[str]:
        lines: list[str] = []
        for position, branch in enumerate(node.branches):
            # Conditions may contain waits and assignments, so an arm is an `if` in the `else` of the one before.
            inner = pad + "    " * position
            lines.append(f"{inner}if {self.write(branch.condition)}:\n")
            lines.extend(self.block(branch.body, depth + position + 1) or [f"{inner}    pass\n"])
            rest = position + 1 < len(node.branches) or node.otherwise
            if rest:
                lines.append(f"{inner}else:\n")
        if node.otherwise:
            lines.extend(self.block(node.otherwise, depth + len(node.branches)))
        return lines

    def _for(self, node: s.For, pad: str, depth: int) -> list[str]:
        pausing = "await c.breathe() if c.step() else None" if self._waiting else "c.step()"
        self.awaits = self.awaits or self._waiting
        self._mark(node.name, node.items)
        items = self.write(node.items)
        items = f"({items} or ())" if isinstance(t.required(node.items.type), t.List) else f"_open_items({items})"
        return [
            f"{pad}for {self.local(node.name)} in {items}:\n",
            f"{pad}    {pausing}\n",
            *self.block(node.body, depth + 1),
        ]

    def _return(self, node: s.Return, pad: str, depth: int) -> list[str]:
        value = self.write(node.value) if node.value is not None else "None"
        if self._function:
            return [f"{pad}return {value}\n"]
        headers = "".join(f"({self.bind('_k', entry.name)}, _text({self.write(entry.value)})), " for entry in node.headers)
        return [f"{pad}return _Outcome({value}, {node.status!r}, ({headers}), {node.redirect!r})\n"]

    def _failed(self, failure: s.Failure) -> str:
        message = f"_text({self.write(failure.message)})" if failure.message is not None else "None"
        return f"raise _ProgramFailure({failure.status!r}, {message}, {self.bind('_k', failure.code)})"

    def _fail(self, node: s.Fail, pad: str, depth: int) -> list[str]:
        return [f"{pad}{self._failed(node.failure)}\n"]

    def _require(self, node: s.Require, pad: str, depth: int) -> list[str]:
        return [f"{pad}if not {self.write(node.condition)}:\n", f"{pad}    {self._failed(node.failure)}\n"]

    def _evaluate(self, node: s.Evaluate, pad: str, depth: int) -> list[str]:
        source = self.write(node.value)
        if isinstance(node.value, ir.ChangeRow) and isinstance(node.value.row, ir.Local):
            return [f"{pad}{self.local(node.value.row.name)} = {source}\n"]
        return [f"{pad}{source}\n"]

    def _log(self, node: s.Log, pad: str, depth: int) -> list[str]:
        data = "{" + ", ".join(f"{self.bind('_k', entry.name)}: {self.write(entry.value)}" for entry in node.data) + "}"
        return [f"{pad}c.log({node.level!r}, _text({self.write(node.message)}), {data})\n"]

    def _pause(self, node: s.Sleep, pad: str, depth: int) -> list[str]:
        self.awaits = True
        return [f"{pad}await _sleep({self.write(node.duration)})\n"]

    def _emit(self, node: s.Emit, pad: str, depth: int) -> list[str]:
        self.awaits = True
        return [f"{pad}await c.effects.emitter.emit(c, {self.bind('_k', node.event)}, {self.write(node.payload)})\n"]

    def _send(self, node: s.Send, pad: str, depth: int) -> list[str]:
        self.awaits = True
        values = "{" + ", ".join(f"{self.bind('_k', entry.name)}: {self.write(entry.value)}" for entry in node.values) + "}"
        return [f"{pad}await c.effects.sender.send(c, {node.channel!r}, {self.write(node.target)}, {values})\n"]

    def _mock(self, node: s.Mock, pad: str, depth: int) -> list[str]:
        names = f"{self.bind('_k', node.integration)}, {self.bind('_k', node.operation)}"
        return [f"{pad}c.client.mock({names}, {node.fails!r}, {self.write(node.value)})\n"]

    def _advance(self, node: s.Advance, pad: str, depth: int) -> list[str]:
        self.awaits = True
        return [f"{pad}await c.client.advance(c, {self.write(node.duration)})\n"]

    def _as_user(self, node: s.AsUser, pad: str, depth: int) -> list[str]:
        principal = self.write(node.principal)
        if not node.body:
            return [f"{pad}c.client.become(c, {principal})\n"]
        before = self.local(f"user {node.at}")
        return [
            f"{pad}{before} = {_ACTOR}.act_as(c, {principal})\n",
            f"{pad}try:\n",
            *self.block(node.body, depth + 1),
            f"{pad}finally:\n",
            f"{pad}    {_ACTOR}.act_again_as(c, {before})\n",
        ]

    def _expect(self, node: s.Expect, pad: str, depth: int) -> list[str]:
        self.awaits = True
        # What was left behind (events, messages, runs) takes effect before anybody looks.
        return [f"{pad}await c.client.settle()\n", *self._expected(node.at, node.condition, pad)]

    def _expected(self, at: int, condition: ir.Expression, pad: str) -> list[str]:
        if isinstance(condition, ir.Binary) and condition.operator == "and":  # each part by itself, so that the one which fails is shown
            return [*self._expected(at, condition.left, pad), *self._expected(at, condition.right, pad)]
        if isinstance(condition, ir.Binary) and condition.operator not in ("or", "??"):
            left, right = self.local(f"left {at}"), self.local(f"right {at}")
            probe = ir.Binary(
                type=condition.type,
                operator=condition.operator,
                left=ir.Local(type=condition.left.type, name=f"left {at}"),
                right=ir.Local(type=condition.right.type, name=f"right {at}"),
            )
            return [
                f"{pad}{left} = {self.write(condition.left)}\n",
                f"{pad}{right} = {self.write(condition.right)}\n",
                f"{pad}if not {self.write(probe)}:\n",
                f"{pad}    raise _ExpectationFailed({at}, {left}, {right}, True)\n",
            ]
        return [f"{pad}if not {self.write(condition)}:\n", f"{pad}    raise _ExpectationFailed({at}, None, None, False)\n"]


# Who knows ``as user``: tests and scripts have a client that does, all others the part of the process.
_ACTOR: Final = "(c.client or c.effects.actor)"
_LEAVES: Final = (s.Let, s.Assign, s.Evaluate, s.Emit, s.Send)
_READS: Final = (ir.Selection,)
_WRITES: Final = (
    *(
        ir.CreateRow,
        ir.ChangeRow,
        ir.RemoveRow,
        ir.UpdateRows,
        ir.DeleteRows,
        ir.CallFunction,
        ir.CallOperation,
        ir.StartRun,
        s.Emit,
        s.Send,
    ),
)


def parts_of(node: object, kinds: tuple[type, ...]) -> Iterator[Any]:
    """The statements and expressions of these kinds in a block, a statement or an expression, itself included; none inside another."""
    if isinstance(node, kinds):
        yield node
    elif isinstance(node, tuple):
        for part in node:
            yield from parts_of(part, kinds)
    elif isinstance(node, msgspec.Struct):
        for name in node.__struct_fields__:
            if name != "type":
                yield from parts_of(getattr(node, name), kinds)


def contains(node: object, kinds: tuple[type, ...]) -> bool:
    """Whether there is such a part."""
    return next(parts_of(node, kinds), None) is not None


async def _sleep(duration: Any) -> None:
    if duration is None or duration.total_seconds() < 0:
        raise EvaluationError("the length of a sleep is not negative")
    await asyncio.sleep(duration.total_seconds())


_Writer = Callable[[BlockWriter, Any, str, int], list[str]]
_STATEMENTS: Final[Mapping[type, _Writer]] = {
    s.Let: BlockWriter._let,
    s.Assign: BlockWriter._let,
    s.If: BlockWriter._if,
    s.Mock: BlockWriter._mock,
    s.Advance: BlockWriter._advance,
    s.For: BlockWriter._for,
    s.Return: BlockWriter._return,
    s.Fail: BlockWriter._fail,
    s.Require: BlockWriter._require,
    s.Evaluate: BlockWriter._evaluate,
    s.Log: BlockWriter._log,
    s.Sleep: BlockWriter._pause,
    s.AsUser: BlockWriter._as_user,
    s.Emit: BlockWriter._emit,
    s.Send: BlockWriter._send,
    s.Expect: BlockWriter._expect,
}
