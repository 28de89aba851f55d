"""For what a thread or a task waits, in the words of Go (acceptance S63).

A thread that waits inside of C shows the line of Python that called it: what is called there says for what it waits.
"""

from __future__ import annotations

import asyncio
import linecache
import re
from collections.abc import Sequence
from types import FrameType
from typing import Final

from codeai.observability.profiling.stacks import Frame

_LINES: Final = (
    ("sleep", re.compile(r"\bsleep\(")),
    ("IO wait", re.compile(r"\.(accept|recv\w*|recvfrom|send\w*|select|poll|read\w*|connect|control)\(|open_unix_connection")),
    ("semacquire", re.compile(r"\.(join|acquire|__enter__)\(|^with .*lock", re.IGNORECASE)),
    ("chan receive", re.compile(r"\.(get|wait|result|popleft)\(|waiter\.acquire")),
)
_FILES: Final = (
    ("IO wait", re.compile(r"/(selectors|socket|ssl|asyncpg/.*|asyncio/(streams|selector_events|sslproto)|httpcore/.*|redis/.*)(\.py|$)")),
    ("chan receive", re.compile(r"/(queue|asyncio/(queues|futures|tasks))\.py$")),
)


def waits(frame: FrameType) -> bool:
    """Whether a thread waits."""
    return state_of_thread(frame) != "running"


def state_of_thread(frame: FrameType) -> str:
    """The state of a thread by its innermost frame."""
    code = frame.f_code
    if code.co_filename.endswith("/threading.py") and code.co_name in ("wait", "_wait_for_tstate_lock", "acquire", "join"):
        return "chan receive" if code.co_name == "wait" else "semacquire"
    if code.co_name in ("run", "run_until_complete", "run_forever", "_run_once") and "asyncio" in code.co_filename:
        return "IO wait"  # the event loop waits for its sockets
    line = linecache.getline(code.co_filename, frame.f_lineno or 0).strip()
    return next((state for state, pattern in _LINES if pattern.search(line)), "running")


def state_of_task(task: asyncio.Task[object], stack: Sequence[Frame], current: bool) -> str:
    """The state of a task by where its innermost coroutine waits."""
    if current:
        return "running"
    if getattr(task, "_fut_waiter", None) is None:
        return "runnable"
    for frame in stack[:3]:
        name = frame.function.rpartition(".")[2]
        if name == "sleep":
            return "sleep"
        if frame.file.endswith("asyncio/locks.py"):
            return "semacquire" if name in ("acquire", "__aenter__") else "chan receive"
        found = next((state for state, pattern in _FILES if pattern.search(frame.file)), None)
        if found:
            return found
    return "chan receive"
