"""Doing something again whenever a file of the program changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from watchfiles import Change, watch


def watch_program(path: Path | None, check: Callable[[], None]) -> None:
    """Calls ``check`` at once and after every change of a ``.cai`` file beside the program, until interrupted."""
    folder = Path.cwd() if path is None else path if path.is_dir() else path.parent

    def concerns(change: Change, name: str) -> bool:
        return name.endswith(".cai")

    check()
    for _ in watch(folder, watch_filter=concerns, debounce=200, raise_interrupt=False):
        check()
