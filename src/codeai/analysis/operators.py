"""Operators: logic, comparison, arithmetic, choice and conversion."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Final

from codeai.analysis.advice import for_arithmetic, for_conversion, for_order, for_step, for_value
from codeai.analysis.arguments import ORDERED
from codeai.analysis.conversions import NUMERIC, convert, is_number, is_text, is_unknown, wider_number
from codeai.analysis.members import Members
from codeai.analysis.scope import Scope, broken, is_broken
from codeai.analysis.translation import of_row
from codeai.language import types as t
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Node
from codeai.model import expression as ir

_WRITTEN = (t.Uuid, t.Date, t.Time, t.Timestamp)  # what json holds as a text


_STRAY: Final = {
    "Lambda": ("a lambda", "it is given to what goes through a list, as in 'list.map(x => x.name)'"),
    "Star": ("'*'", "it stands alone in 'count(*)'; all rows are 'select Entity'"),
    "Provided": ("'if provided'", "it stands behind a condition of 'filter { … }'; elsewhere compare with null"),
}


class Operators(Members):
    """Elaborates what operators do with values."""

    def _unary(self, node: ex.Unary, scope: Scope, expected: t.Type | None) -> ir.Expression:
        if node.operator == "not":
            return ir.Unary(type=t.Bool(), operator="not", operand=self.condition(node.operand, scope), at=node.start)
        if isinstance(node.operand, ex.IntLiteral) and node.operand.value == 2**63:  # fits with its sign only
            return ir.Constant(type=t.Int(), value=-(2**63), at=node.start)
        operand = self.expression(node.operand, scope, expected)
        if isinstance(operand, ir.Constant) and isinstance(operand.value, int | float | Decimal | datetime.timedelta):
            return ir.Constant(type=operand.type, value=-operand.value, at=node.start)
        if not isinstance(t.required(operand.type), (*NUMERIC, t.Duration, t.Unknown)):
            self.report.error(
                node, f"cannot negate {operand.type}", "CAI0310", kind=self.kind, help_text="numbers and durations have a sign"
            )
            return broken(node)
        return ir.Unary(type=operand.type, operator="-", operand=operand, at=node.start)

    def _binary(self, node: ex.Binary, scope: Scope, expected: t.Type | None) -> ir.Expression:
        operator = node.operator
        if operator in ("and", "or"):
            left, right = self.condition(node.left, scope), self.condition(node.right, scope)
            return ir.Binary(type=t.Bool(), operator=operator, left=left, right=right, at=node.start)
        if operator == "=":
            if not scope.query:
                self.report.error(node, "'=' does not compare here", "CAI0311", help_text="write '=='")
            operator = "=="
        left = self.expression(node.left, scope)
        right = self.expression(node.right, scope, left.type if is_number(left.type) else None)
        if operator in ("==", "!="):
            return self._equality(node, operator, left, right, scope)
        if operator in ("<", "<=", ">", ">="):
            return self._ordering(node, operator, left, right, in_query=scope.query)
        if operator in ("in", "not_in"):
            return self._membership(node, operator, left, right)
        if operator in ("contains", "starts_with", "ends_with", "matches"):
            return self._text_test(node, operator, left, right)
        if operator == "??":
            return self._coalesce(node, left, right)
        return self.arithmetic(node, operator, left, right)

    def _equality(self, node: ex.Binary, operator: str, left: ir.Expression, right: ir.Expression, scope: Scope) -> ir.Expression:
        for side, other in ((left, right), (right, left)):
            if isinstance(side.type, t.Null):
                if isinstance(other, ir.Constant):
                    return ir.Constant(type=t.Bool(), value=(other.value is None) == (operator == "=="), at=node.start)
                return ir.IsNull(type=t.Bool(), operand=other, negated=operator == "!=", at=node.start)
        pair = self._unified(node, left, right)
        if pair is None:
            return broken(node)
        if isinstance(pair[0], ir.FieldValue) and isinstance(pair[1], ir.FieldValue) and _same_field(pair[0], pair[1]):
            hidden = scope.find(pair[0].field)
            if hidden is not None:
                hidden.used = True
            self.report.error(
                node,
                f"this compares the field '{pair[0].field}' with itself",
                "CAI0312",
                help_text="a field hides a variable of the same name: rename the variable",
            )
        return ir.Binary(type=t.Bool(), operator=operator, left=pair[0], right=pair[1], at=node.start)

    def _ordering(self, node: ex.Binary, operator: str, left: ir.Expression, right: ir.Expression, *, in_query: bool) -> ir.Expression:
        pair = self._unified(node, _as_ordered(left, right.type, in_query), _as_ordered(right, left.type, in_query))
        if pair is None:
            return broken(node)
        type_ = t.required(pair[0].type)
        if not isinstance(type_, (*ORDERED, t.Unknown, t.Null)):
            self.report.error(node, f"type '{type_}' has no order", "CAI0313", kind=self.kind, help_text=for_order(type_))
            return broken(node)
        return ir.Binary(type=t.Bool(), operator=operator, left=pair[0], right=pair[1], at=node.start)

    def _unified(self, node: ex.Binary, left: ir.Expression, right: ir.Expression) -> tuple[ir.Expression, ir.Expression] | None:
        """Both operands of a comparison in one type."""
        if is_number(left.type) and is_number(right.type):
            wider = wider_number(t.required(left.type), t.required(right.type))
            if wider is None:
                wider = t.Float() if isinstance(left, ir.Constant) or isinstance(right, ir.Constant) else None
            if wider is not None:
                return self.fit(left, wider) or left, self.fit(right, wider) or right
        read = self._read_before(left, right), self._read_before(right, left)
        if read != (left, right):
            return read
        if isinstance(t.required(left.type), t.Json) or isinstance(t.required(right.type), t.Json):
            return self.fit(left, t.Json()) or left, self.fit(right, t.Json()) or right
        for first, second, swapped in ((left, right, False), (right, left, True)):
            fitted = self.fit(second, first.type, "no_match")
            if fitted is not None:
                self.check_spelling(node.left if swapped else node.right, fitted, first.type)
                return (fitted, first) if swapped else (first, fitted)
        self._mismatch(node, left, right)
        return None

    def _read_before(self, value: ir.Expression, other: ir.Expression) -> ir.Expression:
        """A json value that no row has, compared with a field that json holds as a text: read as its type before the query."""
        wanted = t.required(other.type)
        if isinstance(wanted, t.Ref):
            wanted = self.symbols.entities[wanted.entity].key_type
        if isinstance(t.required(value.type), t.Json) and isinstance(wanted, _WRITTEN) and of_row(other) and not of_row(value):
            return convert(value, wanted, "no_match")
        return value

    def _mismatch(self, node: ex.Binary, left: ir.Expression, right: ir.Expression) -> None:
        for side, other in ((left, right), (right, left)):
            if isinstance(side, ir.FieldValue):
                message = f"type mismatch for field '{side.field}': expected {t.required(side.type)}, got {t.required(other.type)}"
                advice = "" if self.query_text else for_value(side.type, other)
                self.report.error(node, message, "CAI0301", kind=self.kind, help_text=advice)
                return
        first, second = t.required(left.type), t.required(right.type)
        advice = for_conversion(first, second) or for_conversion(second, first)
        self.report.error(node, f"cannot compare {first} with {second}", "CAI0314", kind=self.kind, help_text=advice)

    def _membership(self, node: ex.Binary, operator: str, left: ir.Expression, right: ir.Expression) -> ir.Expression:
        type_ = t.required(right.type)
        if not isinstance(type_, t.List | t.Unknown | t.Json):
            hint = "a part of a text is found by 'text contains part'" if is_text(type_) else "write the values in brackets: [a, b]"
            hint = for_step(type_) or hint
            self.report.error(node.right, f"'in' needs an array on its right, got {type_}", "CAI0315", kind=self.kind, help_text=hint)
            return broken(node)
        if isinstance(type_, t.List) and isinstance(t.required(left.type), t.Json) and not isinstance(t.required(type_.item), t.Json):
            left = self.fit(left, type_.item, "no_match") or left
        elif isinstance(type_, t.List):
            wanted = t.List(t.required(left.type))
            fitted = self.fit(right, wanted)
            if fitted is None and self.fit(left, type_.item) is None:
                self._mismatch(node, left, ir.Constant(type=type_.item, value=None))
                return broken(node)
            if fitted is not None:
                self.check_spelling(node.right, fitted, wanted)
            right = fitted or right
            left = left if fitted is not None else self.fit(left, type_.item) or left
        return ir.Binary(type=t.Bool(), operator=operator, left=left, right=right, at=node.start)

    def _text_test(self, node: ex.Binary, operator: str, left: ir.Expression, right: ir.Expression) -> ir.Expression:
        type_ = t.required(left.type)
        if operator == "contains" and isinstance(type_, t.List):
            fitted = self.fit(right, type_.item, "no_match")
            if fitted is None:
                self._mismatch(node, ir.Constant(type=type_.item, value=None), right)
                return broken(node)
            return ir.Binary(type=t.Bool(), operator=operator, left=left, right=fitted, at=node.start)
        for side, at in ((left, node.left), (right, node.right)):
            if not (is_text(side.type) or is_unknown(side.type) or isinstance(t.required(side.type), t.Null | t.Json)):
                if isinstance(left, ir.FieldValue):
                    self._mismatch(node, left, ir.Constant(type=t.String(), value="") if side is left else right)
                else:
                    said, hint = (
                        f"'{operator}' needs a string, got {t.required(side.type)}",
                        for_conversion(t.String(), t.required(side.type)),
                    )
                    self.report.error(at, said, "CAI0316", kind=self.kind, help_text=hint)
                return broken(node)
        if operator == "matches" and isinstance(node.right, ex.StringLiteral):
            self.check_pattern(node.right)
        return ir.Binary(type=t.Bool(), operator=operator, left=left, right=right, at=node.start)

    def _coalesce(self, node: ex.Binary, left: ir.Expression, right: ir.Expression) -> ir.Expression:
        if isinstance(left.type, t.Null):
            return right
        fitted = self.fit(right, left.type)
        if fitted is None and is_number(left.type) and is_number(right.type):
            wider = wider_number(t.required(left.type), t.required(right.type))
            widened = self.fit(left, wider) if wider is not None else None
            if widened is not None:
                left, fitted = widened, right
        if fitted is None:
            self._mismatch(node, left, right)
            return broken(node)
        base = t.required(left.type)
        if not isinstance(base, t.Enum):  # what is shown in its stead need not be a member
            self.check_spelling(node.right, fitted, left.type)
        return ir.Binary(
            type=t.optional(base) if t.is_nullable(right.type) else base, operator="??", left=left, right=fitted, at=node.start
        )

    def arithmetic(self, node: Node, operator: str, left: ir.Expression, right: ir.Expression) -> ir.Expression:
        """``+ - * / %`` on numbers, texts, times and durations; ``+`` also on lists."""
        first, second = t.required(left.type), t.required(right.type)
        nullable = t.is_nullable(left.type) or t.is_nullable(right.type)

        def done(type_: t.Type, a: ir.Expression = left, b: ir.Expression = right) -> ir.Expression:
            return ir.Binary(type=t.optional(type_) if nullable else type_, operator=operator, left=a, right=b, at=node.start)

        if is_broken(left) or is_broken(right):
            return broken(node)
        if is_unknown(first) or is_unknown(second):  # a parameter without a type: what it is shows when it comes
            return ir.Binary(type=t.Unknown(), operator=operator, left=left, right=right, at=node.start)
        if operator in "/%" and is_number(second) and isinstance(right, ir.Constant) and right.value == 0:
            self.report.error(node, "division by zero", "CAI0334", kind=self.kind)
        if is_number(first) and is_number(second):
            wider = (
                t.Decimal()
                if operator == "/" and not isinstance(first, t.Float) and not isinstance(second, t.Float)
                else wider_number(first, second)
            )
            if wider is None and (isinstance(left, ir.Constant) or isinstance(right, ir.Constant)):
                wider = t.Float()
            if wider is not None:
                return done(wider, self.fit(left, wider) or left, self.fit(right, wider) or right)
        if operator == "+" and is_text(first) and is_text(second):
            return done(t.String())
        if operator == "+" and isinstance(first, t.List) and isinstance(second, t.List):
            if is_unknown(first.item):
                return done(second)
            fitted = right if is_unknown(second.item) else self.fit(right, first)
            return done(first, left, fitted) if fitted is not None else done(t.List(t.Json()))
        if operator in "+-" and isinstance(first, t.Timestamp | t.Date | t.Duration) and isinstance(second, t.Duration):
            return done(first)
        if operator == "+" and isinstance(first, t.Duration) and isinstance(second, t.Timestamp | t.Date):
            return done(second)
        if operator == "-" and isinstance(first, t.Timestamp) and isinstance(second, t.Timestamp):
            return done(t.Duration())
        if operator == "*" and isinstance(first, t.Duration) and isinstance(second, t.Int):
            return done(first)
        if operator == "*" and isinstance(first, t.Int) and isinstance(second, t.Duration):
            return done(second, right, left)
        said, advice = f"'{operator}' does not fit {first} and {second}", for_arithmetic(operator, first, second)
        self.report.error(node, said, "CAI0310", kind=self.kind, help_text=advice)
        return broken(node)

    def _is_null(self, node: ex.IsNull, scope: Scope, expected: t.Type | None) -> ir.Expression:
        operand = self.expression(node.operand, scope)
        return ir.IsNull(type=t.Bool(), operand=operand, negated=node.negated, at=node.start)

    def _between(self, node: ex.Between, scope: Scope, expected: t.Type | None) -> ir.Expression:
        low = ex.Binary(node.start, node.low.end, ">=", node.operand, node.low)
        high = ex.Binary(node.start, node.end, "<=", node.operand, node.high)
        left = self._binary(low, scope, None)
        marks = len(self.report.diagnostics)
        right = self._binary(high, scope, None)
        if isinstance(left.type, t.Unknown):  # what is wrong with both is said once
            self.report.forget(marks)
        return ir.Binary(type=t.Bool(), operator="and", left=left, right=right, at=node.start)

    def _conditional(self, node: ex.Conditional, scope: Scope, expected: t.Type | None) -> ir.Expression:
        condition = self.condition(node.condition, scope)
        then, otherwise = self.expression(node.then, scope, expected), self.expression(node.otherwise, scope, expected)
        type_, (then, otherwise) = self._branches(node, then, otherwise)
        return ir.Conditional(type=type_, condition=condition, then=then, otherwise=otherwise, at=node.start)

    def _branches(self, node: Node, then: ir.Expression, otherwise: ir.Expression) -> tuple[t.Type, tuple[ir.Expression, ir.Expression]]:
        nullable = t.is_nullable(then.type) or t.is_nullable(otherwise.type)
        if isinstance(then.type, t.Null):
            return t.optional(otherwise.type), (then, otherwise)
        fitted = self.fit(otherwise, then.type)
        if fitted is not None:
            base = t.required(then.type)
            return (t.optional(base) if nullable else base), (then, fitted)
        back = self.fit(then, otherwise.type)
        if back is not None:
            return otherwise.type, (back, otherwise)
        return t.Json(), (convert(then, t.Json()), convert(otherwise, t.Json()))

    def _conversion(self, node: ex.Conversion, scope: Scope, expected: t.Type | None) -> ir.Expression:
        operand = self.expression(node.operand, scope)
        return convert(operand, self.resolve(node.type))

    def _stray(self, node: ex.Expression, scope: Scope, expected: t.Type | None) -> ir.Expression:
        what, advice = _STRAY[type(node).__name__]
        self.report.error(node, f"{what} does not belong here", "CAI0317", help_text=advice)
        return broken(node)


def _same_field(left: ir.FieldValue, right: ir.FieldValue) -> bool:
    return (
        left.field == right.field
        and isinstance(left.row, ir.RangeRow)
        and isinstance(right.row, ir.RangeRow)
        and left.row.alias == right.row.alias
    )


def _as_ordered(value: ir.Expression, other: t.Type, in_query: bool) -> ir.Expression:
    """A json value as what it is compared with, so that the two have an order; what it is not compares as false."""
    wanted = t.required(other)
    if not isinstance(t.required(value.type), t.Json) or not isinstance(wanted, ORDERED) or isinstance(value, ir.Constant):
        return value
    if in_query and not is_number(wanted) and not is_text(wanted):
        return value  # json has no times that a database could read
    return convert(value, t.Decimal() if is_number(wanted) else wanted, "no_match")
