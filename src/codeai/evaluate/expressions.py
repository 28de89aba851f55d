"""Expressions to Python source. Names, constants and functions of the program enter only through the namespace, never as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import quote

from codeai.evaluate import builtins, open_values, operations
from codeai.evaluate.context import Context
from codeai.evaluate.errors import EvaluationError, NotCompilable
from codeai.evaluate.records import Defaults, Fit, Misfit, fitting, holds_records
from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.traversal import any_node

_PLANNED: Final = (ir.Selection, ir.UpdateRows, ir.DeleteRows, ir.CreateRow, ir.ChangeRow, ir.RemoveRow)
_HELPERS: Final[dict[str, object]] = {
    "_member": operations.member,
    "_json_member": operations.json_member,
    "_item": operations.item,
    "_less": operations.less,
    "_less_equal": operations.less_equal,
    "_json_equal": operations.json_equal,
    "_is_in": operations.is_in,
    "_contains": operations.contains,
    "_starts_with": operations.starts_with,
    "_ends_with": operations.ends_with,
    "_matches": operations.matches,
    "_arithmetic": operations.arithmetic,
    "_divide": operations.divide,
    "_remainder": operations.remainder,
    "_negate": operations.negate,
    "_open_arithmetic": open_values.arithmetic,
    "_open_items": open_values.items,
    "_open_negate": open_values.negate,
    "_text": operations.text,
}


class Plan(Protocol):
    """A compiled statement (see the architecture page): the host evaluates ``values`` and passes them to ``run``."""

    @property
    def values(self) -> tuple[ir.Expression, ...]:
        """What the host evaluates, in order."""

    async def run(self, session: Any, values: Any) -> Any:
        """Sends the statement."""


class StatementCompiler(Protocol):
    """Makes plans of queries and writes."""

    def compile(self, expression: ir.Expression) -> Plan:
        """The plan of a selection or a write."""


class Program(Protocol):
    """What generated code refers to beyond itself."""

    def function_of(self, name: str) -> tuple[str, bool]:
        """The name in the namespace of a declared function, and whether it has to be awaited."""

    def computed_of(self, entity: str, field: str) -> Callable[[Context, Any], Any]:
        """The function that computes a field from a context (its time, its depth of calls) and a row."""

    def primary_of(self, entity: str) -> str:
        """The primary field of an entity."""

    def setting(self, path: tuple[str, ...]) -> object:
        """A value of ``config``."""

    def defaults_of(self, record: str) -> Mapping[str, Callable[[Context], Any]]:
        """What makes the members of a record type that were not given, by their names."""

    def environment(self, value: ir.EnvironmentValue) -> object:
        """A value of the environment."""

    @property
    def statements(self) -> StatementCompiler:
        """The query compiler."""


class Writer:
    """Collects the namespace of one generated function and writes its expressions.

    ``open`` are the variables that may be null though their type says otherwise: what a function is given and what it gives back is not
    checked for null, since evaluation is total (language page, section 1).
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.namespace: dict[str, Any] = dict(_HELPERS)
        self.awaits = False
        self.open: set[str] = set()
        self._names: dict[str, str] = {}
        self._lambda_depth = 0

    # -- namespace -------------------------------------------------------------------------------------------------

    def bind(self, prefix: str, value: object) -> str:
        """A name of the namespace that stands for a value."""
        name = f"{prefix}{len(self.namespace)}"
        self.namespace[name] = value
        return name

    def local(self, name: str) -> str:
        """The Python name of a variable of the program."""
        return self._names.setdefault(name, f"v{len(self._names)}")

    def present(self, node: ir.Expression) -> bool:
        """Whether a value is surely not null, so that it needs no care."""
        return not t.is_nullable(node.type) and not any_node(node, self._may_be_null)

    def _may_be_null(self, part: object) -> bool:
        return isinstance(part, ir.CallFunction) or (isinstance(part, ir.Local) and part.name in self.open)

    # -- expressions -----------------------------------------------------------------------------------------------

    def write(self, node: ir.Expression) -> str:
        """The source of an expression."""
        if isinstance(node, _PLANNED):
            return self._plan(node)
        method = _WRITERS.get(type(node))
        if method is None:
            raise NotCompilable(f"'{type(node).__name__}' cannot stand here", node.at)
        return method(self, node)

    def _plan(self, node: ir.Expression) -> str:
        if self._lambda_depth:
            raise NotCompilable("a query cannot stand in a lambda", node.at)
        self.awaits = True
        plan = self.program.statements.compile(node)
        values = "".join(f"{self.write(value)}, " for value in plan.values)
        return f"(await {self.bind('_run', plan.run)}(c.session, ({values})))"

    def constant(self, node: ir.Constant) -> str:
        value = node.value
        if value is None or value is True or value is False:
            return repr(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return f"({value})" if value < 0 else str(value)
        return self.bind("_k", value)

    def request_value(self, node: ir.RequestValue) -> str:
        if node.name is None:
            return f"c.{node.place}"
        name = self.bind("_k", node.name)
        return f"_member(c.{node.place}, {name})"

    def host_value(self, node: ir.HostValue) -> str:
        return f"c.values[{self.bind('_k', node.name)}]"

    def provided(self, node: ir.Provided) -> str:
        return f"c.sent_field({node.place!r}, {self.bind('_k', node.name)})"

    def current_user(self, node: ir.CurrentUser) -> str:
        return "c.user" if node.attribute is None else f"c.user.{node.attribute}"

    def field_value(self, node: ir.FieldValue) -> str:
        name = self.bind("_k", node.field)
        row = self.write(node.row)
        return f"{row}[{name}]" if self.present(node.row) else f"_member({row}, {name})"

    def computed_value(self, node: ir.ComputedValue) -> str:
        type_ = t.required(node.row.type)
        if not isinstance(type_, t.Row):
            raise NotCompilable("this is no row", node.at)
        function = self.bind("_f", self.program.computed_of(type_.entity, node.field))
        return f"{function}(c, {self.write(node.row)})"

    def related(self, node: ir.RelatedRow | ir.RelatedRows) -> str:
        return f"_member({self.write(node.row)}, {self.bind('_k', '@' + node.relation)})"

    def member(self, node: ir.Member) -> str:
        helper = "_json_member" if isinstance(t.required(node.target.type), t.Json | t.Unknown) else "_member"
        return f"{helper}({self.write(node.target)}, {self.bind('_k', node.name)})"

    def item(self, node: ir.Item) -> str:
        return f"_item({self.write(node.target)}, {self.write(node.index)})"

    def call(self, node: ir.Call) -> str:
        lambdas = [argument for argument in node.arguments if isinstance(argument, ir.LambdaOf)]
        if lambdas and not all(self.present(argument) for argument in node.arguments if not isinstance(argument, ir.LambdaOf)):
            self.open.update(name for each in lambdas for name in each.parameters)
        arguments = [self.write(argument) for argument in node.arguments]
        if node.function in ("has_role", "has_permission"):
            return f"{arguments[0]}.{node.function}({arguments[1]})"
        special = builtins.WITH_CONTEXT.get(node.function)
        function, awaited = special or (builtins.PLAIN[node.function], False)
        if any(_open(argument.type) for argument in node.arguments):
            function = builtins.guarded(node.function, function, node.at, awaited=awaited)
        source = f"{self.bind('_f', function)}({', '.join(arguments if special is None else ['c', *arguments])})"
        return self._awaited(source, node) if awaited else source

    def _awaited(self, source: str, node: ir.Expression) -> str:
        if self._lambda_depth:
            raise NotCompilable("this call cannot stand in a lambda", node.at)
        self.awaits = True
        return f"(await {source})"

    def call_function(self, node: ir.CallFunction) -> str:
        name, awaited = self.program.function_of(node.function)
        source = f"{name}({', '.join(['c', *(self.write(argument) for argument in node.arguments)])})"
        return self._awaited(source, node) if awaited else source

    def binary(self, node: ir.Binary) -> str:
        operator = node.operator
        left, right = self.write(node.left), self.write(node.right)
        if operator in ("and", "or"):
            return f"({left} {operator} {right})"
        if operator in ("==", "!="):
            return self._equality(node, left, right)
        if operator == "??":
            name = self.local(f"?? {len(self._names)}")
            return f"({name} if ({name} := {left}) is not None else {right})"
        if operator in ("in", "not_in"):
            return f"(not _is_in({left}, {right}))" if operator == "not_in" else f"_is_in({left}, {right})"
        if operator in ("contains", "starts_with", "ends_with", "matches"):
            return f"_{operator}({left}, {right})"
        if operator in ("<", "<=", ">", ">="):
            return self._ordering(node, left, right)
        helper = "_open_arithmetic" if _undeclared(node.left) or _undeclared(node.right) else "_arithmetic"
        return f"{helper}({operator!r}, {left}, {right})"

    def _equality(self, node: ir.Binary, left: str, right: str) -> str:
        if isinstance(t.required(node.left.type), t.Json | t.Unknown) or isinstance(t.required(node.right.type), t.Json | t.Unknown):
            return f"_json_equal({left}, {right})" if node.operator == "==" else f"(not _json_equal({left}, {right}))"
        left, right = self._key(node.left, left), self._key(node.right, right)
        return f"({left} {node.operator} {right})"

    def _key(self, node: ir.Expression, source: str) -> str:
        """A row compared with a reference stands for its key."""
        type_ = t.required(node.type)
        return f"{self.bind('_f', self._key_function(type_.entity))}({source})" if isinstance(type_, t.Row) else source

    def _key_function(self, entity: str) -> Callable[[Any], Any]:
        primary = self.program.primary_of(entity)
        return lambda row: operations.member(row, primary)

    def _ordering(self, node: ir.Binary, left: str, right: str) -> str:
        operator = node.operator
        sides = (node.left, node.right)
        if not any(isinstance(side, ir.Convert) for side in sides) and all(map(self.present, sides)):
            return f"({left} {operator} {right})"
        if operator in (">", ">="):
            left, right, operator = right, left, "<" if operator == ">" else "<="
        return f"{'_less' if operator == '<' else '_less_equal'}({left}, {right})"

    def unary(self, node: ir.Unary) -> str:
        if node.operator == "not":
            return f"(not {self.write(node.operand)})"
        return f"{'_open_negate' if _undeclared(node.operand) else '_negate'}({self.write(node.operand)})"

    def is_null(self, node: ir.IsNull) -> str:
        return f"({self.write(node.operand)} is {'not ' if node.negated else ''}None)"

    def conditional(self, node: ir.Conditional) -> str:
        return f"({self.write(node.then)} if {self.write(node.condition)} else {self.write(node.otherwise)})"

    def convert(self, node: ir.Convert) -> str:
        target = t.required(node.type)
        json = isinstance(t.required(node.operand.type), t.Json)  # of which nothing is known
        if isinstance(target, t.Ref | t.Row) or (isinstance(target, t.Record | t.Map) and not json):
            return self.write(node.operand)
        source = self._key(node.operand, self.write(node.operand))
        if holds_records(target) and _open(node.operand.type):
            return f"{self.bind('_f', _fitting(target, self.program.defaults_of, node.at))}({source}, c)"
        return f"{self.bind('_f', _conversion(target, node.on_failure, node.at))}({source})"

    def list_of(self, node: ir.ListOf) -> str:
        return f"[{', '.join(self.write(item) for item in node.items)}]"

    def record_of(self, node: ir.RecordOf) -> str:
        return "{" + ", ".join(f"{self.bind('_k', entry.name)}: {self.write(entry.value)}" for entry in node.entries) + "}"

    def interpolate(self, node: ir.Interpolate) -> str:
        return "''.join((" + "".join(f"_text({self._key(part, self.write(part))}), " for part in node.parts) + "))"

    def lambda_of(self, node: ir.LambdaOf) -> str:
        self._lambda_depth += 1
        parameters = ", ".join(self.local(name) for name in node.parameters)
        body = self.write(node.body)
        self._lambda_depth -= 1
        return f"(lambda {parameters}: {body})"

    def environment_value(self, node: ir.EnvironmentValue) -> str:
        return self.bind("_k", self.program.environment(node))

    def config_value(self, node: ir.ConfigValue) -> str:
        return self.bind("_k", self.program.setting(node.path))

    def call_operation(self, node: ir.CallOperation) -> str:
        names = f"{self.bind('_k', node.integration)}, {self.bind('_k', node.operation)}"
        return self._awaited(f"c.effects.operations.call(c, {names}, {self.entries(node.values)})", node)

    def entries(self, entries: tuple[ir.Entry, ...]) -> str:
        return "{" + ", ".join(f"{self.bind('_k', entry.name)}: {self.write(entry.value)}" for entry in entries) + "}"

    def call_activity(self, node: ir.CallActivity) -> str:
        return self._awaited(f"c.effects.python.activity(c, {self.bind('_k', node.source)}, {self.entries(node.values)})", node)

    def start_run(self, node: ir.StartRun) -> str:
        return self._awaited(
            f"c.effects.starter.start(c, {node.kind!r}, {self.bind('_k', node.target)}, {self.entries(node.values)})", node
        )

    def request(self, node: ir.Request) -> str:
        self.awaits = True
        headers = "{" + ", ".join(f"{self.bind('_k', entry.name)}: {self.write(entry.value)}" for entry in node.headers) + "}"
        body = self.write(node.body) if node.body is not None else "None"
        sent = "True" if node.body is not None else "False"
        return f"(await c.client.request({node.method!r}, {self._path(node.path)}, {headers}, {body}, {sent}))"

    def _path(self, node: ir.Expression) -> str:
        """The path of a test's request; interpolated parts are percent-encoded, literal ones are not."""
        if not isinstance(node, ir.Interpolate):
            return self.write(node)
        quote = self.bind("_f", _quoted)
        return (
            "''.join(("
            + "".join(
                self.write(part) + ", " if isinstance(part, ir.Constant) else f"{quote}({self._key(part, self.write(part))}), "
                for part in node.parts
            )
            + "))"
        )

    def shell(self, node: ir.Shell) -> str:
        self.awaits = True
        arguments = "".join(f"{self.write(argument)}, " for argument in node.arguments)
        return f"(await c.effects.shell.run({self.bind('_k', node.command)}, ({arguments}), {node.checked!r}))"


def _open(type_: t.Type) -> bool:
    """Whether the checker does not know what values of the type are."""
    plain = t.required(type_)
    if isinstance(plain, t.List):
        return _open(plain.item)
    if isinstance(plain, t.Map):
        return _open(plain.value)
    return isinstance(plain, t.Json | t.Unknown) or (isinstance(plain, t.Function) and _open(plain.result))


def _quoted(value: object) -> str:
    return quote(operations.text(value), safe="")


def _conversion(target: t.Type, on_failure: str, at: int) -> Callable[[Any], Any]:
    convert = operations.converter(target)
    no_match = object()

    def call(value: Any) -> Any:
        if value is None:
            return None
        try:
            return convert(value)
        except operations.FAILURES:
            if on_failure == "null":
                return None
            if on_failure == "no_match":
                return no_match
            raise EvaluationError(f"'{operations.text(value)[:60]}' is not a {target}", at) from None

    return call


def _undeclared(node: ir.Expression) -> bool:
    return isinstance(t.required(node.type), t.Unknown)


def _fitting(target: t.Type, defaults: Defaults, at: int) -> Fit:
    fit = fitting(target, defaults)

    def call(value: Any, context: Context) -> Any:
        try:
            return None if value is None else fit(value, context)
        except Misfit as error:
            raise EvaluationError(f"this is no {target}: {error}", at) from None
        except operations.FAILURES:
            raise EvaluationError(f"'{operations.text(value)[:60]}' is no {target}", at) from None

    return call


_WRITERS: Final[dict[type, Callable[[Writer, Any], str]]] = {
    ir.Constant: Writer.constant,
    ir.Local: lambda writer, node: writer.local(node.name),
    ir.RequestValue: Writer.request_value,
    ir.HostValue: Writer.host_value,
    ir.Provided: Writer.provided,
    ir.CurrentUser: Writer.current_user,
    ir.RangeRow: lambda writer, node: writer.local("range " + node.alias),
    ir.FieldValue: Writer.field_value,
    ir.ComputedValue: Writer.computed_value,
    ir.RelatedRow: Writer.related,
    ir.RelatedRows: Writer.related,
    ir.Member: Writer.member,
    ir.Item: Writer.item,
    ir.Call: Writer.call,
    ir.CallFunction: Writer.call_function,
    ir.Binary: Writer.binary,
    ir.Unary: Writer.unary,
    ir.IsNull: Writer.is_null,
    ir.Conditional: Writer.conditional,
    ir.Convert: Writer.convert,
    ir.ListOf: Writer.list_of,
    ir.RecordOf: Writer.record_of,
    ir.Interpolate: Writer.interpolate,
    ir.LambdaOf: Writer.lambda_of,
    ir.EnvironmentValue: Writer.environment_value,
    ir.ConfigValue: Writer.config_value,
    ir.CallOperation: Writer.call_operation,
    ir.CallActivity: Writer.call_activity,
    ir.StartRun: Writer.start_run,
    ir.Request: Writer.request,
    ir.Shell: Writer.shell,
}
