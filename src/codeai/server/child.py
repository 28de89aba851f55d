"""A worker process of the supervisor: ``python -m codeai.server.child PROGRAM FLAGS``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import msgspec
import setproctitle

from codeai.server.start import prepare, serve_here


def main() -> int:
    """Serves until the supervisor ends it."""
    path, flags = sys.argv[1:3]
    setproctitle.setproctitle(f"cai-worker: http {os.environ.get('CODEAI_WORKER', '1')}")
    prepared = prepare(Path(path) if path else None, msgspec.json.decode(flags))
    return prepared if isinstance(prepared, int) else serve_here(prepared, embedded=False)


if __name__ == "__main__":
    sys.exit(main())
