"""A server that begins anew whenever its program changes, for development."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Final

import click
from watchfiles import Change, DefaultFilter, watch

from codeai.language.rendering.brief import brief
from codeai.server.loading import LoadError, load_program

_TICK: Final = 100  # ms between looks at the server
_USAGE: Final = 2
_ENDED: Final = (0, -signal.SIGTERM)


class _Concerning(DefaultFilter):
    """The texts of a program, its functions in Python and its templates; nothing in ``.git``, ``.venv`` and the like."""

    def __call__(self, change: Change, path: str) -> bool:
        file = Path(path)
        return (file.suffix in (".cai", ".py") or "templates" in file.parts) and super().__call__(change, path)


class Follower:
    """Runs a server as a process of its own and replaces it when the program has changed and is valid.

    A change with an error in it ends nothing: its findings are shown, and the server goes on with the program as it was.

    :param path: the program, as the command line names it
    :param command: how the server is started
    """

    def __init__(self, path: Path | None, command: list[str]) -> None:
        self._path = path
        self._command = command
        self._server: subprocess.Popen[bytes] | None = None
        self._ending = threading.Event()

    def run(self) -> int:
        """Serves until a signal, or until somebody ends the server; returns the exit code."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        folder = Path.cwd() if self._path is None else self._path if self._path.is_dir() else self._path.parent
        watched = watch(
            folder, watch_filter=_Concerning(), debounce=200, rust_timeout=_TICK, yield_on_timeout=True, stop_event=self._ending
        )
        next(watched, None)  # from here on no change is missed
        self._begin()
        changed_once = False
        for changes in watched:
            code = self._exited()
            if code is not None and (code in _ENDED or (code == _USAGE and not changed_once)):
                return max(code, 0)
            if code is not None:
                _say("the server waits for a change of the program")
            if changes:
                changed_once = True
                self._change()
        return self._end()

    def _change(self) -> None:
        goes_on = "goes on with the program as it was" if self._server is not None else "waits for the next change"
        try:
            program = load_program(self._path)
        except LoadError as error:  # a file may be gone for a moment while an editor writes it
            _say(f"{error}; the server {goes_on}")
            return
        if not program.valid:
            click.echo(brief(program.diagnostics, program.sources, colour=sys.stderr.isatty()), err=True, nl=False)
            _say(f"the program has errors, the server {goes_on}")
            return
        _say("the program has changed, the server begins anew")
        self._end()
        self._begin()

    def _begin(self) -> None:
        if not self._ending.is_set():
            # in a group of its own, so that what a terminal sends reaches it once: through here
            self._server = subprocess.Popen(self._command, process_group=0)

    def _exited(self) -> int | None:
        """The exit code of a server that has ended by itself, told once."""
        code = self._server.poll() if self._server is not None else None
        if code is not None:
            self._server = None
        return code

    def _end(self) -> int:
        """Ends the server in good order."""
        if self._server is None:
            return 0
        if not self._ending.is_set():
            self._server.terminate()
        code = self._server.wait()
        self._server = None
        return max(code, 0)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._ending.set()
        if self._server is not None:
            self._server.send_signal(number)


def _say(message: str) -> None:
    click.echo(f"codeai: {message}", err=True)
