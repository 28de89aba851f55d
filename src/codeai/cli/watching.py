"""Doing something again whenever a file of the program changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from watchfiles import Change, watch

_TICK: Final = 100  # ms until the watcher first says that nothing has changed, and so that it has begun


def watch_program(path: Path | None, check: Callable[[], None]) -> None:
    """Calls ``check`` at once and after every change of a ``.cai`` file beside the program, until interrupted."""
    folder = Path.cwd() if path is None else path if path.is_dir() else path.parent

    def concerns(change: Change, name: str) -> bool:
        return name.endswith(".cai")

    watched = watch(folder, watch_filter=concerns, debounce=200, raise_interrupt=False, rust_timeout=_TICK, yield_on_timeout=True)
    next(watched, None)  # from here on no change is missed, also none during the first check
    check()
    for changes in watched:
        if changes:
            check()
