"""Granian on a Unix socket that was bound before, so that several workers share it."""

from __future__ import annotations

from typing import Any

from granian._granian import SocketHolder
from granian.server.embed import Server

from codeai.server.listening import BACKLOG


class SharedServer(Server):
    """Granian's server inside of this process's event loop.

    :param descriptor: a Unix socket that listens, None to listen at address and port (of which each worker has its own socket)
    """

    def __init__(self, target: Any, *, descriptor: int | None, **settings: Any) -> None:
        super().__init__(target, **settings)
        self._descriptor = descriptor

    def _init_shared_socket(self) -> None:
        if self._descriptor is None:
            super()._init_shared_socket()  # type: ignore[no-untyped-call]  # Granian's
            return
        self._shd = SocketHolder(self._descriptor, True, BACKLOG)  # type: ignore[call-arg,assignment]  # its stub leaves these out
        self._sfd = self._descriptor  # type: ignore[assignment]  # as above
        self._ssp = None
