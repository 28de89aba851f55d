"""A worker process of the supervisor: ``python -m codeai.server.child PROGRAM FLAGS CONNECTIONS``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import setproctitle

from codeai.server.listening import ALONE_VARIABLE, main_place
from codeai.server.start import prepare, serve_here, work_here
from codeai.server.supervisor import DURABLE


def main() -> int:
    """Serves until the supervisor ends it."""
    path, flags, connections = sys.argv[1:4]
    worker = os.environ.get("CODEAI_WORKER", "1")
    setproctitle.setproctitle("cai-worker: durable" if worker == DURABLE else f"cai-worker: http {worker}")
    given = msgspec.json.decode(flags) | {"db_max_open_conns": msgspec.json.decode(connections)[worker]}
    prepared = prepare(Path(path) if path else None, given)
    if isinstance(prepared, int):
        return prepared
    place = main_place(prepared.settings, os.environ)
    if worker == DURABLE:
        return work_here(prepared, place if os.environ.get(ALONE_VARIABLE) else None)
    return serve_here(prepared, place)


if __name__ == "__main__":
    sys.exit(main())
