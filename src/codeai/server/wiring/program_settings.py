"""What the program's ``config`` says of the server that runs it."""

from __future__ import annotations

from collections.abc import Mapping

from codeai.language.source import Sources
from codeai.model.application import Application
from codeai.model.expression import Constant, EnvironmentValue, Expression, ListOf
from codeai.server.settings import Given
from codeai.server.variables import VARIABLES

_PATHS = frozenset(variable.config for variable in VARIABLES.values() if variable.config)


def program_settings(application: Application, sources: Sources, environment: Mapping[str, str]) -> dict[tuple[str, ...], Given]:
    """The settings by path; those that the table of variables does not name are the program's own."""
    found: dict[tuple[str, ...], Given] = {}
    for setting in application.settings:
        if setting.path in _PATHS:
            value = stated_value(setting.value, environment)
            if value is not None:
                found[setting.path] = Given(value, str(sources.locate(setting.at)) if sources.files and setting.at >= 0 else "config")
    return found


def stated_value(expression: Expression, environment: Mapping[str, str]) -> object:
    """The value of a constant, of ``env(…)`` and of lists of them; settings of a server depend on nothing else."""
    if isinstance(expression, Constant):
        return expression.value
    if isinstance(expression, EnvironmentValue):
        given = environment.get(expression.name)
        return given if given is not None or expression.default is None else stated_value(expression.default, environment)
    if isinstance(expression, ListOf):
        return [stated_value(item, environment) for item in expression.items]
    return None
