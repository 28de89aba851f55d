"""Work in another process, which ends with this one: what imports much leaves nothing behind."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_Found = TypeVar("_Found")
_SECONDS_TO_END: Final = 5.0
_SECONDS_TO_HEAR: Final = 0.5  # of Ctrl-C, at worst


class AsideDied(OSError):
    """The process ended before it had a result."""


def aside(work: Callable[..., _Found], *arguments: object) -> _Found:
    """Runs a function of a module in a process of its own and returns its result, or raises its error.

    An executor would wait for its idle process when Ctrl-C comes before the work was handed over, for ever.

    :raises AsideDied: somebody has killed the process
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(sender, work, arguments), daemon=True)
    with receiver:
        try:
            with _undisturbed():
                process.start()
            sender.close()
            while not receiver.poll(_SECONDS_TO_HEAR):
                pass  # a signal just before the waiting does not end it, and is heard behind it
            failed, found = receiver.recv()
            process.join(_SECONDS_TO_END)
        except EOFError:
            process.join(_SECONDS_TO_END)
            raise AsideDied(f"the process for '{work.__name__}' ended before it was done (exit code {process.exitcode})") from None
        finally:
            if process.is_alive():
                process.kill()
    if failed:
        raise found
    result: _Found = found
    return result


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C counts behind the block: within the start of a process it would leave one that nobody knows."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    noted = threading.Event()
    before = signal.signal(signal.SIGINT, lambda *_: noted.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
    if noted.is_set():
        signal.raise_signal(signal.SIGINT)


def _answer(sender: Connection, work: Callable[..., Any], arguments: tuple[object, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever waits decides what Ctrl-C ends
    with sender, contextlib.suppress(BrokenPipeError):
        try:
            answer = (False, work(*arguments))
        except Exception as error:  # every one is raised by who waits
            answer = (True, error)
        sender.send(answer)
