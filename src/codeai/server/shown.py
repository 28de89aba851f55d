"""Settings as people may see them: in the form in which they are given, secrets masked."""

from __future__ import annotations

import re
from typing import Any

from codeai.server.settings import Settings
from codeai.server.variables import VARIABLES, Variable

MASK = "********"
_DEFAULTS = Settings()
_PASSWORD = re.compile(r"(://[^:/?#@\s]*):[^/?#\s]*@")  # up to the last @, which a password may hold


def shown_settings(settings: Settings) -> dict[str, tuple[str, str | None]]:
    """By the name of the variable: the field, and the value as text; None where there is none."""
    return {name: (variable.field, _shown(variable, getattr(settings, variable.field))) for name, variable in VARIABLES.items()}


def _shown(variable: Variable, value: Any) -> str | None:
    if value is None:
        return None
    if variable.hidden == "all":
        return MASK if value != getattr(_DEFAULTS, variable.field) else None
    text = variable.reader.show(value)
    return _PASSWORD.sub(rf"\1:{MASK}@", text) if variable.hidden == "password" else text
