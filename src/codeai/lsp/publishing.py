"""Findings on their way to the editor: a little after the last change, and taken back where they are gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from lsprotocol import types as lsp

from codeai.lsp.belonging import Home
from codeai.lsp.findings import findings
from codeai.lsp.workspace import Workspace

DELAY: Final = 0.15  # seconds without a change, before a program is checked
_log: Final = logging.getLogger(__name__)


class Publishing:
    """Publishes the findings of programs of which something is open.

    :param publish: sends the findings of one file
    """

    def __init__(self, workspace: Workspace, publish: Callable[[lsp.PublishDiagnosticsParams], None]) -> None:
        self._workspace = workspace
        self._publish = publish
        self._due: dict[Home, asyncio.Task[None]] = {}
        self._shown: dict[Path, str] = {}  # files with findings on the screen, with the address under which they were sent

    def soon(self, homes: Iterable[Home], delay: float = DELAY) -> None:
        """Publishes these programs when nothing has changed for a while."""
        for home in homes:
            waiting = self._due.get(home)
            if waiting is not None:
                waiting.cancel()
            self._due[home] = asyncio.create_task(self._later(home, delay))

    def everything(self) -> None:
        """Publishes all programs of open documents, and takes back what belongs to none of them."""
        homes = self._workspace.homes()
        self.soon(homes, 0)
        if not homes:
            self._clear(set())

    def closed(self, path: Path, uri: str) -> None:
        """Takes back the findings of a document that was closed, until they are found again from outside."""
        self._shown.pop(path, None)
        self._publish(lsp.PublishDiagnosticsParams(uri, []))

    async def _later(self, home: Home, delay: float) -> None:
        await asyncio.sleep(delay)
        try:
            checked = await self._workspace.checked(home)
            if not self._workspace.current(home):
                return  # there is a newer text, which is on its way
            wanted = {path for other in self._workspace.homes() for path in (*other.files, *self._files(other))}
            for path, found in findings(checked, self._workspace.documents.uri).items():
                self._send(path, found)
            self._clear(wanted.union(checked.lines))
        except Exception:
            _log.exception("checking a program failed")

    def _files(self, home: Home) -> Iterable[Path]:
        known = self._workspace.known(home)
        return known.lines if known is not None else ()

    def _send(self, path: Path, found: list[lsp.Diagnostic]) -> None:
        document = self._workspace.documents.get(path)
        uri = self._workspace.documents.uri(path)
        if not found and document is None and path not in self._shown:
            return
        before = self._shown.pop(path, uri)
        if before != uri:
            self._publish(lsp.PublishDiagnosticsParams(before, []))
        if found:
            self._shown[path] = uri
        self._publish(lsp.PublishDiagnosticsParams(uri, found, document.version if document is not None else None))

    def _clear(self, wanted: set[Path]) -> None:
        for path in [path for path in self._shown if path not in wanted]:
            self._publish(lsp.PublishDiagnosticsParams(self._shown.pop(path), []))
