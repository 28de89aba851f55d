"""The tests of a program, run as ``codeai test`` runs them: in a process of its own, that is ended when it takes too long."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

import anyio
from anyio.abc import Process

from codeai.mcp.programs import Unusable

SECONDS: Final = 120
_MOST: Final = 1 << 20


async def run_tests(path: Path, name: str = "", seconds: float = SECONDS) -> list[dict[str, Any]]:
    """The result of each test.

    :param path: of the program
    :param name: a part of the names of the tests to run; all by default
    :param seconds: how long they may take
    :raises Unusable: they cannot be run, or did not end
    """
    command = [sys.executable, "-m", "codeai", "test", "--output", "json", f"--filter={name}", "--", str(path)]
    with anyio.move_on_after(seconds):
        async with await anyio.open_process(command, start_new_session=True) as process:
            try:
                return await _results(process)
            finally:
                if process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)  # with what its Python functions have begun
    raise Unusable(f"the tests did not end within {seconds:g} s; run fewer of them with 'name'")


async def _results(process: Process) -> list[dict[str, Any]]:
    said = {"out": b"", "err": b""}

    async def read(stream: Any, where: str) -> None:
        async for chunk in stream:
            said[where] = (said[where] + chunk)[-_MOST:]

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, process.stdout, "out")
        tasks.start_soon(read, process.stderr, "err")
        code = await process.wait()
    out, errors = said["out"].decode(errors="replace"), said["err"].decode(errors="replace")
    if code not in (0, 1):
        raise Unusable(errors.strip() or f"'codeai test' ended with {code}")
    try:
        found: list[dict[str, Any]] = json.loads(out)
    except ValueError as error:
        raise Unusable(errors.strip() or out.strip() or "'codeai test' said nothing") from error
    return found
