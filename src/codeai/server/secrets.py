"""The development secret: made once, kept beside the program, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from codeai.server.settings import SettingError


def development_secret(folder: Path) -> str:
    """The secret of a program in development.

    :raises SettingError: the folder cannot be written
    """
    path = folder / ".codeai" / "dev-secret"
    try:
        if path.exists():
            return path.read_text(encoding="ascii").strip()
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = secrets.token_urlsafe(48)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(made)
        return made
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SettingError(f"cannot keep a development secret in {path}: {error.strerror}; set JWT_SECRET") from error


def close_to_others(folder: Path) -> None:
    """Takes the rights of everybody from a folder that an earlier version or a tool has made; those of the group are somebody's choice."""
    if os.name != "posix" or not folder.is_dir():
        return
    found = folder.stat()
    if found.st_mode & 0o007 and found.st_uid == os.getuid():
        folder.chmod(found.st_mode & 0o770)
