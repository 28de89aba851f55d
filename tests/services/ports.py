"""Free ports."""

import fcntl
import functools
import os
import random
import socket
import tempfile
from pathlib import Path
from typing import BinaryIO

# Below those that systems give to connections: else one of them could take the port before its server does, or while that restarts.
_PORTS = range(12_000, 32_000)
_given: set[int] = set()
_choice = random.SystemRandom()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on, and that no other process of tests gets as long as this one lives."""
    while True:
        port = _choice.choice(_PORTS)
        if port not in _given and _reserved(port) and _free(port):
            _given.add(port)
            return port


@functools.cache
def _reservations() -> BinaryIO:
    """A file that all processes of tests share: a lock of its nth byte is the reservation of port n, and ends with the process."""
    return (Path(tempfile.gettempdir()) / f"codeai-ports-{os.getuid()}").open("wb")


def _reserved(port: int) -> bool:
    try:
        fcntl.lockf(_reservations(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
