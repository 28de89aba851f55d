"""The whole program: tables of names first, then everything that refers to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from codeai.analysis.configured import report_settings
from codeai.analysis.cycles import Edges, check_cycles
from codeai.analysis.derivation import report_circular
from codeai.analysis.functions import inlined, report_not_inlinable, settled
from codeai.analysis.held import report_held
from codeai.analysis.misreadings import report_misreadings
from codeai.analysis.possibility import report_impossible
from codeai.analysis.reach import certainly, spread
from codeai.analysis.recursion import report_endless
from codeai.analysis.reporter import Reporter
from codeai.analysis.routes import report_own, report_unanswered
from codeai.analysis.scope import Host, Scope
from codeai.analysis.settings import configured_providers
from codeai.analysis.signatures import Signatures
from codeai.analysis.symbols import Symbols
from codeai.analysis.usage import report_unused
from codeai.language import types as t
from codeai.language.diagnostics import Diagnostic, DiagnosticClass, Severity
from codeai.language.source import Sources
from codeai.language.tree import declarations as d
from codeai.language.tree import statements as st
from codeai.language.tree.events import HandlerDeclaration
from codeai.language.tree.module import Module
from codeai.language.tree.node import Node
from codeai.model.application import Application, Function, Test
from codeai.model.endpoint import Endpoint, Shape
from codeai.model.event import Handler
from codeai.model.statement import Block, Statement
from codeai.model.workflow import Job, Workflow

_SCOPE = DiagnosticClass.SCOPE
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


class Program(Signatures):
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
        report_held(self.symbols, self.report)
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
        report_misreadings(entities, endpoints, self.symbols, self.sources, self.report)
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
