"""The editor that started the server: when it dies without a word, the server ends as well."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Final

_EVERY: Final = 3.0  # seconds


async def watch(pid: int) -> None:
    """Ends this process with 1 once the process of that id is gone; where that cannot be asked, the end of the input must do."""
    if sys.platform == "win32":
        return
    while _lives(pid):  # noqa: ASYNC110  # nobody tells of the end of a process that is no child
        await asyncio.sleep(_EVERY)
    os._exit(1)  # a thread is still reading the input


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
