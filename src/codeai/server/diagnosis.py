"""What this machine says for a bug report: settings with their origins, secrets masked, and whether a program is valid."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from codeai.language.rendering.text import concise
from codeai.server.loading import LoadError, load_program
from codeai.server.settings import SettingError, read_with_origins
from codeai.server.shown import shown_settings
from codeai.server.variables import VARIABLES
from codeai.server.wiring.secrecy import passwords


def settings_text(environment: Mapping[str, str]) -> str:
    """The settings of this environment, or what is wrong with them."""
    try:
        settings, origins = read_with_origins(environment, {}, {})
    except SettingError as error:
        return f"{error}\n"
    lines = (f"{name}={text or ''}  # {origins.get(field, 'default')}" for name, (field, text) in shown_settings(settings).items())
    return "\n".join(lines) + "\n"


def secrets(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The texts that must appear nowhere: values of variables that are hidden, their own or of the files that they name."""
    found: list[str] = []
    for variable in VARIABLES.values():
        for given in (environment.get(variable.name, ""), _content(environment.get(f"{variable.name}_FILE", ""))):
            if variable.hidden == "all":
                found.append(given)
            elif variable.hidden == "password":
                found.extend(passwords(given))
    return tuple(filter(None, found))


def _content(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip() if path else ""
    except (OSError, UnicodeDecodeError):
        return ""  # what is wrong with it stands in the text of the settings


def validation_text(path: Path) -> str:
    """The findings of a program."""
    try:
        program = load_program(path)
    except LoadError as error:
        return f"{error}\n"
    return "\n".join([*(concise(found, program.sources) for found in program.diagnostics), "valid" if program.valid else "invalid", ""])
