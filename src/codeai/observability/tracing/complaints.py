"""What the exporter of traces complains of, in a line of ours once a minute: by itself it says four long ones for every batch."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Final

EXPORTER: Final = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
_EVERY: Final = 60.0
_CAUSE: Final = re.compile(r"\[Errno -?\d+\] ([^\\\"')]+)")
_LONGEST: Final = 300


class Complaints(logging.Filter):
    """Rewrites the records of the exporter's logger, and drops those that come too soon after the last one.

    :param now: seconds of a monotonic clock
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._said = -_EVERY

    def filter(self, record: logging.LogRecord) -> bool:
        """See ``logging.Filter``."""
        now = self._now()
        if now - self._said < _EVERY:
            return False
        self._said = now
        text = record.getMessage()
        found = _CAUSE.search(text)
        record.__dict__["cause"] = found[1].strip().lower() if found else text[:_LONGEST]
        record.__dict__["hint"] = "OTEL_EXPORTER_OTLP_ENDPOINT names the collector; meanwhile spans are lost, and requests are not"
        record.msg, record.args = "traces cannot be delivered", ()
        return True
