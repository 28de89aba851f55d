"""The processes of one server instance, and how any of them asks the others (acceptance T19).

Each process listens on a Unix socket in a folder that only its owner may enter. A thread serves it, so that a process whose
event loop is stuck still answers what it is doing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import socket
import struct
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

if sys.platform != "win32":
    import fcntl

_LOG: Final = logging.getLogger("codeai.server")
_LENGTH: Final = struct.Struct("<I")
_LONGEST: Final = 256 * 1024 * 1024
FOLDER_VARIABLE: Final = "CODEAI_RUNTIME"
_PREFIX: Final = "codeai-instance-"
_HELD: Final = "held"
_HOLDING: Final = "holding"
Answer = Callable[[Any], bytes]


@contextlib.contextmanager
def instance_folder() -> Iterator[Path]:
    """A folder for sockets and cells as long as the block lasts; in memory where the system has that.

    An instance that is killed leaves its folder behind, and with it memory: the next one removes what nobody holds any more.
    """
    memory = Path("/dev/shm")  # noqa: S108  # made with mode 0700 and a name of its own
    place = memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())
    _sweep(place)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
    held = os.open(folder / _HOLDING, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _hold(held)
        (folder / _HOLDING).rename(folder / _HELD)  # before that, somebody who sweeps might hold it first and take it for left behind
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _sweep(place: Path) -> None:
    """Removes the folders of ours whose instances have ended; one that is just being made, or of another user, is let alone."""
    for folder in place.glob(f"{_PREFIX}*"):
        try:
            held = os.open(folder / _HELD, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            _hold(held)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # somebody holds it
            pass
        finally:
            os.close(held)


def _hold(file: int) -> None:
    """Holds a file until it is closed, which the system does for a process that dies; raises OSError when somebody holds it."""
    if sys.platform != "win32":  # where servers have one process and no such folder
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


class Processes:
    """This process among its siblings.

    :param name: as in ``http-1``
    :param folder: where the sockets lie, None when it is alone
    """

    def __init__(self, name: str, folder: Path | None) -> None:
        self.name = name
        self.folder = folder
        self._answers: dict[str, Answer] = {}
        self._socket: socket.socket | None = None

    def answer(self, question: str, answer: Answer) -> None:
        """Says how a question is answered: from the arguments to bytes, on a thread of its own."""
        self._answers[question] = answer

    def listen(self) -> None:
        """Begins to answer the siblings."""
        if self.folder is None:
            return
        path = self.folder / f"{self.name}.sock"
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        self._socket.listen(16)
        threading.Thread(target=self._accept, args=(self._socket,), name="codeai-control", daemon=True).start()

    def close(self) -> None:
        """Ends that."""
        if self._socket is not None and self.folder is not None:
            (self.folder / f"{self.name}.sock").unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=self._serve, args=(connection,), name="codeai-control", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            question, arguments = msgspec.msgpack.decode(_receive(connection))
            try:
                found = b"+" + self._answers[question](arguments)
            except Exception as error:
                _LOG.exception("a sibling's question failed", extra={"question": question})
                found = b"-" + f"{type(error).__name__}: {error}".encode()
            connection.sendall(_LENGTH.pack(len(found)) + found)

    async def ask(self, question: str, arguments: Any = None, *, timeout: float, only: str | None = None) -> Mapping[str, bytes]:
        """The answers of all processes (or of the one called ``only``) by their names.

        :param timeout: seconds; who has not answered by then, or dies meanwhile, is left out
        """
        names = [name for name in self._names() if only is None or name == only]
        answers = await asyncio.gather(*(self._asked(name, question, arguments, timeout) for name in names))
        return {name: found for name, found in zip(names, answers, strict=True) if found is not None}

    def _names(self) -> list[str]:
        others = () if self.folder is None else (path.stem for path in self.folder.glob("*.sock"))
        return sorted({self.name, *others})

    async def _asked(self, name: str, question: str, arguments: Any, timeout: float) -> bytes | None:
        if name == self.name:
            return await _on_a_thread(lambda: self._answers[question](arguments))
        assert self.folder is not None
        try:
            async with asyncio.timeout(timeout):
                found = await _exchange(self.folder / f"{name}.sock", msgspec.msgpack.encode((question, arguments)))
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return None
        return found[1:] if found[:1] == b"+" else None


async def _on_a_thread(work: Callable[[], bytes]) -> bytes:
    """Does work on a thread of its own: it may take minutes, and must not keep others from the shared ones."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[bytes] = loop.create_future()

    def settle(error: BaseException | None, found: bytes) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(found)

    def run() -> None:
        try:
            found, error = work(), None
        except Exception as raised:
            found, error = b"", raised
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, error, found)

    threading.Thread(target=run, name="codeai-control", daemon=True).start()
    return await done


async def _exchange(path: Path, question: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(path))
    try:
        writer.write(_LENGTH.pack(len(question)) + question)
        await writer.drain()
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        return await reader.readexactly(min(length, _LONGEST))
    finally:
        writer.close()


def _receive(connection: socket.socket) -> bytes:
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size))
    return _exactly(connection, min(length, 1_000_000))


def _exactly(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        more = connection.recv(count - len(found))
        if not more:
            raise OSError("the sibling went away")
        found += more
    return found
