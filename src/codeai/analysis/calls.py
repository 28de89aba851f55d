"""Calls: built-ins, methods, declared functions, aggregates, the environment."""

from __future__ import annotations

from codeai.analysis.advice import for_function, for_method, for_step
from codeai.analysis.arguments import TESTS, argument_problem, as_parameters, call_problem
from codeai.analysis.builtins import ALIASES, BUILTINS, OF_TESTS, STRICT, Builtin, item_of, usage
from codeai.analysis.conversions import is_true
from codeai.analysis.expressions import Expressions
from codeai.analysis.grouping import COUNTED, aggregate_problem
from codeai.analysis.guarding import check_permission
from codeai.analysis.names import origin_of
from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Scope, Variable, broken, is_broken
from codeai.analysis.symbols import FunctionSymbol, Symbols
from codeai.analysis.translation import place_of, waiting
from codeai.language import types as t
from codeai.language.diagnostics import HERE, DiagnosticClass, Subject
from codeai.language.spellings.steps import STEPS
from codeai.language.suggestions import nearest
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree.node import Identifier, Node
from codeai.model import expression as ir
from codeai.model.application import Requirement
from codeai.model.traversal import any_node

_AGGREGATES = ("count", "sum", "avg", "min", "max")
_BRACES = "what it is given stands in braces, as in"
_IN_BRACES = {
    q.Start: f"{_BRACES} 'start Deliver {{ order_id: order.id }}'",
    q.CallOperation: f"{_BRACES} 'call Payments.charge {{ amount: order.total }}'",
}
_IMPURE = frozenset(["now", "today", "uuid", "random", "hash_password", "verify_password", "issue_token", "print"])
_TAKING_NAMES = (*STEPS, "env", "secret")  # as they are: behind a misspelt one of these they are not undefined


