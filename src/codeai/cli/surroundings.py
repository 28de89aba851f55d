"""Settings for a command, with what is wrong with them said plainly."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from codeai.cli.main import fail
from codeai.server.secrets import development_secret
from codeai.server.settings import SettingError, Settings, read_settings


def settings_of(folder: Path, **flags: Any) -> Settings:
    """The settings of the process; in development with a secret in any case. Ends the command with 3 when something is wrong."""
    try:
        found = read_settings(os.environ, flags)
        if found.jwt_secret is None and found.development and not (found.jwt_public_key or found.jwt_jwks_url):
            found = msgspec.structs.replace(found, jwt_secret=development_secret(folder))
    except SettingError as error:
        fail(str(error))
        raise AssertionError from error
    return found
