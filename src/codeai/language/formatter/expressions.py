"""Expressions, queries and types as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from codeai.language.durations import duration_milliseconds
from codeai.language.formatter.printer import FIELDS, INDENT, WIDTH, Printer, quoted
from codeai.language.lexer import begins_interpolation, is_dotted
from codeai.language.parser.expressions import AND, COALESCE, COMPARISON, NEGATION, NOT, OR, PRODUCT, SUM, TERNARY
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import types as ty
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
_UNITS: Final = (("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))
_OPENING: Final = (ex.MapLiteral, q.CreateRow, q.UpdateRow, q.CallOperation, q.CallActivity, q.Start, q.Exec)


def begins_some(text: str) -> bool:
    """Whether some ``{`` of a text would begin an interpolation."""
    return any(character == "{" and begins_interpolation(text, at) for at, character in enumerate(text))


def duration_text(milliseconds: int) -> str:
    """The shortest spelling of a duration in one unit, else in several: ``90m`` stays, ``7.days`` is ``7d``."""
    for unit, length in _UNITS:
        if milliseconds and milliseconds % length == 0:
            return f"{milliseconds // length}{unit}"
    return f"{milliseconds}ms"


def _ends_in_type(node: Node) -> bool:
    """Whether the text of an expression ends with the type of a conversion."""
    if isinstance(node, ex.Binary):
        return _ends_in_type(node.right)
    if isinstance(node, ex.Unary):
        return _ends_in_type(node.operand)
    return _ends_in_type(node.high) if isinstance(node, ex.Between) else isinstance(node, ex.Conversion)


class Expressions(Printer):
    """Prints expressions. A line that does not fit is printed once more with its maps over several lines (``opened``), and if that
    does not help, with everything over several (``broken``).
    """

    opened = False
    broken = False

    def expression(self, node: Node, depth: int, power: int = 0) -> str:
        """An expression, in parentheses where its place binds more strongly than it does.

        :param depth: the indentation of the line it stands on
        :param power: the binding power of its place
        """
        text = _PRINTERS[type(node)](self, node, depth)
        return f"({text})" if self._power(node) < power else text

    def fitting(self, head: str, node: Node, depth: int, tail: Callable[[], str] = str) -> str:
        """``head expression tail``, over several lines where one would be too long. The tail is printed last, for its comments."""
        mark, within = self.at, self.opened or self.broken
        text = f"{head}{self.expression(node, depth)}{tail()}"
        for layout in () if within else ("opened", "broken"):
            first, last = text.partition("\n")[0], text.rpartition("\n")[2]
            if len(INDENT) * depth + len(first) <= WIDTH and len(last) <= WIDTH:
                break
            self.at = mark
            setattr(self, layout, True)
            text = f"{head}{self.expression(node, depth)}{tail()}"
            setattr(self, layout, False)
        return text

    def _power(self, node: Node) -> int:
        if isinstance(node, ex.Binary):
            return _POWERS[node.operator]
        if isinstance(node, ex.Conditional):
            return TERNARY
        if isinstance(node, ex.Unary):
            return NOT if node.operator == "not" else NEGATION
        if isinstance(node, ex.IsNull | ex.Between):
            return COMPARISON
        if isinstance(node, ex.Conversion):
            return NEGATION
        if isinstance(node, ex.Lambda | q.UpdateRows | q.DeleteRows | q.UpdateRow | q.DeleteRow | q.Start):
            return 0
        if isinstance(node, q.CallOperation):
            return _POSTFIX if node.values else 0  # without values, a member would belong to the operation's name
        if isinstance(node, q.Select):
            return _POSTFIX if node.operand is not None else 0
        if isinstance(node, q.Get):
            return 0 if node.loads or node.with_deleted or node.as_system else _POSTFIX
        if isinstance(node, q.CreateRow):
            return 0 if node.source is not None or node.as_system else _POSTFIX
        return _POSTFIX

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

    # -- literals --------------------------------------------------------------------------------------------------

    def literal(self, node: Node, depth: int) -> str:
        return self.source(node)

    def shell(self, node: q.Exec, depth: int) -> str:
        """The command as it was written: its lines are the shell's."""
        text = self.between(node.command.start, node.command.end)
        return f"exec {{ {text} }}" if "\n" not in self.source(node) else "exec " + self.source(node).removeprefix("exec").lstrip()

    def number(self, node: ex.IntLiteral | ex.DecimalLiteral, depth: int) -> str:
        text = self.source(node)
        plain = str(node.value) if isinstance(node, ex.IntLiteral) else node.text
        return text if text.replace("_", "") == plain else plain

    def string(self, node: ex.StringLiteral, depth: int) -> str:
        """As it was written, unless it was written as something else (an older spelling)."""
        text = self.source(node)
        if text[:1] in ("'", '"') and (text[1:-1] == node.value or "\\" in text or text.startswith('"""')):
            return text
        return quoted(node.value).replace("{", "\\{") if begins_some(node.value) else quoted(node.value)

    def interpolation(self, node: ex.Interpolation, depth: int) -> str:
        """Its texts as they were written, unless all of it was written as something else (an older spelling)."""
        source = self.source(node)
        written = source[:1] == '"' and "{" in source
        layout = self.opened, self.broken
        self.opened = self.broken = False
        parts: list[str] = []
        for part in node.parts:
            if isinstance(part, ex.StringLiteral) and self.between(part.start - 1, part.start) != "(":
                parts.append(self.source(part) if written else quoted(part.value)[1:-1])
                continue
            text = self.expression(part, depth)
            parts.append(f"{{{text}}}" if text[:1].isalpha() or text[:1] in "_(" else f"{{({text})}}")
        self.opened, self.broken = layout
        return f'"{"".join(parts)}"'

    def duration(self, node: ex.DurationLiteral, depth: int) -> str:
        text = self.source(node)
        return text if "." not in text and duration_milliseconds(text) == node.milliseconds else duration_text(node.milliseconds)

    # -- compounds -------------------------------------------------------------------------------------------------

    def sequence(self, opening: str, parts: list[str], closing: str, depth: int, *, breaks: bool = True) -> str:
        """Parts between brackets, on lines of their own when the line is too long."""
        flat = f"{opening}{', '.join(parts)}{closing}"
        if not (breaks and parts and self.broken and len(flat) > WIDTH // 2):
            return flat
        inner = INDENT * (depth + 1)
        return f"{opening}\n" + "".join(f"{inner}{part},\n" for part in parts) + f"{INDENT * depth}{closing}"

    def listed(self, node: ex.ListLiteral, depth: int) -> str:
        return self.sequence("[", [self.listed_value(item, depth + 1) for item in node.items], "]", depth)

    def mapped(self, node: ex.MapLiteral, depth: int) -> str:
        return self.entries(node, "", node.entries, depth)

    def entries(self, node: Node, head: str, entries: tuple[ex.MapEntry, ...], depth: int) -> str:
        """``head { key: value, … }``; kept, since a line that does not fit is printed up to three times."""
        layout = self.opened, self.broken
        self.opened = self.broken = False
        key = id(node), depth, any(layout), self.at
        if key not in self.printed:
            self.printed[key] = self.braces(node, "", entries, self._entry, depth, joiner=", ", inline=not any(layout)), self.at
        text, self.at = self.printed[key]
        self.opened, self.broken = layout
        return f"{head} {text}" if head else text

    def _entry(self, entry: ex.MapEntry, depth: int) -> str:
        return self.fitting(f"{self.key(entry.key)}: ", entry.value, depth)

    def reference(self, node: Reference) -> str:
        """A dotted name; in quotes where an older file names in quotes what the program does not declare."""
        return quoted(node.text) if node.quoted else node.text

    def key(self, name: Identifier) -> str:
        """A key of a map; quoted where it is no name."""
        return name.text if "." not in name.text and is_dotted(name.text.replace("-", ".")) else quoted(name.text)

    def called(self, node: ex.Call, depth: int) -> str:
        parts = [
            (f"{argument.name.text}: " if argument.name is not None else "") + self.listed_value(argument.value, depth + 1)
            for argument in node.arguments
        ]
        return f"{self.expression(node.callee, depth, _POSTFIX)}{self.sequence('(', parts, ')', depth)}"

    def member(self, node: ex.Member, depth: int) -> str:
        return f"{self.expression(node.target, depth, _POSTFIX)}.{node.name.text}"

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
        return f"{condition} ? {self.expression(node.then, depth, TERNARY)} : {self.expression(node.otherwise, depth, TERNARY)}"

    def function(self, node: ex.Lambda, depth: int) -> str:
        names = ", ".join(name.text for name in node.parameters)
        head = names if len(node.parameters) == 1 else f"({names})"
        return f"{head} => {self.expression(node.body, depth)}"

    def conversion(self, node: ex.Conversion, depth: int) -> str:
        return f"{self.expression(node.operand, depth, NEGATION)} as {self.type(node.type, depth)}"

    def provided(self, node: ex.Provided, depth: int) -> str:
        return f"{self.expression(node.condition, depth)} if provided"

    # -- queries ---------------------------------------------------------------------------------------------------

    def clauses(self, parts: list[str], depth: int) -> str:
        """The clauses of a query, from the second on its own line when it does not fit on one."""
        if not self.broken or len(parts) < 2:
            return " ".join(parts)
        return parts[0] + "".join(f"\n{INDENT * (depth + 1)}{part}" for part in parts[1:])

    def part(self, head: str, node: Node, depth: int) -> str:
        """One clause of a query: where the query takes several lines, each clause is broken only if it does not fit by itself."""
        if not self.broken:
            return f"{head}{self.expression(node, depth)}"
        self.broken = False
        text = self.fitting(head, node, depth)
        self.broken = True
        return text

    def select(self, node: q.Select, depth: int) -> str:
        inner = depth + 1 if self.broken else depth
        if node.operand is not None or node.kind not in ("select", "first", "exists"):
            assert node.operand is not None
            parts = [self.expression(node.operand, inner), *self._where(node, inner)]
            return f"{node.kind}({' '.join(parts)})"
        assert node.entity is not None
        columns = ", ".join(
            self.expression(column.value, inner) + (f" as {column.name.text}" if column.name is not None else "") for column in node.columns
        )
        parts = [f"{node.kind} {f'{columns} from ' if columns else ''}{node.entity.text}"]
        if node.loads:
            parts.append(f"with {', '.join(load.text for load in node.loads)}")
        parts += [self.part(f"join {join.entity.text} on ", join.condition, inner) for join in node.joins]
        parts += self._where(node, inner)
        if node.search is not None:
            parts.append(self.part("search ", node.search, inner))
        if node.group_by:
            parts.append(f"group by {', '.join(self.expression(value, inner) for value in node.group_by)}")
        if node.having is not None:
            parts.append(self.part("having ", node.having, inner))
        if node.order_by:
            parts.append(f"order by {', '.join(self._ordered(term, inner) for term in node.order_by)}")
        for word, value in (("limit", node.limit), ("offset", node.offset)):
            if value is not None:
                parts.append(f"{word} {self.expression(value, inner)}")
        return self.clauses([*parts, *self._system(node)], depth)

    def _ordered(self, term: q.OrderTerm, depth: int) -> str:
        return self.expression(term.value, depth) + (" desc" if term.descending else "")

    def _where(self, node: q.Select | q.UpdateRows | q.DeleteRows, depth: int) -> list[str]:
        parts = ["with deleted"] if node.with_deleted else []
        if node.where is not None:
            parts.append(self.part("where ", node.where, depth))
        elif getattr(node, "everything", False):
            parts.append("where all")
        if isinstance(node, q.Select) and node.operand is not None:
            parts += self._system(node)
        return parts

    def _system(self, node: Any) -> list[str]:
        return ["as system"] if node.as_system else []

    def get(self, node: q.Get, depth: int) -> str:
        parts = [f"get {node.entity.text}({self.listed_value(node.key, depth)})"]
        if node.loads:
            parts.append(f"with {', '.join(load.text for load in node.loads)}")
        if node.with_deleted:
            parts.append("with deleted")
        return self.clauses([*parts, *self._system(node)], depth)

    def create(self, node: q.CreateRow, depth: int) -> str:
        return self._row(node, f"create {node.entity.text}", depth)

    def update(self, node: q.UpdateRow, depth: int) -> str:
        return self._row(node, f"update {self.headed(node.target, depth)}", depth)

    def _row(self, node: q.CreateRow | q.UpdateRow, head: str, depth: int) -> str:
        if node.source is not None:
            head += f" from {self.headed(node.source, depth)}"
        text = self.entries(node, head, node.values, depth) if node.values or node.source is None else head
        return " ".join([text, *self._system(node)])

    def delete(self, node: q.DeleteRow, depth: int) -> str:
        return " ".join([f"delete {self.headed(node.target, depth)}", *self._system(node)])

    def update_rows(self, node: q.UpdateRows, depth: int) -> str:
        inner = depth + 1 if self.broken else depth
        assignments = ", ".join(f"{part.field.text} = {self.expression(part.value, inner)}" for part in node.assignments)
        return self.clauses([f"update {node.entity.text}", f"set {assignments}", *self._where(node, inner), *self._system(node)], depth)

    def delete_rows(self, node: q.DeleteRows, depth: int) -> str:
        inner = depth + 1 if self.broken else depth
        return self.clauses([f"delete {node.entity.text}", *self._where(node, inner), *self._system(node)], depth)

    def operation(self, node: q.CallOperation, depth: int) -> str:
        return self._invocation(node, f"call {self.reference(node.operation)}", depth)

    def activity(self, node: q.CallActivity, depth: int) -> str:
        return self._invocation(node, node.function.text, depth)

    def start(self, node: q.Start, depth: int) -> str:
        return self._invocation(node, f"{node.kind} {node.target.text}", depth)

    def _invocation(self, node: Any, head: str, depth: int) -> str:
        return self.entries(node, head, node.values, depth) if node.values else head

    def request(self, node: q.TestRequest, depth: int) -> str:
        path = self.between(node.path.start + 1, node.path.end - 1)
        text = f"{node.method} {path}"
        if node.headers is not None:
            text += f" headers {self.expression(node.headers, depth)}"
        if node.body is not None:
            text += f" {self.expression(node.body, depth)}"
        return text

    # -- types -----------------------------------------------------------------------------------------------------

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


_PRINTERS: Final[dict[type, Callable[[Expressions, Any, int], str]]] = {
    ex.Name: lambda printer, node, depth: node.text,
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
    q.Select: Expressions.select,
    q.Get: Expressions.get,
    q.CreateRow: Expressions.create,
    q.UpdateRow: Expressions.update,
    q.DeleteRow: Expressions.delete,
    q.UpdateRows: Expressions.update_rows,
    q.DeleteRows: Expressions.delete_rows,
    q.CallOperation: Expressions.operation,
    q.CallActivity: Expressions.activity,
    q.Start: Expressions.start,
    q.TestRequest: Expressions.request,
    q.Exec: Expressions.shell,
}
