"""Hosts, functions and computed fields of a program, compiled."""

from __future__ import annotations

import linecache
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from codeai.evaluate.context import Context, Outcome
from codeai.evaluate.errors import NotCompilable, ProgramFailure
from codeai.evaluate.expressions import StatementCompiler, Writer
from codeai.evaluate.operations import text
from codeai.evaluate.statements import BlockWriter
from codeai.model import expression as ir
from codeai.model.application import Application, Function
from codeai.model.derived import derived_fields
from codeai.model.statement import Block

Values = Callable[[Context], tuple[Any, ...]]
Host = Callable[[Context], Awaitable[Outcome]]
Instant = Callable[[Context], Outcome]


class Evaluator:
    """Compiles what a program computes.

    :param application: the program
    :param statements: makes plans of queries and writes
    :param environment: the values that ``env`` and ``secret`` resolve to, by name
    """

    def __init__(self, application: Application, statements: StatementCompiler, environment: Mapping[str, str]) -> None:
        self.statements = statements
        self._environment = environment
        self._entities = {entity.name: entity for entity in application.entities}
        self._functions = {function.name: function for function in application.functions}
        self._shapes = {shape.name: shape for shape in application.shapes}
        self._settings = {setting.path: setting.value for setting in application.settings}
        self._computed: dict[tuple[str, str], Callable[[Context, Any], Any]] = {}
        self._compiled: dict[str, Callable[..., Any]] = {}
        self._count = 0

    # -- what generated code refers to -----------------------------------------------------------------------------

    def function_of(self, name: str) -> tuple[str, bool]:
        """See ``expressions.Program``."""
        return f"_function_{name}", not self._functions[name].pure

    def primary_of(self, entity: str) -> str:
        """See ``expressions.Program``."""
        return self._entities[entity].primary

    def environment(self, value: ir.EnvironmentValue) -> object:
        """See ``expressions.Program``; a missing value stops the start."""
        found = self._environment.get(value.name)
        if found is not None:
            return found
        if value.default is not None:
            return self.constant(value.default)
        raise NotCompilable(f"environment variable '{value.name}' is not set", value.at)

    def setting(self, path: tuple[str, ...]) -> object:
        """See ``expressions.Program``."""
        if path in self._settings:
            return self.constant(self._settings[path])
        return {known[len(path)]: self.setting(known[: len(path) + 1]) for known in self._settings if known[: len(path)] == path}

    def defaults_of(self, record: str) -> Mapping[str, Callable[[Context], Any]]:
        """See ``expressions.Program``."""
        shape = self._shapes.get(record)
        return {field.name: self.value(field.default) for field in shape.fields if field.default is not None} if shape is not None else {}

    def computed_of(self, entity: str, field: str) -> Callable[[Context, Any], Any]:
        """See ``expressions.Program``."""
        key = (entity, field)
        if key not in self._computed:
            found = next(computed for computed in self._entities[entity].computed if computed.name == field)
            if found in derived_fields(self._entities[entity]):
                self._computed[key] = lambda context, row: None if row is None else row.get(field)
                return self._computed[key]
            writer = Writer(self)
            row = writer.local("range self")
            source = f"def host(c, {row}):\n    if {row} is None: return None\n    return {writer.write(found.value)}\n"
            if writer.awaits:
                raise NotCompilable("a computed field cannot wait", found.at)
            self._computed[key] = self._define(writer, source, f"{entity}.{field}")
        return self._computed[key]

    # -- what others ask for ---------------------------------------------------------------------------------------

    def constant(self, expression: ir.Expression) -> object:
        """The value of an expression that needs no context: defaults of the environment, settings."""
        writer = Writer(self)
        source = f"def host(c=None):\n    return {writer.write(expression)}\n"
        return self._define(writer, source, "constant")()

    def value(self, expression: ir.Expression) -> Callable[[Context], Any]:
        """A function that computes an expression without waiting for anything."""
        values = self.values((expression,))
        return lambda context: values(context)[0]

    def values(self, expressions: tuple[ir.Expression, ...]) -> Values:
        """A function that computes several expressions.

        :raises NotCompilable: one of them would have to wait (a query, a password hash)
        """
        writer = Writer(self)
        parts = "".join(f"{writer.write(expression)}, " for expression in expressions)
        if writer.awaits:
            raise NotCompilable("a query cannot stand here", next((e.at for e in expressions if e.at >= 0), -1))
        return cast("Values", self._define(writer, f"def host(c):\n    return ({parts})\n", "values"))

    def row_value(self, expression: ir.Expression) -> Callable[[Context, Any], Any]:
        """A function that computes an expression over a row (``self``): hide rules, validations."""
        writer = Writer(self)
        row = writer.local("range self")
        source = f"def host(c, {row}):\n    return {writer.write(expression)}\n"
        if writer.awaits:
            raise NotCompilable("a query cannot stand here", expression.at)
        return cast("Callable[[Context, Any], Any]", self._define(writer, source, "row"))

    def block(self, body: Block, name: str) -> Host:
        """The body of an endpoint or seed."""
        return self._host(BlockWriter(self), body, name)

    def test(self, body: Block, name: str) -> Host:
        """The body of a test; its context has a client."""
        return self._host(BlockWriter(self, tested=True), body, name)

    def _host(self, writer: BlockWriter, body: Block, name: str) -> Host:
        lines = writer.block(body, 1)
        source = "async def host(c):\n" + "".join(lines) + "    return _Outcome()\n"
        return cast("Host", self._define(writer, source, name))

    def script(self, body: Block, name: str) -> Host:
        """The statements of a script; its context is a ``scripts.running.ScriptContext``."""
        writer = BlockWriter(self, script=True)
        source = "async def host(c):\n" + "".join(writer.block(body, 1)) + "    return _Outcome()\n"
        return cast("Host", self._define(writer, source, name))

    def instant(self, body: Block, name: str) -> Instant | None:
        """The body as a plain function, when nothing in it waits and it has no loops; None otherwise."""
        writer = BlockWriter(self)
        lines = writer.block(body, 1)
        if writer.awaits:
            return None
        source = "def host(c):\n" + "".join(lines) + "    return _Outcome()\n"
        return cast("Instant", self._define(writer, source, name))

    def _define(self, writer: Writer, source: str, name: str) -> Any:
        self._count += 1
        filename = f"<codeai {name} {self._count}>"
        namespace = writer.namespace
        namespace["_Outcome"] = Outcome
        namespace["_ProgramFailure"] = ProgramFailure
        namespace["_text"] = text
        for function in self._functions.values():
            namespace.setdefault(f"_function_{function.name}", self._deferred(function))
        exec(compile(source, filename, "exec"), namespace)  # noqa: S102  # our own source: the program's texts are constants of the namespace
        linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        return namespace["host"]

    def _deferred(self, function: Function) -> Callable[..., Any]:
        """Calls a function that is compiled when it is first needed, since functions may call each other."""

        def call(context: Context, *arguments: Any) -> Any:
            return self.function(function.name)(context, *arguments)

        return call

    def function(self, name: str) -> Callable[..., Any]:
        """A declared function: plain when it is pure, else a coroutine function. Its first argument is the context."""
        if name not in self._compiled:
            function = self._functions[name]
            if function.source is not None:
                self._compiled[name] = _extern(name)
                return self._compiled[name]
            writer = BlockWriter(self, function=True, waiting=not function.pure)
            writer.open.update(parameter.name for parameter in function.parameters)
            parameters = ", ".join(["c", *(writer.local(parameter.name) for parameter in function.parameters)])
            lines = writer.block(function.body, 2)
            head = "def" if function.pure else "async def"
            body = "".join(lines) or "        pass\n"
            source = f"{head} host({parameters}):\n    c.enter()\n    try:\n{body}    finally:\n        c.depth -= 1\n"
            if function.pure and writer.awaits:
                raise NotCompilable(f"function '{name}' is not pure", function.at)
            self._compiled[name] = self._define(writer, source, f"function {name}")
        return self._compiled[name]

    def compile_functions(self) -> None:
        """Compiles every function, so that what cannot be compiled stops the start."""
        for name in self._functions:
            self.function(name)


def _extern(name: str) -> Callable[..., Awaitable[Any]]:
    """Calls a function that is Python beside the program."""

    async def call(context: Context, *arguments: Any) -> Any:
        return await context.effects.python.function(context, name, arguments)

    return call
