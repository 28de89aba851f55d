"""What scripts and tests do besides reading and writing rows: commands of the shell, requests."""

from __future__ import annotations

from typing import Final

from codeai.analysis.reporter import Reporter
from codeai.analysis.scope import Scope, broken
from codeai.analysis.symbols import Symbols
from codeai.analysis.writes import Writes
from codeai.language import types as t
from codeai.language.diagnostics import HERE, DiagnosticClass, Subject
from codeai.language.shell import Argument, command_of
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree.node import Node
from codeai.model import expression as ir

_RESULT: Final = t.Record((t.RecordField("output", t.String()), t.RecordField("code", t.Int())))


class Queries(Writes):
    """Elaborates selections, writes, commands and requests."""

    def __init__(self, symbols: Symbols, reporter: Reporter, *, query_text: bool = False) -> None:
        super().__init__(symbols, reporter, query_text=query_text)
        self.requests: list[q.TestRequest] = []
        self._dispatch |= {q.TestRequest: self._request, q.Exec: self._exec}

    def _exec(self, node: q.Exec, scope: Scope, expected: t.Type | None) -> ir.Expression:
        if not scope.host.script:
            hint = (
                "write it outside of functions in a script, which 'codeai run FILE --allow-exec' runs; a program calls an extern function"
            )
            self.report.error(node, "'exec' belongs to the statements of scripts", "CAI0347", help_text=hint)
            return broken(node)
        command = command_of(node.command.text)
        for argument in command.arithmetic:
            place = self._in_shell(node, argument)
            self.report.error(place, "a value cannot stand in the shell's arithmetic", "CAI0348", help_text="compute it in the script")
        values = tuple(self._shell_argument(node, argument, scope) for argument in command.arguments)
        return ir.Shell(type=_RESULT, command=command.text, arguments=values, at=node.start)

    def _shell_argument(self, node: q.Exec, argument: Argument, scope: Scope) -> ir.Expression:
        place = self._in_shell(node, argument)
        if scope.find(argument.name) is None:
            said = f"undefined variable '{argument.name}'"
            advice = f"a variable of the shell or the environment is written '${{{argument.name}}}'"
            about = Subject(argument.name, HERE)
            self.report.error(place, said, "CAI0101", kind=DiagnosticClass.SCOPE, help_text=advice, subject=about)
            return broken(place)
        value = self.expression(ex.Name(place.start, place.end, argument.name), scope)
        if isinstance(t.required(value.type), t.List | t.Map | t.Record | t.Row | t.Function):
            self.report.error(place, f"'{value.type}' is no argument of a command", "CAI0348", help_text="join it to a text first")
        return value

    def _in_shell(self, node: q.Exec, argument: Argument) -> Node:
        return Node(node.command.start + argument.start, node.command.start + argument.end)

    def _request(self, node: q.TestRequest, scope: Scope, expected: t.Type | None) -> ir.Expression:
        self.requests.append(node)
        record = t.Record((t.RecordField("status", t.Int()), t.RecordField("headers", t.Map(t.String())), t.RecordField("body", t.Json())))
        headers: tuple[ir.Entry, ...] = ()
        if isinstance(node.headers, ex.MapLiteral):
            headers = tuple(ir.Entry(e.key.text, self.expression(e.value, scope)) for e in node.headers.entries)
        body = self.expression(node.body, scope) if node.body is not None else None
        return ir.Request(
            type=record, at=node.start, method=node.method, path=self.expression(node.path, scope), headers=headers, body=body
        )
