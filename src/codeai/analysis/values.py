"""Values of expressions: resolved, converted to what their place wants, and what does not fit reported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from codeai.analysis.advice import for_condition, for_value
from codeai.analysis.constants import NONE, constants, misspelt, unfit
from codeai.analysis.conversions import SCALARS, convert, distinct_names, fit, is_true
from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Scope, broken, is_broken
from codeai.analysis.symbols import Symbols
from codeai.analysis.translation import place_of, untranslatable
from codeai.analysis.types import TypeResolver
from codeai.language import types as t
from codeai.language.diagnostics import DiagnosticClass, Severity
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Node
from codeai.model import expression as ir
from codeai.model.application import Requirement
from codeai.model.entity import Constraints

_BEFORE: Final = "compute it before, with 'let', or store it in a field"


class Values(TypeResolver):
    """What all parts that elaborate expressions share: the entry, and what a place wants of a value."""

    def __init__(self, symbols: Symbols, reporter: Reporter, *, query_text: bool = False) -> None:
        super().__init__(symbols, reporter)
        self.query_text = query_text
        self.shadowed: dict[str, frozenset[str]] = {}  # fields of what a step gave that its facts hide, by the name of its record
        self.declared_steps: frozenset[str] = frozenset()  # of the workflow or job at hand, those that come later, too
        self.broken_body = False  # whether the body of the endpoint at hand names a type that is not there
        self.requirements: list[Requirement] = []
        self.filling: set[str] = set()  # record types whose defaults are being filled in
        self._dispatch: dict[type, Callable[[Any, Scope, t.Type | None], ir.Expression]] = {}  # by class of node; filled by ``Expressions``

    def fit(self, value: ir.Expression, target: t.Type, on_failure: str = "error") -> ir.Expression | None:
        """``conversions.fit`` with the keys of this program's entities."""
        return fit(value, target, on_failure, lambda entity: self.symbols.entities[entity].key_type)

    @property
    def kind(self) -> DiagnosticClass:
        """The class of findings about meaning: CompilerError for query text, SemanticError in programs."""
        return DiagnosticClass.COMPILER if self.query_text else DiagnosticClass.SEMANTIC

    def expression(self, node: ex.Expression, scope: Scope, expected: t.Type | None = None) -> ir.Expression:
        """The resolved form of an expression; ``expected`` helps literals to their type but converts nothing."""
        return self._dispatch[type(node)](node, scope, expected)

    def value(self, node: ex.Expression, scope: Scope, expected: t.Type, what: str, *, nullable: bool = True) -> ir.Expression:
        """An expression converted to the type that its place wants; reports what does not fit.

        :param what: how messages call the place (``field 'price'``)
        """
        found = self.expression(node, scope, expected)
        return self.fitted(node, found, expected, what, nullable=nullable)

    def fitted(self, node: Node, found: ir.Expression, expected: t.Type, what: str, *, nullable: bool = True) -> ir.Expression:
        """A resolved expression converted to the wanted type."""
        fitted = self.fit(found, expected)
        if isinstance(t.required(found.type), t.Unknown) and not is_broken(found) and isinstance(t.required(expected), SCALARS):
            fitted = convert(found, t.required(expected))
        if fitted is None:
            wanted, got = distinct_names(expected, found.type)
            said, advice = f"type mismatch for {what}: expected {wanted}, got {got}", "" if self.query_text else for_value(expected, found)
            self.report.error(node, said, "CAI0301", kind=self.kind, help_text=advice)
            return broken(node)
        self.check_spelling(node, fitted, expected)
        if not nullable and isinstance(fitted.type, t.Null):
            self.report.error(node, f"{what} is never null", "CAI0302", kind=self.kind, help_text="give it a value")
        return fitted

    def check_spelling(self, node: Node, fitted: ir.Expression, wanted: t.Type) -> None:
        """Reports constants that are no uuid, date, time or member of the enum that their place wants.

        In a program that is a mistake, for whoever asks by ``q`` a comparison that is never true.
        """
        severity = Severity.WARNING if self.query_text else Severity.ERROR
        for place, value, type_ in constants(node, fitted, wanted):
            if isinstance(type_, t.Enum) and isinstance(value, ir.Constant) and isinstance(value.value, str):
                self.check_member(place, value.value, type_)
            problem = misspelt(value)
            if problem is not None:
                said, advice = problem
                self.report.error(place, said, "CAI0331", severity=severity, help_text=advice, kind=self.kind)

    def check_constants(self, node: Node, value: ir.Expression, type_: t.Type, constraints: Constraints, what: str) -> None:
        """Reports constants that the field which takes them would refuse."""
        for place, constant, wanted in constants(node, value, type_):
            problem = unfit(constant, wanted, constraints if place is node else NONE)
            if problem is not None:
                self.report.error(place, f"{what} {problem}", "CAI0336", kind=self.kind)

    def condition(self, node: ex.Expression, scope: Scope) -> ir.Expression:
        """An expression that must be true or false."""
        found = self.expression(node, scope, t.Bool())
        if not isinstance(t.required(found.type), t.Bool | t.Unknown | t.Json):
            said = f"a condition must be bool, got {found.type}"
            self.report.error(node, said, "CAI0303", kind=self.kind, help_text=for_condition(found.type))
            return broken(node)
        return is_true(found)

    def check_query(self, node: Node, value: ir.Expression | None, advice: str = _BEFORE) -> None:
        """Reports what would have to be computed of each row and cannot be."""
        found = untranslatable(value) if value is not None else None
        if found is not None:
            at, what = found
            said = f"{what} cannot be computed in a query"
            self.report.error(place_of(node, at), said, "CAI0337", kind=self.kind, help_text=advice)

    def call(self, node: ex.Call, scope: Scope, expected: t.Type | None) -> ir.Expression:
        """A call (see ``Calls``)."""
        raise NotImplementedError

    def check_member(self, node: Node, value: str, enum: t.Enum) -> None:
        """Reports what is no member of an enum."""
        if value not in enum.members:
            label = f"enum '{enum.name}'" if enum.name else "enum"
            self.report.unknown(
                node, f"'{value}' is not a member of {label}", value, enum.members, "CAI0307", kind=self.kind, owner=enum.name
            )