class Calls(Expressions):
    """Elaborates calls; ``called_in_lambdas`` are the functions that lambdas call, with the places."""

    def __init__(self, symbols: Symbols, reporter: Reporter, *, query_text: bool = False) -> None:
        super().__init__(symbols, reporter, query_text=query_text)
        self.called_in_lambdas: list[tuple[Node, str]] = []

    def aggregate_query(self, node: q.Select, scope: Scope) -> ir.Expression:
        """``count(E where …)`` and its kin (see ``Queries``)."""
        raise NotImplementedError

    def inquired(self, node: ex.Call, name: str, scope: Scope) -> ir.Expression:
        """``executions(Workflow)`` and its kin (see ``Inquiries``)."""
        raise NotImplementedError

    def call(self, node: ex.Call, scope: Scope, expected: t.Type | None) -> ir.Expression:
        """A call of any kind."""
        callee = node.callee
        if isinstance(callee, ex.Member):
            return self._method(node, callee, scope)
        if not isinstance(callee, ex.Name):
            hint = _IN_BRACES.get(type(callee), "")
            self.report.error(node.callee, "this is not a function", "CAI0112", kind=DiagnosticClass.FUNCTION, help_text=hint)
            return broken(node)
        return self._named_call(node, callee, scope)

    def _named_call(self, node: ex.Call, callee: ex.Name, scope: Scope) -> ir.Expression:
        name = ALIASES.get(callee.text, callee.text)
        if name in ("env", "secret") and not self.query_text:
            return self._environment(node, name, scope)
        if name in OF_TESTS and scope.host.test and name not in self.symbols.functions:
            return self.inquired(node, name, scope)
        of_values = name in ("min", "max") and len(node.arguments) > 1
        if name in _AGGREGATES and scope.ranges and scope.aggregating and not of_values:
            return self._aggregate(node, name, scope)
        entity = self._entity_argument(node, scope)
        if name in _AGGREGATES and entity is not None:
            return self.aggregate_query(q.Select(node.start, node.end, name, None, operand=node.arguments[0].value), scope)
        function = self.symbols.functions.get(name)
        if function is not None and not self.query_text:
            return self._declared(node, function, scope)
        builtin = BUILTINS.get(name)
        if builtin is not None:
            return self._builtin(node, name, builtin, None, scope)
        variable = scope.find(callee.text)
        if variable is not None:
            variable.used = True
        if variable is not None or callee.text in ("user", "config") or self._is_field(callee.text, scope):
            hint = f"it is a value: write '{callee.text}' without parentheses"
            self.report.error(callee, f"'{callee.text}' is not a function", "CAI0112", kind=DiagnosticClass.FUNCTION, help_text=hint)
        else:
            known = [*BUILTINS, *self.symbols.functions, "env", "secret"]
            said, otherwise = f"undefined function '{callee.text}'", "" if self.query_text else for_function(callee.text)
            self.report.unknown(callee, said, callee.text, known, "CAI0110", kind=DiagnosticClass.FUNCTION, otherwise=otherwise)
            marks = len(self.report.diagnostics)
            for argument in node.arguments:
                if not isinstance(argument.value, ex.Lambda):
                    self.expression(argument.value, scope)
            if nearest(callee.text, _TAKING_NAMES) is not None:
                self.report.forget(marks)
        return broken(node)

    def _is_field(self, name: str, scope: Scope) -> bool:
        return any(name in self.symbols.entities[range_.entity].member_names() for range_ in scope.ranges)

    def _entity_argument(self, node: ex.Call, scope: Scope) -> str | None:
        if len(node.arguments) != 1:
            return None
        value = node.arguments[0].value
        while isinstance(value, ex.Member):
            value = value.target
        if isinstance(value, ex.Binary):
            value = value.left
            while isinstance(value, ex.Member):
                value = value.target
        if isinstance(value, ex.Name) and value.text in self.symbols.entities and scope.find(value.text) is None:
            return value.text
        return None

    def _aggregate(self, node: ex.Call, name: str, scope: Scope) -> ir.Expression:
        """An SQL aggregate in a column of a selection."""
        argument = node.arguments[0].value if len(node.arguments) == 1 else None
        if argument is None or (isinstance(argument, ex.Star) and name != "count"):
            self._wrong_count(node, name, 1)
            return broken(node)
        if isinstance(argument, ex.Star):
            return ir.Call(type=t.Int(), function="count", arguments=(), at=node.start)
        inner = scope.child()
        inner.aggregating = False
        value = self.expression(argument, inner)
        type_ = t.required(value.type)
        problem = aggregate_problem(name, type_)
        if problem is not None:
            self.report.error(argument, problem, "CAI0318", kind=self.kind, help_text=COUNTED)
            return broken(node)
        return ir.Call(type=self.aggregate_type(name, type_), function=name, arguments=(value,), at=node.start)

    def aggregate_type(self, name: str, type_: t.Type) -> t.Type:
        """The result of an aggregate: sums of nothing are 0, averages and extremes of nothing are null."""
        if name == "count":
            return t.Int()
        if isinstance(type_, t.Decimal):
            type_ = t.Decimal() if name in ("sum", "avg") else type_
        if name == "avg":
            return t.optional(t.Float() if isinstance(type_, t.Float) else t.Decimal())
        return type_ if name == "sum" else t.optional(type_)

    # -- environment -----------------------------------------------------------------------------------------------

    def _environment(self, node: ex.Call, kind: str, scope: Scope) -> ir.Expression:
        arguments = [argument.value for argument in node.arguments]
        name = arguments[0] if arguments else None
        text = name.text if isinstance(name, ex.Name) else name.value if isinstance(name, ex.StringLiteral) else None
        if text is None or not text.isidentifier() or len(arguments) > (2 if kind == "env" else 1):
            self.report.error(node, f"'{kind}' takes the name of a variable", "CAI0319", help_text=f"write {kind}(NAME)")
            return broken(node)
        default = self.expression(arguments[1], scope) if len(arguments) == 2 else None
        value = ir.EnvironmentValue(type=t.String(), name=text, default=default, secret=kind == "secret", at=node.start)
        self.requirements.append(Requirement(value=value, at=node.start))
        return value

    # -- methods ---------------------------------------------------------------------------------------------------

    def _method(self, node: ex.Call, callee: ex.Member, scope: Scope) -> ir.Expression:
        owner = callee.target
        if isinstance(owner, ex.Name) and owner.text in self.symbols.entities and scope.find(owner.text) is None:
            hint = for_method(owner.text, callee.name.text)
            if hint:
                said = f"undefined variable '{owner.text}'"
                about = Subject(owner.text, HERE)
                self.report.error(owner, said, "CAI0101", kind=DiagnosticClass.SCOPE, help_text=hint, subject=about)
                return broken(node)
        target = self.expression(callee.target, scope)
        name = ALIASES.get(callee.name.text, callee.name.text)
        type_ = t.required(target.type)
        if is_broken(target):
            return broken(node)
        if isinstance(type_, t.Principal):
            return self._user_method(node, callee, scope)
        if name == "length" and not node.arguments:
            return self.member(callee, target, scope)
        builtin = BUILTINS.get(name)
        if builtin is not None and builtin.kinds:
            return self._builtin(node, name, builtin, target, scope)
        self.report.unknown(
            callee.name,
            f"undefined function '{callee.name.text}'",
            callee.name.text,
            [known for known, entry in BUILTINS.items() if entry.kinds],
            "CAI0110",
            kind=DiagnosticClass.FUNCTION,
        )
        return broken(node)

    def _user_method(self, node: ex.Call, callee: ex.Member, scope: Scope) -> ir.Expression:
        name = callee.name.text
        if name not in ("has_role", "has_permission"):
            self.report.unknown(
                callee.name, f"undefined function '{name}'", name, ("has_role", "has_permission"), "CAI0110", kind=DiagnosticClass.FUNCTION
            )
            return broken(node)
        if len(node.arguments) != 1:
            self._wrong_count(node, name, 1)
            return broken(node)
        argument = node.arguments[0].value
        text = argument.text if isinstance(argument, ex.Name) else argument.value if isinstance(argument, ex.StringLiteral) else None
        if text is not None and name == "has_role":
            self.check_role(Identifier(argument.start, argument.end, text))
        elif text is not None and not self.query_text:
            check_permission(Identifier(argument.start, argument.end, text), self.symbols, self.report)
        value: ir.Expression
        if text is None:
            value = self.value(argument, scope, t.String(), "the argument")
        else:
            value = ir.Constant(type=t.String(), value=text, at=argument.start)
        user = ir.CurrentUser(type=t.Principal(), at=node.start)
        return ir.Call(type=t.Bool(), function=name, arguments=(user, value), at=node.start)

    def check_role(self, name: Identifier) -> None:
        """Reports a role that the program does not declare."""
        if name.text not in self.symbols.roles:
            self.report.unknown(name, f"unknown role '{name.text}'", name.text, self.symbols.roles, "CAI0109")

    # -- built-ins and functions -----------------------------------------------------------------------------------

    def _wrong_count(self, node: Node, name: str, expected: int, got: int | None = None) -> None:
        count = got if got is not None else len(getattr(node, "arguments", ()))
        said = f"wrong number of arguments for '{name}': expected {expected}, got {count}"
        declared = self.symbols.functions.get(name)
        parameters = ", ".join(parameter.name.text for parameter in declared.declaration.parameters) if declared is not None else ""
        advice = f"it is {name}({parameters})" if declared is not None else f"it is {usage(name)}" if name in BUILTINS else ""
        self.report.error(node, said, "CAI0111", kind=DiagnosticClass.FUNCTION, help_text=advice)

    def _builtin(self, node: ex.Call, name: str, builtin: Builtin, target: ir.Expression | None, scope: Scope) -> ir.Expression:
        count = len(node.arguments) + (target is not None)
        if not builtin.minimum <= count <= builtin.maximum:
            expected = builtin.minimum if count < builtin.minimum else builtin.maximum
            self._wrong_count(node, name, expected, count)
            return broken(node)
        arguments = [target] if target is not None else []
        for argument in node.arguments:
            arguments.append(self._argument_value(name, argument, arguments, scope))
        problem = self._argument_problem(name, builtin, arguments)
        if problem is not None:
            at, said = problem
            place: Node = node.arguments[at - (target is not None)].value if at >= (target is not None) else node
            advice = for_step(arguments[at].type)
            self.report.error(
                place, f"type mismatch for argument {at + 1} of '{name}': {said}", "CAI0301", kind=self.kind, help_text=advice
            )
            return broken(node)
        arguments = as_parameters(name, builtin.kinds, arguments)
        if name == "issue_token" and len(node.arguments) > 1:
            self._issued_roles(node.arguments[1].value)
        if name in _IMPURE:
            scope.host.impure = True
        result = builtin.result(tuple(value.type for value in arguments))
        if name in STRICT and any(t.is_nullable(value.type) for value in arguments):
            result = t.optional(result)
        return ir.Call(type=result, function=name, arguments=tuple(arguments), at=node.start)

    def _argument_problem(self, name: str, builtin: Builtin, arguments: list[ir.Expression]) -> tuple[int, str] | None:
        for at, value in enumerate(arguments):
            kind = builtin.kinds[at] if at < len(builtin.kinds) - builtin.kinds.count("*") else "a"
            problem = argument_problem(kind, value.type)
            if problem is not None:
                return at, problem
            if isinstance(value, ir.LambdaOf) and len(value.parameters) != 1:
                return at, f"expected a lambda of one parameter, got one of {len(value.parameters)}"
        return call_problem(name, arguments)

    def _issued_roles(self, node: ex.Expression) -> None:
        """Where the program declares roles, others open nothing, so that whoever issues one has mistyped it."""
        for item in node.items if isinstance(node, ex.ListLiteral) and self.symbols.roles else ():
            if isinstance(item, ex.StringLiteral):
                self.check_role(Identifier(item.start, item.end, item.value))

    def _argument_value(self, called: str, argument: ex.Argument, before: list[ir.Expression], scope: Scope) -> ir.Expression:
        if argument.name is not None:
            said = "built-in functions take arguments by position"
            self.report.error(argument.name, said, "CAI0320", help_text=f"it is {usage(called)}")
        if isinstance(argument.value, ex.Lambda):
            return self._lambda(called, argument.value, before[0] if before else None, scope)
        return self.expression(argument.value, scope)

    def _lambda(self, called: str, node: ex.Lambda, over: ir.Expression | None, scope: Scope) -> ir.Expression:
        type_ = t.required(over.type) if over is not None else t.Unknown()
        item = item_of(type_)
        inner = scope.child()
        names: list[str] = []
        for position, parameter in enumerate(node.parameters):
            unique = scope.host.unique(parameter.text)
            origin = origin_of(over, scope) if over is not None else None
            known = item if position == 0 else t.Int()
            inner.variables[parameter.text] = Variable(parameter.text, unique, known, node=parameter, origin=origin, used=True)
            names.append(unique)
        if over is not None and self._over_rows((over,), scope):
            scope.host.of_rows.update(names)
        body = self.expression(node.body, inner)
        if not scope.query:
            self._waits_not(node.body, body)
        body = is_true(body) if called in TESTS else body
        return ir.LambdaOf(type=t.Function((item,), body.type), parameters=tuple(names), body=body, at=node.start)

    def _over_rows(self, values: tuple[ir.Expression, ...], scope: Scope) -> bool:
        """Whether one of the values is known by the database only: it has a row in it, or what a lambda takes from one."""

        def of_row(part: object) -> bool:
            return isinstance(part, ir.RangeRow) or (isinstance(part, ir.Local) and part.name in scope.host.of_rows)

        return any(any_node(value, of_row) for value in values)

    def _waits_not(self, node: ex.Expression, body: ir.Expression) -> None:
        """A lambda is evaluated at once, so that nothing in it may have to be waited for; of functions that is known later."""
        for found in waiting(body):
            place = place_of(node, found.at)
            if isinstance(found, ir.CallFunction):
                self.called_in_lambdas.append((place, found.function))
            else:
                self.waits_in_lambda(place, f"'{found.function}'" if isinstance(found, ir.Call) else "a query or call")
                return

    def waits_in_lambda(self, place: Node, what: str) -> None:
        """Reports what stands in a lambda and would have to be waited for."""
        self.report.error(place, f"{what} cannot stand in a lambda", "CAI0338", kind=self.kind, help_text="write a 'for' loop")

    def _declared(self, node: ex.Call, function: FunctionSymbol, scope: Scope) -> ir.Expression:
        self.symbols.use("function", function.name)
        if len(node.arguments) != len(function.parameters):
            self._wrong_count(node, function.name, len(function.parameters))
            return broken(node)
        values = tuple(
            self.value(argument.value, scope, type_, f"parameter '{name}'", nullable=t.is_nullable(type_))
            for argument, (name, type_) in zip(node.arguments, function.parameters, strict=True)
        )
        scope.host.calls.append(function.name)
        if scope.query and scope.host.kind != "a validation" and self._over_rows(values, scope):
            self.symbols.calls_over_rows.append((node, function.name))
        scope.host.writes = scope.host.writes or function.writes
        scope.host.effects.extend((word, node) for word in sorted(function.effects))
        scope.host.emits.extend(function.emits)
        if function.declaration.source is not None:
            scope.host.effects.append(("extern", node))
        return ir.CallFunction(type=function.result, function=function.name, arguments=values, at=node.start)
