"""Registering a workflow while the server runs: its text is checked together with the program, as if it were one more file of it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from codeai.analysis.program import Analysis, analyse
from codeai.control.audit import Trail
from codeai.durable.definitions import Definitions, closure
from codeai.evaluate.errors import NotCompilable
from codeai.http.problems import Problem
from codeai.language.diagnostics import Diagnostic, DiagnosticClass, Severity, Span
from codeai.language.parser import completed, parse_module
from codeai.language.rendering.records import Record, record
from codeai.language.source import SourceFile, Sources
from codeai.language.tree.module import Module
from codeai.language.tree.workflows import WorkflowDeclaration
from codeai.model.storing import digest
from codeai.storage.interface import Database
from codeai.storage.portable import portable

FILE: Final = "source"
_DEFINE: Final = (
    "INSERT INTO codeai_definitions (version, name, kind, body, created_at) VALUES ($1, $2, 'workflow', $3, $4) "
    "ON CONFLICT (version) DO NOTHING"
)
_PUT: Final = (
    "INSERT INTO workflows (name, kind, version, status, source, created_at, updated_at) VALUES ($1, 'workflow', $2, 'active', $3, $4, $4) "
    "ON CONFLICT (name) DO UPDATE SET version = excluded.version, kind = excluded.kind, status = excluded.status, "
    "source = excluded.source, updated_at = excluded.updated_at"
)


class ProgramTexts(msgspec.Struct, frozen=True):
    """The texts of the program that is served: its files (path and text), and its workflows and jobs by name."""

    files: tuple[tuple[str, str], ...] = ()
    declarations: Mapping[str, str] = {}


class InvalidSource(Problem):
    """The text is no workflow of this program; ``diagnostics`` say where and why."""

    def __init__(self, diagnostics: Sequence[Record]) -> None:
        super().__init__(422, "the source is not valid", "invalid_source", hint="'codeai explain CODE' tells more of each diagnostic")
        self.members = {"diagnostics": tuple(diagnostics)}


class Checked(msgspec.Struct, frozen=True):
    """A workflow that may be registered."""

    name: str
    version: str
    body: str


class Registrar:
    """Checks and registers workflows.

    :param environment: the variables that ``env`` and ``secret`` of the text may name
    """

    def __init__(
        self,
        texts: ProgramTexts,
        definitions: Definitions,
        environment: Mapping[str, str],
        database: Database,
        trail: Trail,
        clock: Callable[[], datetime.datetime],
    ) -> None:
        self._texts = texts
        self._definitions = definitions
        self._environment = environment
        self._database = database
        self._trail = trail
        self._clock = clock
        self._define, self._put = portable(_DEFINE, database.dialect), portable(_PUT, database.dialect)

    def check(self, text: str) -> Checked:
        """Checks a text.

        :raises InvalidSource: with every error of the text
        """
        sources = Sources()
        files = [sources.add(path, content) for path, content in self._texts.files]
        new = sources.add(FILE, text.replace("\r\n", "\n"))
        parsed = completed([*files, new], [parse_module(file) for file in (*files, new)])
        syntax = [found for one in parsed for found in one.diagnostics]
        analysis = analyse([one.module for one in parsed], sources, syntax=syntax)
        errors = [found for found in (*syntax, *analysis.diagnostics) if _stops(found) and found.primary.start >= new.base]
        errors += [] if errors else self._beyond(parsed[-1].module, new, analysis)
        if errors:
            raise InvalidSource([record(found, sources) for found in errors])
        (declaration,) = parsed[-1].module.declarations
        assert isinstance(declaration, WorkflowDeclaration)
        return self._lowered(analysis, declaration, sources)

    def _beyond(self, module: Module, new: SourceFile, analysis: Analysis) -> list[Diagnostic]:
        """What a program may say and such a text may not."""
        if len(module.declarations) != 1 or not isinstance(module.declarations[0], WorkflowDeclaration):
            other = next((one for one in module.declarations if not isinstance(one, WorkflowDeclaration)), None)
            span = Span(other.start, other.end) if other is not None else Span(new.base, new.end)
            return [_error("the source declares one workflow and nothing else", span)]
        return [
            _error(f"environment variable '{one.value.name}' is not set", Span(one.at, one.at))
            for one in analysis.application.requirements
            if one.at >= new.base and one.value.default is None and one.value.name not in self._environment
        ]

    def _lowered(self, analysis: Analysis, declaration: WorkflowDeclaration, sources: Sources) -> Checked:
        name = declaration.name.text
        workflow = next(one for one in analysis.application.workflows if one.name == name)
        data: dict[str, Any] = closure(analysis.application, workflow)
        version, body = digest(data), msgspec.json.encode(data).decode()
        try:
            self._definitions.compiled(body, version)
        except NotCompilable as error:
            at = error.at if error.at >= 0 else declaration.name.start
            raise InvalidSource([record(_error(str(error), Span(at, at)), sources)]) from error
        return Checked(name, version, body)

    async def register(self, text: str, checked: Checked, actor: str | None) -> None:
        """Writes a checked workflow down; new executions begin with it, those that run stay with theirs."""
        now = self._definitions.store.instant(self._clock())
        async with self._database.transaction() as session:
            await session.execute(self._define, (checked.version, checked.name, checked.body, now))
            await session.execute(self._put, (checked.name, checked.version, text, now))
            await self._trail.write(session, actor, "register", "workflow", checked.name, after={"version": checked.version})


def _stops(found: Diagnostic) -> bool:
    return found.severity is Severity.ERROR


def _error(message: str, span: Span) -> Diagnostic:
    return Diagnostic("CAI0401", DiagnosticClass.SEMANTIC, message, span)
