"""Expressions, by Pratt's method (top-down operator precedence, 1973). Queries join in ``queries``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from codeai.language.diagnostics import DiagnosticClass, Edit
from codeai.language.lexer import DECIMAL, END, INTEGER, NAME, STRING
from codeai.language.operators import (
    COALESCE,
    COMPARISON,
    CONTINUING,
    NEGATION,
    NOT,
    SYMBOLS,
    TERNARY,
    TYPE_WORDS,
    WORDS,
)
from codeai.language.parser import foreign_operators, foreign_statements, slips
from codeai.language.parser.cursor import CHAIN_LIMIT, NESTING_LIMIT, TOO_DEEP
from codeai.language.parser.maps import Maps
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier, Node

_Found = TypeVar("_Found")

_QUERIES: Final = ("select", "find", "first", "get", "update", "delete", "create")
_PREFIXES_OF_LONGER: Final = frozenset(("==", "!=", "<", "*"))  # of operators of other languages
_NO_ENTITY: Final = (INTEGER, DECIMAL, STRING, END)  # behind a word that begins a query text, where its entity is missing


class Expressions(Maps):
    """Parses expressions. ``header`` and ``aliases`` (see the cursor) restrict what may follow."""

    def type_expression(self) -> Node:
        """Parses a type (see ``Types``)."""
        raise NotImplementedError

    def query(self) -> ex.Expression | None:
        """Parses a query or a write if one begins here (see ``Queries``)."""
        raise NotImplementedError

    def aggregate(self, name: Identifier, operand: ex.Expression) -> ex.Expression:
        """Parses the rest of ``count(E where …)`` (see ``Queries``)."""
        raise NotImplementedError

    def expression(self, power: int = 0) -> ex.Expression:
        """Parses an expression whose operators bind more strongly than ``power``."""
        self.nesting += 1
        if self.nesting > NESTING_LIMIT:
            self.fail("nesting is too deep", "CAI0012", self.start, self.ends[self.i], help_text=TOO_DEEP)
        left = self._prefix()
        links = 0
        while True:
            operator = self._infix()
            if operator is None or operator[0] <= power:
                break
            links = self._link(links)
            left = self._operation(left, *operator)
        self.nesting -= 1
        return left

    def _link(self, links: int) -> int:
        """Counts the links of a chain, whose tree is as deep as the chain is long."""
        if links >= CHAIN_LIMIT:
            self.fail("nesting is too deep", "CAI0012", self.start, self.ends[self.i], help_text=TOO_DEEP)
        return links + 1

    def _infix(self) -> tuple[int, str] | None:
        kind = self.kinds[self.i]
        if kind == NAME:
            text = self.texts[self.i]
            found = WORDS.get(text)
            if found is None:
                return self._conversion_ahead(text) if text == "as" else foreign_operators.infix(self, text)
            following = self.kind_at(1)
            if following == ":" and not self.breaks_at(1):
                return None
            if self.breaks[self.i] and not self.depth and (following == "{" or self.text_at(1) in TYPE_WORDS):
                return None
            if text == "not" and self.text_at(1) != "in":
                return foreign_operators.infix(self, text)
            return found
        found = SYMBOLS.get(kind)
        if found is None or (self.breaks[self.i] and not self.depth and kind not in CONTINUING):
            return None
        return found

    def _conversion_ahead(self, text: str) -> tuple[int, str] | None:
        if self.aliases or self.kind_at(1) != NAME or self.text_at(1) in ("system", "user"):
            return None
        if self.breaks[self.i] and self.kind_at(2) == "{":  # 'as user { … }', misspelt
            return None
        return (NEGATION, "as")

    def _operation(self, left: ex.Expression, power: int, operator: str) -> ex.Expression:
        at = self.i
        self.i += 1
        if operator == "?":
            return self._ternary(left)
        if operator == "is":
            negated = self.take_word("not")
            foreign_operators.nothing(self)
            other = foreign_operators.identity(self, left, self.starts[at], differs=negated)
            if other is not None:
                return other
            end = self.ends[self.i]
            self.expect_word("null")
            return ex.IsNull(left.start, end, left, negated)
        if operator == "between":
            low = self.expression(COALESCE - 1)
            self.expect_word("and")
            high = self.expression(COALESCE - 1)
            return ex.Between(left.start, high.end, left, low, high)
        if operator == "as":
            target = self.type_expression()
            return ex.Conversion(left.start, target.end, left, target)
        if operator == "not_in":
            self.i += 1
        elif operator == "not …":
            return foreign_operators.negated(self, left)
        elif operator == "like":
            return foreign_operators.like(self, left, self.starts[at], self.texts[at])
        elif operator in _PREFIXES_OF_LONGER:
            operator = foreign_operators.longer(self, operator)
        right = self.expression(power - 1 if operator == "??" else power)
        if power == COMPARISON:
            self._not_chained(at)
        return ex.Binary(left.start, right.end, operator, left, right)

    def _not_chained(self, first: int) -> None:
        following = self._infix()
        if following is not None and following[0] == COMPARISON:
            self.fail(
                "comparisons do not chain",
                "CAI0016",
                self.starts[first],
                self.ends[self.i],
                help_text="write 'a < b and b < c'",
            )

    def _ternary(self, condition: ex.Expression) -> ex.Expression:
        then = self.expression(TERNARY - 1)
        self.expect(":", "':'")
        otherwise = self.expression(TERNARY - 1)
        return ex.Conditional(condition.start, otherwise.end, condition, then, otherwise)

    def _prefix(self) -> ex.Expression:
        kind = self.kinds[self.i]
        start = self.start
        if kind == "!" or (kind == NAME and self.texts[self.i] == "not" and self.kind_at(1) not in (":", ".", ",", ")")):
            self.i += 1
            operand = self.expression(NOT - 1)
            return ex.Unary(start, operand.end, "not", operand)
        if kind == "-":
            self.i += 1
            operand = self.expression(NEGATION)
            return ex.Unary(start, operand.end, "-", operand)
        return self.postfix(self._primary())

    def _primary(self) -> ex.Expression:
        kind = self.kinds[self.i]
        if kind == NAME:
            foreign_statements.awaited(self)
            return self._name()
        if kind == "(":
            return self._parenthesis()
        if kind == "[":
            return self._list()
        if kind == "{" and (not self.header or self.depth):
            return self.map_literal()
        found = self.literal()
        if found is None:
            self.fail_expected("an expression" if self.error_class == "SyntaxError" else "identifier")
        return found

    def _name(self) -> ex.Expression:
        text, start, end = self.texts[self.i], self.starts[self.i], self.ends[self.i]
        following = self.kind_at(1)
        if following == "=>":
            name = self.identifier()
            self.i += 1
            body = self.expression()
            return ex.Lambda(start, body.end, (name,), body)
        if text in ("true", "false"):
            self.i += 1
            return ex.BooleanLiteral(start, end, text == "true")
        if text == "null":
            self.i += 1
            return ex.NullLiteral(start, end)
        if following == STRING and self.starts[self.i + 1] == end and text in ("f", "r", "b", "u", "s", "rf", "fr"):
            value = self.texts[self.i + 1]
            edits = (Edit(start, end, ""),)
            help_text = 'a text has no letter before it, and puts in what stands in braces: "{name}"'
            self.report(f"expected an expression, got '{text}'", "CAI0037", start, end, help_text=help_text, edits=edits)
            self.i += 1
            if value[0] == "'":
                self.texts[self.i] = f'"{value[1:-1]}"'
            return self._primary()
        if text == "if" and following not in (".", ")", ",", "="):
            return self._if_expression()
        everything = following == "*" and text == "select" and self.text_at(2) == "from"
        if following in (NAME, "(") or text in ("get", "exec", "call") or everything:
            found = self.query()
            if found is not None:
                return found
        if self.i == 0 and text in _QUERIES and following in _NO_ENTITY and self.error_class == DiagnosticClass.PARSER:
            self.i += 1
            self.fail_expected("identifier")
        if following == NAME:
            slips.statement_instead(self)
            at = self.i
            slips.doubled(self, slips.BEHIND_OPERANDS)
            if self.i > at:
                return self._name()
        self.i += 1
        if text == "request" and self.host.older:
            return self._request_input(start, end)
        if text == "error_message" and self.host.failing and text not in self.host.declared:
            self.older(start, end, "error.message")
            return ex.Member(start, end, ex.Name(start, end, "error"), Identifier(start, end, "message"))
        return ex.Name(start, end, text)

    def _request_input(self, start: int, end: int) -> ex.Expression:
        """``request`` of an older block: the input of its endpoint; a parameter of the path wins over a field."""
        member = self.text_at(1) if self.at(".") else ""
        place = "path" if member in self.host.parameters else self.host.place
        known = "request" in self.host.declared
        if not known:
            self.older(start, end, place)
        return ex.Name(start, end, "request" if known else place)

    def _if_expression(self) -> ex.Expression:
        start = self.start
        self.i += 1
        condition = self.expression()
        self.expect_word("then")
        then = self.expression()
        self.expect_word("else")
        otherwise = self.expression()
        return ex.Conditional(start, otherwise.end, condition, then, otherwise)

    def postfix(self, target: ex.Expression) -> ex.Expression:
        """Members, elements and calls behind an operand."""
        links = 0
        while True:
            kind = self.kinds[self.i]
            if kind in (".", "(", "["):
                links = self._link(links)
            if kind == "." and self.kind_at(1) == NAME:
                if slips.name_missing(self):
                    return target
                self.i += 1
                name = self.identifier()
                target = ex.Member(target.start, name.end, target, name)
            elif kind == "(" and not self.breaks[self.i]:
                target = self._call(target)
            elif kind == "[" and not self.breaks[self.i]:
                self.i += 1
                index = self.inside(self.expression)
                self.expect("]", "']'")
                target = ex.Index(target.start, self.previous_end, target, index)
            elif kind == "?" and self.kind_at(1) == "." and self.starts[self.i + 1] == self.ends[self.i]:
                self._careful_member()
            else:
                return target

    def _careful_member(self) -> None:
        """``a?.b`` of other languages."""
        start, end = self.start, self.ends[self.i + 1]
        edits = (Edit(start, end, ".", safe=True),)
        self.report("expected '.', got '?.'", "CAI0010", start, end, help_text="write '.': a member of null is null", edits=edits)
        self.i += 1

    def inside(self, parse: Callable[[], _Found], *, alone: bool = False) -> _Found:
        """Parses within brackets, where line ends mean nothing and ``{`` is a map; ``alone`` where no list of values may stand."""
        outside = self.header, self.aliases, self.alone
        self.depth += 1
        self.header, self.aliases, self.alone = False, False, alone
        found = parse()
        self.depth -= 1
        self.header, self.aliases, self.alone = outside
        return found

    def _call(self, callee: ex.Expression) -> ex.Expression:
        self.i += 1
        return self.inside(lambda: self._arguments(callee))

    def _arguments(self, callee: ex.Expression) -> ex.Expression:
        found: list[ex.Argument] = []
        while not self.at(")"):
            start = self.start
            name = None
            if self.at(NAME) and self.kind_at(1) == ":":
                name = self.identifier()
                self.i += 1
            value = self._star() if self.at("*") and not found else self.expression()
            if self._clause_follows() and isinstance(callee, ex.Name) and not found and name is None:
                return self.aggregate(Identifier(callee.start, callee.end, callee.text), value)
            found.append(ex.Argument(start, value.end, name, value))
            if not self.take(","):
                break
        self.expect(")", "')'", "','")
        return ex.Call(callee.start, self.previous_end, callee, tuple(found))

    def _clause_follows(self) -> bool:
        """Whether a clause follows the operand, as in ``count(E where …)`` or ``count(E with deleted)``."""
        return self.at_word("where") or (self.text_at(0), self.text_at(1)) in (("with", "deleted"), ("as", "system"))

    def _star(self) -> ex.Expression:
        """``*`` as the only argument, as in ``count(*)``."""
        if self.kind_at(1) != ")":
            self.fail_expected("an expression" if self.error_class == "SyntaxError" else "identifier")
        self.i += 1
        return ex.Star(self.starts[self.i - 1], self.ends[self.i - 1])

    def _parenthesis(self) -> ex.Expression:
        start = self.start
        parameters = self._lambda_parameters()
        if parameters is not None:
            body = self.expression()
            return ex.Lambda(start, body.end, parameters, body)
        self.i += 1
        inner = self.inside(self.expression, alone=True)
        self.expect(")", "')'")
        return inner

    def _lambda_parameters(self) -> tuple[Identifier, ...] | None:
        """The parameters of ``(a, b) =>`` when that is what begins here."""
        ahead = 1
        while self.kind_at(ahead) == NAME and self.kind_at(ahead + 1) == ",":
            ahead += 2
        ahead += self.kind_at(ahead) == NAME
        if self.kind_at(ahead) != ")" or self.kind_at(ahead + 1) != "=>":
            return None
        names = []
        self.i += 1
        while not self.take(")"):
            names.append(self.identifier())
            self.take(",")
        self.i += 1
        return tuple(names)

    def _list(self) -> ex.Expression:
        start = self.start
        self.i += 1
        found = self.inside(self._list_items)
        return ex.ListLiteral(start, self.previous_end, found)

    def _list_items(self) -> tuple[ex.Expression, ...]:
        found: list[ex.Expression] = []
        while not self.at("]"):
            found.append(self.expression())
            if not self.take(","):
                break
        self.expect("]", "']'", "','")
        return tuple(found)
