"""``exec { … }``: a command of ``/bin/sh``, bounded in time and output. Values reach it by its environment alone."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any, Final

from codeai.evaluate.errors import EvaluationError
from codeai.evaluate.operations import text
from codeai.language.shell import VARIABLE

LARGEST: Final = 16 * 1024 * 1024
_PIECE: Final = 65_536


class Shell:
    """Runs commands in the folder of the process.

    :param timeout: seconds after which a command is killed with all that it has started
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout

    def print(self, text: str) -> None:
        """See ``evaluate.effects.Shell``."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    async def run(self, command: str, arguments: tuple[Any, ...], checked: bool) -> Mapping[str, Any]:
        """See ``evaluate.effects.Shell``. What the command writes to standard error goes where that of the script goes.

        :raises EvaluationError: an argument is no text, or the command cannot be started, takes too long or writes too much
        """
        environment = {**os.environ, **{VARIABLE.format(at): _argument(value) for at, value in enumerate(arguments)}}
        try:
            process = await asyncio.create_subprocess_exec(
                *("/bin/sh", "-c", command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=None if checked else asyncio.subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise EvaluationError(f"the command cannot be started: {error.strerror or error}") from None
        try:
            async with asyncio.timeout(self._timeout):
                output = await _output(process.stdout) if process.stdout is not None else b""
                code = await process.wait()
        except BaseException as error:
            await _end(process)
            if isinstance(error, TimeoutError):
                raise EvaluationError(f"the command took longer than {self._timeout:g} s") from None
            raise
        if checked and code:
            raise EvaluationError(f"the command ended with {_how(code)}")
        return {"output": output.decode("utf-8", "replace").rstrip("\n"), "code": code if code >= 0 else 128 - code}


def _argument(value: Any) -> str:
    """The value as one argument; what has no text of its own is refused rather than guessed."""
    if value is None:
        raise EvaluationError("an argument of a command is null")
    if isinstance(value, list | tuple | dict):
        raise EvaluationError("a list or a record is no argument of a command")
    found = text(value)
    if "\0" in found:
        raise EvaluationError("an argument of a command contains the character 0")
    return found


async def _output(stream: asyncio.StreamReader) -> bytes:
    found = bytearray()
    while piece := await stream.read(_PIECE):
        found += piece
        if len(found) > LARGEST:
            raise EvaluationError(f"the command wrote more than {LARGEST // 1024 // 1024} MiB")
    return bytes(found)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kills a command with all that it has started, also what still runs behind it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    # Its end is known when its output has ended, too, and nobody reads that any more.
    output = process._transport.get_pipe_transport(1)  # type: ignore[attr-defined]  # asyncio offers no other way
    if output is not None:
        output.close()
    await process.wait()


def _how(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"signal {-code}"
