"""The server and its parts. Which question of the protocol is answered by what stands in ``handlers``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from pygls.lsp.server import LanguageServer

from codeai import __version__
from codeai.lsp.checked import Checked
from codeai.lsp.documents import path_of
from codeai.lsp.protocol import Protocol
from codeai.lsp.publishing import Publishing
from codeai.lsp.workspace import Workspace

_T = TypeVar("_T")


class Server(LanguageServer):
    """One editor's server."""

    def __init__(self) -> None:
        super().__init__("codeai", __version__, protocol_cls=Protocol)
        self.checking = ThreadPoolExecutor(1, "checking")
        self.programs = Workspace(self.checking)
        self.publishing = Publishing(self.programs, self.text_document_publish_diagnostics)
        self.watching: asyncio.Task[None] | None = None

    @property
    def exit_code(self) -> int:
        """0 when the editor asked for the end before it left, as the protocol says it."""
        assert isinstance(self.protocol, Protocol)
        return 0 if self.protocol.ended else 1

    async def at(self, uri: str) -> tuple[Checked, Path]:
        """The checked program in which a document stands, and its path."""
        path = path_of(uri)
        return await self.programs.checked(self.programs.home(path)), path

    async def named(self, uri: str) -> tuple[Checked, Path]:
        """The same, with what its names refer to found out already: that takes a moment in a large program."""
        checked, path = await self.at(uri)
        await self.beside(lambda: checked.uses)
        return checked, path

    async def beside(self, work: Callable[[], _T]) -> _T:
        """What work gives that takes too long for the loop, in which messages are read."""
        return await asyncio.get_running_loop().run_in_executor(self.checking, work)

    def address(self, path: Path) -> str:
        """The address of a file as the editor writes it."""
        return self.programs.documents.uri(path)
