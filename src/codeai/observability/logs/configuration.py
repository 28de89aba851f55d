"""Sets the logging of a process up (acceptance S49 to S53, T12)."""

from __future__ import annotations

import atexit
import errno
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from codeai.observability.context import CURRENT
from codeai.observability.logs.redaction import Redaction
from codeai.observability.logs.rendering import Renderer, Stamps, as_json, as_text
from codeai.observability.logs.writer import LineWriter, LogFile, Sink, Stream
from codeai.observability.spans import SPANS

LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_OF_RECORDS: Final = frozenset([*logging.makeLogRecord({}).__dict__, "message", "asctime"])  # what ``extra`` has not added
_NAMES: Final = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warn"}


class LogOutputError(Exception):
    """The place that LOG_OUTPUT names cannot be written; the text says why."""


class LogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to log. ``output`` is ``stdout``, ``stderr`` or the path of a file."""

    level: Literal["debug", "info", "warn", "error"] = "info"
    format: Literal["json", "text"] = "json"
    output: str = "stdout"
    add_source: bool = False


class LineHandler(logging.Handler):
    """Makes lines of records and hands them to the writer.

    The line is made where it arises, since it says what runs there; only writing it waits, and that happens elsewhere.
    """

    def __init__(self, writer: LineWriter, render: Renderer, *, level: int, source: bool) -> None:
        super().__init__()
        self.writer = writer
        self.threshold = level
        self.redaction = Redaction()
        self._render = render
        self._source = source
        self._stamp = Stamps()
        self._tracebacks = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Below the level only what works for a request that asked for it (acceptance S142)."""
        if record.levelno >= self.threshold or not record.name.startswith("codeai"):
            return True
        work = CURRENT.get()
        return work is not None and work.debug

    def emit(self, record: logging.LogRecord) -> None:
        """See ``logging.Handler``."""
        try:
            self.writer.line(self._render(self._event(record)))
        except Exception:
            self.handleError(record)

    def _event(self, record: logging.LogRecord) -> dict[str, Any]:
        event: dict[str, Any] = {
            "time": self._stamp(record.created),
            "level": _NAMES.get(record.levelno, "error"),
            "msg": self.redaction.text(record.getMessage()),
        }
        fields = {name: value for name, value in record.__dict__.items() if name not in _OF_RECORDS}
        if record.exc_info:
            fields["exception"] = self._tracebacks.formatException(record.exc_info)
        event |= self.redaction.fields(fields)
        work = CURRENT.get()
        if work is not None:
            event |= work.log_fields()
        else:
            spans = SPANS.get()
            if spans is not None:
                event |= spans.ids()
        if self._source:
            event["source"] = f"{Path(record.pathname).name}:{record.lineno}"
        return event

    def direct(self, fields: dict[str, Any], level: str = "info") -> None:
        """Writes the line of a finished request, without a record.

        :param fields: what the line says beside its time; of these the path alone can hold something secret
        """
        fields["path"] = self.redaction.text(fields["path"])
        event = {"time": self._stamp(time.time()), "level": level, "msg": "request", **fields}
        if self._source:
            event["source"] = "access.py:1"
        self.writer.line(self._render(event))


def configure(settings: LogSettings) -> LineHandler:
    """Sets the process's logging up.

    :raises LogOutputError: the file cannot be opened
    """
    render = as_json if settings.format == "json" else as_text
    handler = LineHandler(
        LineWriter(_sink(settings.output), lambda lines: render(_lost(lines))),
        render,
        level=LEVELS[settings.level],
        source=settings.add_source,
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        if isinstance(old, LineHandler):
            old.writer.close()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("codeai").setLevel(LEVELS[settings.level])
    atexit.register(handler.writer.close)
    return handler


def installed() -> LineHandler | None:
    """The handler that ``configure`` has set up; None where another program has its own logging."""
    return next((handler for handler in logging.getLogger().handlers if isinstance(handler, LineHandler)), None)


def _lost(lines: int) -> dict[str, object]:
    return {"time": Stamps()(time.time()), "level": "error", "msg": "log lines were lost", "lines": lines}


def _sink(output: str) -> Sink:
    if output in ("stdout", "stderr"):
        return Stream(1 if output == "stdout" else 2)
    try:
        return LogFile(Path(output))
    except OSError as error:
        # Making the folder says that a file exists where a part of the path is one.
        cause = os.strerror(errno.ENOTDIR) if isinstance(error, FileExistsError) else error.strerror or error
        raise LogOutputError(f"LOG_OUTPUT: cannot write {output}: {cause}; name a file that may be written, or stdout") from error


class DebugSwitch:
    """Lets debug lines of single requests through. While there is none, it costs nothing: the level itself is changed meanwhile."""

    def __init__(self) -> None:
        self._open = 0
        self._level = logging.NOTSET

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Debug lines arise inside of this block; the handler lets those through whose work asks for them."""
        logger = logging.getLogger("codeai")
        if not self._open:
            self._level = logger.level
            logger.setLevel(logging.DEBUG)
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            if not self._open:
                logger.setLevel(self._level)
