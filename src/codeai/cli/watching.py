"""Doing something again whenever a file of the program changes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from watchfiles import Change, watch


def watch_program(path: Path | None, check: Callable[[], None]) -> None:
    """Calls ``check`` at once and after every change of a ``.cai`` file beside the program, until interrupted."""
    folder = Path.cwd() if path is None else path if path.is_dir() else path.parent

    def concerns(change: Change, name: str) -> bool:
        return name.endswith(".cai")

    seen = _stamps(folder)
    check()
    # Looked at again every few seconds: what changes during the first check, before the watcher begins, it does not tell.
    for changes in watch(folder, watch_filter=concerns, debounce=200, raise_interrupt=False, yield_on_timeout=True):
        now = _stamps(folder)
        if changes or now != seen:
            seen = now
            check()


def _stamps(folder: Path) -> dict[Path, int]:
    """When each file of the program was last written."""
    found: dict[Path, int] = {}
    for file in folder.rglob("*.cai"):
        with suppress(OSError):  # it may be gone for a moment while an editor writes it
            found[file] = file.stat().st_mtime_ns
    return found
