"""The questions of the protocol, by what they are about; each is answered by a function of another module."""

from __future__ import annotations

import gc
from typing import BinaryIO

from codeai.lsp.handlers import beginning, documents, editing, reading, showing
from codeai.lsp.server import Server


def serve(output: BinaryIO) -> int:
    """Serves the editor at standard input until it leaves; returns the exit code of the protocol.

    :param output: where answers go
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # trees are many objects and no cycles
    server = Server()
    for module in (beginning, documents, editing, reading, showing):
        module.register(server)
    server.start_io(stdout=output)
    server.checking.shutdown(wait=False, cancel_futures=True)
    return server.exit_code
