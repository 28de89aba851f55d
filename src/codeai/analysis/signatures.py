"""Functions: what they take and return, then what they do."""

from __future__ import annotations

import re

from codeai.analysis.declarations import Declarations
from codeai.analysis.scope import Host, Scope, Variable
from codeai.analysis.symbols import FunctionSymbol
from codeai.analysis.ways import UNRETURNED, always_ends
from codeai.language import types as t
from codeai.language.diagnostics import DiagnosticClass
from codeai.language.tree import declarations as d
from codeai.language.tree.node import Node
from codeai.model.application import Function, Parameter

_SCOPE = DiagnosticClass.SCOPE
_SOURCE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)


class Signatures(Declarations):
    """Elaborates functions."""

    _bodies: dict[str, Host]

    def _signatures(self) -> None:
        for node in self._of(d.FunctionDeclaration):
            if not self._new(node.name, "function"):
                continue
            seen: dict[str, Node] = {}
            for parameter in node.parameters:
                if parameter.name.text in seen:
                    self.report.error(
                        parameter,
                        f"duplicate parameter '{parameter.name.text}'",
                        "CAI0103",
                        kind=_SCOPE,
                        other=seen[parameter.name.text],
                        label="first declared here",
                        help_text="call one of them otherwise",
                    )
                seen[parameter.name.text] = parameter
            parameters = tuple(
                (parameter.name.text, self.resolve(parameter.type) if parameter.type is not None else t.Unknown())
                for parameter in node.parameters
            )
            for parameter, (_, type_) in zip(node.parameters, parameters, strict=True):
                if isinstance(t.required(type_), t.Void | t.Paginated | t.Many):
                    self.report.error(parameter, f"no value is of type '{t.required(type_)}'", "CAI0208", help_text="results have it")
            if node.source is not None and not _SOURCE.fullmatch(node.source):
                hint = "the module lies in activities/ beside the program"
                self.report.error(
                    node.name, f"'{node.source}' is no function of Python", "CAI0123", help_text=f"write module.function: {hint}"
                )
            result = self.resolve(node.result) if node.result is not None else t.Unknown()
            self.symbols.functions[node.name.text] = FunctionSymbol(node.name.text, node, parameters, result)

    def _function(self, symbol: FunctionSymbol) -> Function:
        result = None if isinstance(symbol.result, t.Unknown) else symbol.result
        host = Host("a function", result=result)
        scope = Scope(host)
        parameters: list[Parameter] = []
        for (name, type_), node in zip(symbol.parameters, symbol.declaration.parameters, strict=True):
            unique = host.unique(name)
            scope.variables[name] = Variable(name, unique, type_, False, node)
            parameters.append(Parameter(unique, type_))
        declared = symbol.declaration
        body = self.host_block(declared.body, scope) if declared.body is not None else ()
        self._bodies[symbol.name] = host
        promises = declared.body is not None and result is not None and not isinstance(result, t.Void)
        if promises and declared.body is not None and not always_ends(declared.body):
            self.report.absent(
                declared.body, declared.name, "not every way through this block returns a result", "CAI0506", help_text=UNRETURNED
            )
        return Function(
            name=symbol.name,
            parameters=tuple(parameters),
            result=symbol.result,
            body=body,
            pure=not host.impure and declared.source is None,
            source=declared.source,
            at=symbol.declaration.start,
        )
