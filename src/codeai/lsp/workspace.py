"""What an editor has open, and the checked programs of it.

Checking happens beside the loop, one program at a time, of what was open when it began; what became old meanwhile is checked again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import Executor
from itertools import islice
from pathlib import Path
from typing import Final

from codeai.lsp.belonging import Home, home_of
from codeai.lsp.checked import Abandoned, Buffers, Checked, check
from codeai.lsp.documents import Documents
from codeai.lsp.parses import Parses

_APART: Final = ("node_modules", "__pycache__", "build", "dist")
_MANY: Final = 1_000  # files in which symbols are looked for


class _State:
    """A program between two checks. ``wanted`` counts the changes, ``done`` those that were seen by the last check."""

    def __init__(self) -> None:
        self.wanted = 1
        self.done = 0
        self.checked: Checked | None = None
        self.parses = Parses()
        self.running: asyncio.Task[None] | None = None


class Workspace:
    """Documents, and their programs.

    :param executor: where programs are checked
    """

    def __init__(self, executor: Executor) -> None:
        self.documents = Documents()
        self.roots: list[Path] = []
        self._executor = executor
        self._homes: dict[Path, Home] = {}
        self._states: dict[Home, _State] = {}

    def home(self, path: Path) -> Home:
        """The program of a file."""
        found = self._homes.get(path)
        if found is None:
            found = self._homes[path] = home_of(path, Buffers(self.documents.snapshot()), self.roots)
        return found

    def homes(self) -> set[Home]:
        """The programs of all open documents."""
        return {self.home(path) for path in self.documents.paths()}

    def everywhere(self) -> list[Home]:
        """The programs of the workspace: those of open documents, and those in its folders."""
        found = self.homes()
        for root in self.roots:
            for path in islice(_programs(root), _MANY):
                found.add(self.home(path))
        return sorted(found, key=lambda home: home.files)

    def touched(self, path: Path) -> list[Home]:
        """Notes that a text has changed; returns the programs in which it stands."""
        home = self.home(path)
        self._states.setdefault(home, _State())
        found = [home for home, state in self._states.items() if home == self.home(path) or _holds(state, path)]
        for one in found:
            self._states[one].wanted += 1
        return found

    def rearranged(self) -> None:
        """Notes that files came or went, or may have changed in any way: everything is looked at again."""
        self._homes.clear()
        needed = self.homes()
        for home in [home for home in self._states if home not in needed]:
            del self._states[home]
        for state in self._states.values():
            state.wanted += 1

    async def checked(self, home: Home) -> Checked:
        """The program as it is now, checked."""
        state = self._states.setdefault(home, _State())
        wanted = state.wanted
        while state.checked is None or state.done < wanted:
            if state.running is None or state.running.done():
                state.running = asyncio.create_task(self._check(home, state))
            await asyncio.shield(state.running)
        return state.checked

    def known(self, home: Home) -> Checked | None:
        """The program as it was checked last, if it was."""
        state = self._states.get(home)
        return state.checked if state is not None else None

    def current(self, home: Home) -> bool:
        """Whether the last check has seen all changes."""
        state = self._states.get(home)
        return state is not None and state.checked is not None and state.done == state.wanted

    async def _check(self, home: Home, state: _State) -> None:
        wanted, documents = state.wanted, self.documents.snapshot()
        loop = asyncio.get_running_loop()
        encoding, still = self.documents.encoding, lambda: state.wanted == wanted
        try:
            state.checked = await loop.run_in_executor(self._executor, check, home, documents, encoding, still, state.parses)
        except Abandoned:
            return  # there is a newer text, which comes next
        state.done = wanted


def _programs(root: Path) -> Iterator[Path]:
    """The files of a folder and of those in it, without those that tools keep for themselves."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _APART)
        yield from (Path(folder, name) for name in sorted(files) if name.endswith(".cai"))


def _holds(state: _State, path: Path) -> bool:
    return state.checked is not None and path in state.checked.lines
