"""Expressions as text, in parentheses where they must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from codeai.language.formatter.literals import Literals
from codeai.language.formatter.printer import INDENT, WIDTH, quoted
from codeai.language.formatter.words import marked
from codeai.language.lexer import is_dotted
from codeai.language.operators import AND, COALESCE, COMPARISON, NEGATION, NOT, OR, PREFIXES, PRODUCT, SUM, TERNARY
from codeai.language.parser.statements import KEYWORDS
from codeai.language.spellings.steps import STEPS
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree.node import Identifier, Node, Reference, children

_POWERS: Final = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(("==", "=", "!=", "<", "<=", ">", ">=", "in", "not_in", "contains", "starts_with", "ends_with", "matches"), COMPARISON),
    "??": COALESCE,
    "+": SUM,
    "-": SUM,
    **dict.fromkeys(("*", "/", "%"), PRODUCT),
}
_POSTFIX: Final = 100
# How strongly the text of a node binds what stands in it: less than everything (0), or as strongly as a name where none is said.
_BINDING: Final[dict[type, int | Callable[[Any], int]]] = {
    ex.Binary: lambda node: _POWERS[node.operator],
    ex.Conditional: TERNARY,
    ex.Unary: lambda node: NOT if node.operator == "not" else NEGATION,
    ex.IsNull: COMPARISON,
    ex.Between: COMPARISON,
    ex.Conversion: NEGATION,
    **dict.fromkeys((ex.Lambda, q.UpdateRows, q.DeleteRows, q.UpdateRow, q.DeleteRow, q.Start), 0),
    q.CallOperation: lambda node: _POSTFIX if node.values else 0,  # without values, a member would belong to the operation's name
    q.Select: lambda node: _POSTFIX if node.operand is not None else 0,
    q.Get: lambda node: 0 if node.loads or node.with_deleted or node.as_system else _POSTFIX,
    q.CreateRow: lambda node: 0 if node.source is not None or node.as_system else _POSTFIX,
}
_OPENING: Final = (ex.MapLiteral, q.CreateRow, q.UpdateRow, q.CallOperation, q.CallActivity, q.Start, q.Exec)


def _ends_in_type(node: Node) -> bool:
    """Whether the text of an expression ends with the type of a conversion."""
    if isinstance(node, ex.Binary):
        return _ends_in_type(node.right)
    if isinstance(node, ex.Unary):
        return _ends_in_type(node.operand)
    return _ends_in_type(node.high) if isinstance(node, ex.Between) else isinstance(node, ex.Conversion)


class Expressions(Literals):
    """Prints expressions."""

    def query(self, node: Node, depth: int) -> str:
        """A query (see ``Queries``)."""
        raise NotImplementedError

    def type(self, node: Node, depth: int) -> str:
        """A type (see ``Types``)."""
        raise NotImplementedError

    def expression(self, node: Node, depth: int, power: int = 0) -> str:
        """An expression, in parentheses where its place binds more strongly than it does.

        :param depth: the indentation of the line it stands on
        :param power: the binding power of its place
        """
        printer = _PRINTERS.get(type(node))
        text = printer(self, node, depth) if printer is not None else self.query(node, depth)
        return f"({text})" if self._power(node) < power else text

    def fitting(self, head: str, node: Node, depth: int, tail: Callable[[], str] = str) -> str:
        """``head expression tail``, over several lines where one would be too long. The tail is printed last, for its comments."""
        return self.fitted(lambda: f"{head}{self.expression(node, depth)}{tail()}", depth)

    def fitted(self, render: Callable[[], str], depth: int, room: int = 0) -> str:
        """What ``render`` gives: flat, or with its maps opened or everything broken where its first or last line would be too long.

        :param room: how much of the last line belongs to what follows
        """
        mark, within = self.at, self.opened or self.broken
        text = render()
        for layout in () if within else ("opened", "broken"):
            first, _, last = text.partition("\n")
            ends = len(last.rpartition("\n")[2]) + room if last else len(INDENT) * depth + len(first) + room
            if len(INDENT) * depth + len(first) <= WIDTH and ends <= WIDTH:
                break
            self.at = mark
            setattr(self, layout, True)
            text = render()
            setattr(self, layout, False)
        return text

    def header(self, head: str, node: Node, depth: int) -> str:
        """``head expression`` before the brace of a block."""
        return self.fitted(lambda: f"{head}{self.headed(node, depth)}", depth, room=2)

    def _power(self, node: Node) -> int:
        found = _BINDING.get(type(node), _POSTFIX)
        return found if isinstance(found, int) else found(node)

    def listed_value(self, node: Node, depth: int) -> str:
        """An expression among others between commas: a query with commas of its own stands in parentheses."""
        text = self.expression(node, depth)
        return f"({text})" if self._enumerates(node) else text

    def _enumerates(self, node: Node) -> bool:
        if isinstance(node, ex.Lambda):
            return self._enumerates(node.body)
        if isinstance(node, q.Select):
            return len(node.loads) > 1 or len(node.order_by) > 1 or len(node.group_by) > 1
        return isinstance(node, q.Get) and len(node.loads) > 1

    def headed(self, node: Node, depth: int) -> str:
        """An expression in a header, where ``{`` would open the block."""
        text = self.expression(node, depth)
        return f"({text})" if self._opens(node) else text

    def _opens(self, node: Node) -> bool:
        if isinstance(node, _OPENING):
            return True
        if isinstance(node, ex.Call):
            return self._opens(node.callee)
        if isinstance(node, ex.ListLiteral | ex.Interpolation | q.Get):
            return False
        if isinstance(node, ex.Index):
            return self._opens(node.target)
        return any(self._opens(child) for child in children(node))

    # -- compounds -------------------------------------------------------------------------------------------------

    def sequence(self, opening: str, parts: list[str], closing: str, depth: int, *, breaks: bool = True) -> str:
        """Parts between brackets, on lines of their own when the line is too long."""
        flat = f"{opening}{', '.join(parts)}{closing}"
        if not (breaks and parts and self.broken and len(flat) > WIDTH // 2):
            return flat
        inner = INDENT * (depth + 1)
        return f"{opening}\n" + "".join(f"{inner}{part},\n" for part in parts) + f"{INDENT * depth}{closing}"

    def listed(self, node: ex.ListLiteral, depth: int) -> str:
        rows = len(node.items) > 1 and all(isinstance(item, ex.MapLiteral) for item in node.items)
        if rows and (self.opened or self.broken):
            return self._rows(node, depth)
        mark, inner = self.at, depth + 1 if self.broken else depth
        parts = [self.listed_value(item, inner) for item in node.items]
        if rows and any("\n" in part for part in parts) and not self._embraced(node):
            self.at = mark
            return self._rows(node, depth)
        return self.sequence("[", parts, "]", depth)

    def _embraced(self, node: ex.ListLiteral) -> bool:
        """Whether a list over several lines was written with its first item behind the bracket, ``[{``."""
        return "\n" in self.source(node) and "\n" not in self.between(node.start, node.items[0].start)

    def _rows(self, node: ex.ListLiteral, depth: int) -> str:
        """A list of maps that does not fit on a line: each has one of its own, where it fits there."""
        layout = self.opened, self.broken
        self.opened = self.broken = False
        parts = [self.fitting("", item, depth + 1, lambda: ",") for item in node.items]
        self.opened, self.broken = layout
        inner = INDENT * (depth + 1)
        return "[\n" + "".join(f"{inner}{part}\n" for part in parts) + f"{INDENT * depth}]"

    def mapped(self, node: ex.MapLiteral, depth: int) -> str:
        return self.entries(node, "", node.entries, depth)

    def entries(self, node: Node, head: str, entries: tuple[ex.MapEntry, ...], depth: int) -> str:
        """``head { key: value, … }``; kept, since a line that does not fit is printed up to three times."""
        layout = self.opened, self.broken
        self.opened = self.broken = False
        key = id(node), depth, any(layout), self.at, head
        if key not in self.printed:
            self.printed[key] = self.braces(node, head, entries, self._entry, depth, joiner=", ", inline=not any(layout)), self.at
        text, self.at = self.printed[key]
        self.opened, self.broken = layout
        return text

    def _entry(self, entry: ex.MapEntry, depth: int) -> str:
        return self.fitting(f"{self.key(entry.key)}: ", entry.value, depth)

    def reference(self, node: Reference) -> str:
        """A dotted name; in quotes where an older file names in quotes what the program does not declare."""
        return quoted(node.text) if node.quoted else node.text

    def key(self, name: Identifier) -> str:
        """A key of a map; quoted where it is no name."""
        return name.text if "." not in name.text and is_dotted(name.text.replace("-", ".")) else quoted(name.text)

    def called(self, node: ex.Call, depth: int) -> str:
        inner = depth + 1 if self.broken else depth
        parts = [
            (f"{argument.name.text}: " if argument.name is not None else "") + self.listed_value(argument.value, inner)
            for argument in node.arguments
        ]
        return f"{self._callee(node, depth)}{self.sequence('(', parts, ')', depth)}"

    def _callee(self, node: ex.Call, depth: int) -> str:
        """What is called. A name in parentheses keeps them, since a word with parentheses may be an older step or a statement, and so it is
        where only the first argument has some, ``find(("a"))``.
        """
        if not isinstance(node.callee, ex.Name):
            return self.expression(node.callee, depth, _POSTFIX)
        name = node.callee.text
        first = node.arguments[0].value if node.arguments else node
        behind = self.between(node.callee.end, first.start if node.arguments else node.end)
        enclosed = ")" in self.between(first.end, node.arguments[1].start if len(node.arguments) > 1 else max(first.end, node.end - 1))
        apart = behind.lstrip().startswith(")") or (behind.count("(") > 1 and enclosed)
        return f"({name})" if apart and (name in STEPS or name in PREFIXES or name in KEYWORDS) else name

    def member(self, node: ex.Member, depth: int) -> str:
        target = self.expression(node.target, depth, _POSTFIX)
        return f"({target}).{node.name.text}" if target.isdigit() else f"{target}.{node.name.text}"  # '1.day' is a duration

    def index(self, node: ex.Index, depth: int) -> str:
        return f"{self.expression(node.target, depth, _POSTFIX)}[{self.listed_value(node.index, depth)}]"

    def unary(self, node: ex.Unary, depth: int) -> str:
        again = isinstance(node.operand, ex.Unary) and node.operand.operator == node.operator
        if node.operator == "not":
            return f"not {self.expression(node.operand, depth, NOT if again else COMPARISON + 1)}"
        return f"-{self.expression(node.operand, depth, NEGATION if again else NEGATION + 1)}"

    def binary(self, node: ex.Binary, depth: int) -> str:
        power = _POWERS[node.operator]
        right_first = node.operator == "??"
        alone = power == COMPARISON
        left = self.operand(node, node.left, depth, power + (right_first or alone))
        right = self.operand(node, node.right, depth, power + (not right_first or alone))
        word = "not in" if node.operator == "not_in" else node.operator
        if self.broken and node.operator in ("and", "or"):
            return f"{left} {word}\n{INDENT * (depth + 1)}{right}"
        if self.broken and node.operator in ("+", "*", "/") and len(left) + len(right) > WIDTH // 2:
            return f"{left}\n{INDENT * (depth + 1)}{word} {right}"
        return f"{left} {word} {right}"

    def operand(self, outer: ex.Binary, node: Node, depth: int, power: int) -> str:
        """An operand; ``??`` inside of another operator stands in parentheses, since few know how strongly it binds."""
        unusual = isinstance(node, ex.Binary) and node.operator == "??" and outer.operator not in ("??", "and", "or")
        return self.expression(node, depth, _POSTFIX if unusual else power)

    def is_null(self, node: ex.IsNull, depth: int) -> str:
        return f"{self.expression(node.operand, depth, COMPARISON + 1)} is {'not ' if node.negated else ''}null"

    def between_values(self, node: ex.Between, depth: int) -> str:
        operand, low, high = (self.expression(part, depth, COALESCE) for part in (node.operand, node.low, node.high))
        return f"{operand} between {low} and {high}"

    def conditional(self, node: ex.Conditional, depth: int) -> str:
        condition = self.expression(node.condition, depth, TERNARY + 1)
        if _ends_in_type(node.condition):  # 'x as T ?' would be the type 'T?'
            condition = f"({condition})"
        then, otherwise = self.expression(node.then, depth, TERNARY), self.expression(node.otherwise, depth, TERNARY)
        between = f"\n{INDENT * (depth + 1)}" if self.broken else " "
        return f"{condition}{between}? {then}{between}: {otherwise}"

    def function(self, node: ex.Lambda, depth: int) -> str:
        names = ", ".join(name.text for name in node.parameters)
        head = names if len(node.parameters) == 1 else f"({names})"
        return f"{head} => {self.expression(node.body, depth)}"

    def conversion(self, node: ex.Conversion, depth: int) -> str:
        return f"{self.expression(node.operand, depth, NEGATION)} as {self.type(node.type, depth)}"

    def provided(self, node: ex.Provided, depth: int) -> str:
        return f"{self.expression(node.condition, depth)} if provided"


_PRINTERS: Final[dict[type, Callable[[Expressions, Any, int], str]]] = {
    ex.Name: lambda printer, node, depth: marked(node.text),
    ex.IntLiteral: Expressions.number,
    ex.DecimalLiteral: Expressions.number,
    ex.StringLiteral: Expressions.string,
    ex.Interpolation: Expressions.interpolation,
    ex.BooleanLiteral: lambda printer, node, depth: "true" if node.value else "false",
    ex.NullLiteral: lambda printer, node, depth: "null",
    ex.DurationLiteral: Expressions.duration,
    ex.SizeLiteral: Expressions.literal,
    ex.ListLiteral: Expressions.listed,
    ex.MapLiteral: Expressions.mapped,
    ex.Member: Expressions.member,
    ex.Index: Expressions.index,
    ex.Call: Expressions.called,
    ex.Unary: Expressions.unary,
    ex.Binary: Expressions.binary,
    ex.IsNull: Expressions.is_null,
    ex.Between: Expressions.between_values,
    ex.Conditional: Expressions.conditional,
    ex.Lambda: Expressions.function,
    ex.Conversion: Expressions.conversion,
    ex.Star: lambda printer, node, depth: "*",
    ex.Provided: Expressions.provided,
}
