"""What everything in a process stands on: the program, its settings, its database, and what is made of these alone."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from codeai.auth.issuing import ProgramServices
from codeai.auth.principal import RoleTable
from codeai.evaluate.program import Evaluator
from codeai.events.outbox import data_triggers
from codeai.model.application import Application
from codeai.model.endpoint import InputField
from codeai.query.constraints import CheckTexts
from codeai.query.statements import Statements
from codeai.server.errors import StartError, compiling
from codeai.server.settings import Settings
from codeai.server.wiring.providers import own_signing_key
from codeai.storage.interface import Database


class Foundation:
    """The program as it can be evaluated and asked of its database.

    :param environment: what ``env`` and ``secret`` read
    :param clock: the time, for tests to move; kept as ``virtual``
    :param folder: where the program lies
    :param recording: nothing leaves the process (tests of programs)
    :raises StartError: the environment lacks something, or a check cannot be written for the database
    """

    def __init__(
        self,
        application: Application,
        settings: Settings,
        database: Database,
        environment: Mapping[str, str],
        clock: Callable[[], datetime.datetime] | None,
        folder: Path,
        *,
        recording: bool,
    ) -> None:
        self.application = application
        self.settings = settings
        self.database = database
        self.environment = environment
        self.virtual = clock
        self.clock = clock or functools.partial(datetime.datetime.now, datetime.UTC)
        self.folder = folder
        self.recording = recording
        self._check_requirements()
        self._check_rules()
        self.triggers = data_triggers(application)
        self.statements = Statements(application, database.dialect, self.triggers)
        self.evaluator = self.evaluator_of(application)
        self.roles = RoleTable(application.roles)
        self.services = ProgramServices(own_signing_key(application, settings, self.evaluator.constant), self.seconds)
        self._configured = {setting.path for setting in application.settings}

    def evaluator_of(self, application: Application) -> Evaluator:
        """What evaluates a program over these statements: this one, or an older version of it."""
        return Evaluator(application, self.statements, self.environment)

    def seconds(self) -> float:
        """The time, since 1970."""
        return self.clock().timestamp()

    def setting(self, path: tuple[str, ...]) -> object:
        """A value of the program's ``config``; None where it says nothing."""
        return self.evaluator.setting(path) if path in self._configured else None

    def default(self, field: InputField) -> Callable[[], Any]:
        """What makes the value of a field that was not given."""
        assert field.default is not None
        value = self.evaluator.value(field.default)
        context = Defaults(self.clock)
        return lambda: value(context)  # type: ignore[arg-type]  # defaults know the time alone

    def absent(self, record: str) -> Mapping[str, Callable[[], Any]]:
        """What makes the members of a record type that were not given, by their names."""
        shape = next((shape for shape in self.application.shapes if shape.name == record), None)
        return {field.name: self.default(field) for field in shape.fields if field.default is not None} if shape is not None else {}

    def _check_requirements(self) -> None:
        for requirement in self.application.requirements:
            value = requirement.value
            if value.name not in self.environment and value.default is None:
                raise StartError(f"environment variable '{value.name}' is not set", requirement.at)

    def _check_rules(self) -> None:
        text = CheckTexts(self.application, self.database.dialect)
        for entity in self.application.entities:
            for check in entity.checks:
                with compiling(check.at):
                    text(entity, check)


class Defaults:
    """The context of defaults: the time, and nothing else."""

    def __init__(self, clock: Callable[[], datetime.datetime]) -> None:
        self._clock = clock

    @property
    def now(self) -> datetime.datetime:
        """The time."""
        return self._clock()
