"""The whole program: tables of names first, then everything that refers to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from codeai.analysis.builtins import BUILTINS
from codeai.analysis.circles import tangled
from codeai.analysis.configured import report_settings
from codeai.analysis.cycles import Edges, check_cycles
from codeai.analysis.derivation import report_circular
from codeai.analysis.functions import inlined, report_not_inlinable, settled
from codeai.analysis.possibility import report_impossible
from codeai.analysis.reach import certainly, spread
from codeai.analysis.recursion import report_endless
from codeai.analysis.reporter import Reporter
from codeai.analysis.routes import report_own, report_unanswered
from codeai.analysis.scope import Host, Scope, Variable
from codeai.analysis.settings import Settings, configured_providers
from codeai.analysis.symbols import EntitySymbol, FunctionSymbol, IntegrationSymbol, RunSymbol, Symbols
from codeai.analysis.usage import report_unused
from codeai.analysis.ways import UNRETURNED, always_ends
from codeai.language import types as t
from codeai.language.diagnostics import Diagnostic, DiagnosticClass, Severity
from codeai.language.source import Sources
from codeai.language.tree import declarations as d
from codeai.language.tree import statements as st
from codeai.language.tree import types as ty
from codeai.language.tree.events import EventDeclaration, HandlerDeclaration, WebhookDeclaration
from codeai.language.tree.integrations import IntegrationDeclaration, MiddlewareDeclaration
from codeai.language.tree.module import Module
from codeai.language.tree.node import Identifier, Node, children
from codeai.language.tree.workflows import JobDeclaration, WorkflowDeclaration
from codeai.model.application import Application, Function, Parameter, Test
from codeai.model.endpoint import Endpoint, Shape
from codeai.model.event import Handler
from codeai.model.statement import Block, Statement
from codeai.model.workflow import Job, Workflow

_SCOPE = DiagnosticClass.SCOPE
_SOURCE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+", re.ASCII)
_RUN = "write them into 'seed { … }', a 'test' or a 'do { … }', or run this file as a script: 'codeai run FILE'"
_MOVE = "move it into the program"
_OF_SCRIPTS = (d.FunctionDeclaration, d.TypeDeclaration, d.EnumDeclaration, d.ImportDeclaration, d.Script)


class Analysis(msgspec.Struct, frozen=True):
    """What became of a program. ``application`` may be used only when ``valid``."""

    application: Application
    symbols: Symbols
    diagnostics: list[Diagnostic]

    @property
    def valid(self) -> bool:
        """Whether there is no error."""
        return not any(found.severity is Severity.ERROR for found in self.diagnostics)


def analyse(
    modules: Sequence[Module],
    sources: Sources,
    name: str = "codeai",
    syntax: Sequence[Diagnostic] = (),
    script: Module | None = None,
    elaborator: Callable[[Symbols, Reporter], Program] | None = None,
) -> Analysis:
    """Checks the modules of one program and resolves them into an application.

    :param modules: the trees of all files, in any order
    :param sources: their texts, for messages that quote the program
    :param name: the application's name when ``config`` gives none
    :param script: the one of the modules that may have statements of its own: they become the application's script
    :param syntax: what the parser found, so that its mistakes are not reported a second time for what they leave out
    :param elaborator: makes what elaborates the program, for those who look on (``observing``)
    :returns: the application with all diagnostics of the analysis; never raises on a tree
    """
    symbols = Symbols()
    reporter = Reporter(syntax, (gap for module in modules for gap in module.gaps))
    analyzer = (elaborator or Program)(symbols, reporter)
    analyzer.sources = sources
    analyzer.foreign = _foreign(script) if script is not None and len(modules) > 1 else []
    analyzer.script = [node for node in script.declarations if isinstance(node, d.Script)] if script is not None else []
    application = analyzer.run([declaration for module in modules for declaration in module.declarations], name)
    return Analysis(application, symbols, reporter.diagnostics)


def _foreign(script: Module) -> list[d.Declaration]:
    return [declaration for declaration in script.declarations if not isinstance(declaration, _OF_SCRIPTS)]


class Program(Settings):
    """Elaborates all declarations."""

    script: list[d.Script]
    foreign: list[d.Declaration]

    def run(self, declarations: list[d.Declaration], name: str) -> Application:
        """Declares every name, then resolves every declaration."""
        self.declarations = [*declarations, *configured_providers(declarations)]
        self._bodies: dict[str, Host] = {}
        self._declare_all()
        self._settings_types()
        for entity in self.symbols.entities.values():
            self.declare_fields(entity)
        for entity in self.symbols.entities.values():
            self.declare_relations(entity)
        self._records()
        self.declare_payloads()
        self.declare_operations()
        self.declare_runs()
        self._signatures()
        settings = self._settings()
        entities = tuple(self.entity(entity) for entity in self.symbols.entities.values())
        functions = tuple(self._function(function) for function in self.symbols.functions.values())
        spread(self.symbols.functions, self._bodies)
        functions = settled(functions, self._bodies)
        endpoints = self._endpoints()
        seed, tests = self._seed(), self._tests()
        report_unanswered(self.requests, endpoints, self.report)
        report_endless(self.symbols.functions.values(), self.report)
        report_circular(entities, functions, self.symbols, self.report)
        report_impossible(self.symbols, self.report)
        connected = self._connected()
        script = self._script()
        report_not_inlinable(functions, self.symbols, self.report)
        entities = inlined(entities, functions)
        self._called_in_lambdas(functions)
        report_unused(self.symbols, self.report)
        report_settings(self._all_settings(), self.symbols, self.report)
        return Application(
            name=self._config_text("name") or name,
            version=self._config_text("version") or "0.0.0",
            entities=entities,
            records=tuple(self.symbols.records.values()),
            shapes=tuple(
                Shape(name=record, fields=tuple(self.input_field(field) for field in fields))
                for record, fields in [*self.symbols.record_fields.items(), *self.symbols.inline_fields.items()]
            ),
            enums=tuple(self.symbols.enums.values()),
            endpoints=endpoints,
            functions=functions,
            providers=self.providers_of(endpoints, connected["middleware"]),
            roles=self.roles_of(),
            settings=settings,
            requirements=tuple(self.requirements),
            seed=seed,
            tests=tests,
            script=script,
            **connected,
        )

    def _called_in_lambdas(self, functions: Sequence[Function]) -> None:
        pure = {function.name for function in functions if function.pure}
        for place, name in self.called_in_lambdas:
            if name not in pure:
                self.waits_in_lambda(place, f"the function '{name}', which reads or writes,")

    def _script(self) -> Block:
        """The statements of the script as one host; a program that is served has declarations only."""
        for node in self._of(d.Script):
            if node not in self.script:
                self.report.error(node.body, "statements outside of a declaration belong to scripts", "CAI0347", help_text=_RUN)
        self._declared_in_script()
        statements = tuple(statement for node in self.script for statement in node.body.statements)
        if not statements:
            return ()
        host = Host("a script", user=False, script=True, result=t.Int())
        return self.host_block(st.Block(statements[0].start, statements[-1].end, statements), Scope(host))

    def _declared_in_script(self) -> None:
        """What makes up a program stands in its files: a script beside it adds functions and types only."""
        for declaration in self.foreign:
            self.report.error(declaration, "a script beside a program declares functions and types only", "CAI0349", help_text=_MOVE)

    def _connected(self) -> dict[str, Any]:
        """Events, integrations, workflows and jobs; cycles among them are found on the way."""
        edges: Edges = {}
        events = tuple(self.event_model(symbol) for symbol in self.symbols.events.values())
        handlers: list[Handler] = []
        for declaration in self._of(HandlerDeclaration):
            handler, host = self.handler(declaration)
            handlers.append(handler)
            surely = host.emits if declaration.body is None else certainly(declaration.body, self.symbols.functions)
            surely = [] if handler.where is not None else surely
            edges.setdefault(("event", handler.event), []).extend((to, declaration.event, to not in surely) for to in host.emits)
        workflows: list[Workflow] = []
        for symbol in self.symbols.workflows.values():
            workflow, emits = self.workflow(symbol)
            workflows.append(workflow)
            place = symbol.declaration.name
            if workflow.trigger.event is not None:
                edges.setdefault(("event", workflow.trigger.event), []).append((("workflow", symbol.name), place, True))
            edges.setdefault(("workflow", symbol.name), []).extend((to, place, True) for to in emits)
        jobs: list[Job] = []
        for symbol in self.symbols.jobs.values():
            job, emits = self.job(symbol)
            jobs.append(job)
            edges.setdefault(("job", symbol.name), []).extend((to, symbol.declaration.name, True) for to in emits)
        check_cycles(edges, self.symbols, self.report)
        return {
            "events": events,
            "handlers": tuple(handlers),
            "workflows": tuple(workflows),
            "jobs": tuple(jobs),
            "webhooks": tuple(self.webhook(node) for node in self.symbols.webhooks.values()),
            "integrations": tuple(self.integration(symbol) for symbol in self.symbols.integrations.values()),
            "middleware": tuple(self.middleware(node) for node in self.symbols.middleware.values()),
        }

    # -- names -----------------------------------------------------------------------------------------------------

    def _declare_all(self) -> None:
        for declaration in self.declarations:
            if isinstance(declaration, d.EntityDeclaration) and self._new(declaration.name, "type"):
                self.symbols.entities[declaration.name.text] = EntitySymbol(declaration.name.text, declaration)
            elif isinstance(declaration, d.TypeDeclaration) and self._new(declaration.name, "type"):
                self.symbols.record_fields[declaration.name.text] = declaration.fields
                self.symbols.records[declaration.name.text] = t.Record((), declaration.name.text)
            elif isinstance(declaration, d.EnumDeclaration) and self._new(declaration.name, "type"):
                self.symbols.enums[declaration.name.text] = self._enum(declaration)
            elif isinstance(declaration, d.RoleDeclaration) and self._new(declaration.name, "role"):
                self.symbols.roles[declaration.name.text] = declaration
            elif isinstance(declaration, d.AuthDeclaration) and self._new(declaration.name, "auth"):
                self.symbols.providers[declaration.name.text] = declaration
            else:
                self._declare_connected(declaration)

    def _declare_connected(self, declaration: d.Declaration) -> None:
        if isinstance(declaration, EventDeclaration):
            self.declare_event(declaration)
        elif isinstance(declaration, WorkflowDeclaration) and self._new(declaration.name, "run"):
            self.symbols.workflows[declaration.name.text] = RunSymbol(declaration.name.text, declaration)
        elif isinstance(declaration, JobDeclaration) and self._new(declaration.name, "run"):
            self.symbols.jobs[declaration.name.text] = RunSymbol(declaration.name.text, declaration)
        elif isinstance(declaration, IntegrationDeclaration) and self._new(declaration.name, "integration"):
            self.symbols.integrations[declaration.name.text] = IntegrationSymbol(declaration.name.text, declaration)
        elif isinstance(declaration, WebhookDeclaration) and self._new(declaration.name, "webhook"):
            self.symbols.webhooks[declaration.name.text] = declaration
        elif isinstance(declaration, MiddlewareDeclaration) and self._new(declaration.name, "middleware"):
            self.symbols.middleware[declaration.name.text] = declaration

    def _new(self, name: Identifier, space: str) -> bool:
        """Whether the name is not taken in its space; reports it otherwise."""
        if space == "type" and self.is_type(name.text):
            hint = "the language has a type of that name: call it otherwise"
            self.report.error(name, f"duplicate declaration '{name.text}'", "CAI0102", kind=_SCOPE, help_text=hint)
        if space == "function" and name.text in BUILTINS:
            self.report.warning(name, f"function '{name.text}' hides the one of the language", "CAI0137", help_text="call it otherwise")
        first = self.symbols.places.setdefault(f"{space} {name.text}", name)
        if first is not name:
            self.report.duplicate(name, name.text, first, named=True)
        return first is name

    def _enum(self, node: d.EnumDeclaration) -> t.Enum:
        seen: dict[str, Node] = {}
        for member in node.members:
            if member.text in seen:
                self.report.duplicate(member, member.text, seen[member.text])
            seen[member.text] = member
        if not node.members:
            self.report.error(
                node.name, f"enum '{node.name.text}' has no members", "CAI0212", help_text="name them, as in 'enum Tier { bronze, silver }'"
            )
        return t.Enum(tuple(seen), node.name.text)

    def _records(self) -> None:
        for fields in self.symbols.record_fields.values():
            seen: dict[str, Node] = {}
            for field in fields:
                if field.name.text in seen:
                    self.report.duplicate(field.name, field.name.text, seen[field.name.text], named=True)
                seen[field.name.text] = field.name
        uses = {name: set(_named_types(fields)) & set(self.symbols.record_fields) for name, fields in self.symbols.record_fields.items()}
        self.symbols.tangled = frozenset(tangled(uses))
        pending = list(self.symbols.record_fields)
        for _ in range(len(pending) + 1):
            before = dict(self.symbols.records)
            marks = len(self.report.diagnostics)
            self._complete(pending)
            if self.symbols.records == before:
                break
            self.report.forget(marks)
        self._complete(pending)

    def _complete(self, records: list[str]) -> None:
        """Records may hold records and shapes of entities, and entities hold records: each round goes one level deeper."""
        for name in records:
            self.symbols.within = self.symbols.tangled if name in self.symbols.tangled else frozenset()
            self.symbols.records[name] = self.record(self.symbols.record_fields[name], name)
        self.symbols.within = frozenset()
        if records:
            for entity in self.symbols.entities.values():
                self.complete_fields(entity)

    # -- functions -------------------------------------------------------------------------------------------------

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

    # -- endpoints, seed, tests ------------------------------------------------------------------------------------

    def _endpoints(self) -> tuple[Endpoint, ...]:
        found: list[tuple[Endpoint, Node]] = []
        for declaration in self.declarations:
            if isinstance(declaration, d.EndpointDeclaration):
                found.append((self.endpoint(declaration), declaration.path))
            elif isinstance(declaration, d.ResourceDeclaration):
                found.extend((endpoint, declaration.path) for endpoint in self.resource(declaration))
        routes: dict[tuple[str, ...], Node] = {}
        twice: set[Node] = set()
        own: set[Node] = set()
        names: set[str] = set()
        distinct: list[Endpoint] = []
        for endpoint, node in found:
            route = (endpoint.method, *("{}" if part.parameter else part.text for part in endpoint.path))
            if route in routes and node not in twice:
                twice.add(node)
                self.report.error(
                    node,
                    f"duplicate declaration '{endpoint.method} {endpoint.template}'",
                    "CAI0102",
                    kind=_SCOPE,
                    other=routes[route],
                    label="first declared here",
                )
            routes.setdefault(route, node)
            if node not in own and report_own(endpoint, node, self.report):
                own.add(node)
            name, count = endpoint.name, 1
            while name in names:
                count += 1
                name = f"{endpoint.name}_{count}"
            names.add(name)
            distinct.append(msgspec.structs.replace(endpoint, name=name))
        return tuple(distinct)

    def _seed(self) -> Block:
        found: list[Statement] = []
        host = Host("a seed", user=False)
        scope = Scope(host)
        for node in self._of(d.SeedDeclaration):
            found.extend(self.host_block(node.body, scope.child()))
        return tuple(found)

    def _tests(self) -> tuple[Test, ...]:
        found: list[Test] = []
        names: dict[str, Node] = {}
        for node in self._of(d.TestDeclaration):
            if node.name in names:
                self.report.duplicate(node, node.name, names[node.name], named=True)
            names[node.name] = node
            host = Host("a test", user=False, test=True)
            found.append(Test(name=node.name, body=self.host_block(node.body, Scope(host)), at=node.start))
        return tuple(found)


def _named_types(nodes: Sequence[Node]) -> Iterator[str]:
    """The names of types that fields mention, however deep."""
    waiting: list[Node] = list(nodes)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ty.NamedType):
            yield node.name.text
        waiting.extend(children(node))
