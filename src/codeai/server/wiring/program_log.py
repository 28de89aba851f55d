"""Where ``log`` and ``print`` of programs write."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

_PROGRAM: Final = logging.getLogger("codeai.program")
_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_RESERVED: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


def log_program(level: str, message: str, data: Mapping[str, object]) -> None:
    """``log`` and ``print`` of programs."""
    _PROGRAM.log(
        _LEVELS[level], "%s", message, extra={f"data_{name}" if name in _RESERVED else name: value for name, value in data.items()}
    )
