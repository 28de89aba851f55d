"""What this machine says for a bug report: settings with their origins, secrets masked, and whether a program is valid."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from codeai.language.rendering.text import concise
from codeai.server.loading import LoadError, load_program
from codeai.server.settings import SettingError, read_with_origins
from codeai.server.shown import shown_settings


def settings_text(environment: Mapping[str, str]) -> str:
    """The settings of this environment, or what is wrong with them."""
    try:
        settings, origins = read_with_origins(environment, {}, {})
    except SettingError as error:
        return f"{error}\n"
    lines = (f"{name}={text or ''}  # {origins.get(field, 'default')}" for name, (field, text) in shown_settings(settings).items())
    return "\n".join(lines) + "\n"


def validation_text(path: Path) -> str:
    """The findings of a program."""
    try:
        program = load_program(path)
    except LoadError as error:
        return f"{error}\n"
    return "\n".join([*(concise(found, program.sources) for found in program.diagnostics), "valid" if program.valid else "invalid", ""])
