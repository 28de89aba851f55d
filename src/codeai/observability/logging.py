"""Logs: one line per record, JSON or text, on standard output, standard error or in a file (acceptance S49 to S53)."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import structlog

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_SECRET_WORDS: Final = ("password", "secret", "token", "authorization", "api_key", "apikey", "cookie")


class LogSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How to log. ``output`` is ``stdout``, ``stderr`` or the path of a file."""

    level: Literal["debug", "info", "warn", "error"] = "info"
    format: Literal["json", "text"] = "json"
    output: str = "stdout"
    add_source: bool = False


def configure(settings: LogSettings) -> None:
    """Sets the process's logging up.

    :raises OSError: the file cannot be opened
    """
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_shared(settings), processors=_renderers(settings))
    handler = _handler(settings.output)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("codeai").setLevel(_LEVELS[settings.level])


def _handler(output: str) -> logging.Handler:
    if output in ("stdout", "stderr"):
        return logging.StreamHandler(sys.stdout if output == "stdout" else sys.stderr)
    path = Path(output)
    path.parent.mkdir(parents=True, exist_ok=True)
    return logging.handlers.WatchedFileHandler(path, encoding="utf-8")


def _shared(settings: LogSettings) -> list[Any]:
    found: list[Any] = [
        structlog.stdlib.ExtraAdder(),
        _level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.format_exc_info,
        _redact,
    ]
    if settings.add_source:
        found.insert(
            0,
            structlog.processors.CallsiteParameterAdder(
                [structlog.processors.CallsiteParameter.PATHNAME, structlog.processors.CallsiteParameter.LINENO]
            ),
        )
        found.append(_source)
    return found


def _renderers(settings: LogSettings) -> list[Any]:
    tail: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.EventRenamer("msg")]
    if settings.format == "json":
        encode = msgspec.json.Encoder(enc_hook=str).encode
        return [*tail, lambda logger, name, event: encode(event).decode()]
    return [*tail, _text]


def _level(logger: Any, name: str, event: dict[str, Any]) -> dict[str, Any]:
    record = event.get("_record")
    level = record.levelname.lower() if record is not None else name
    event["level"] = {"warning": "warn", "critical": "error"}.get(level, level)
    return event


def _source(logger: Any, name: str, event: dict[str, Any]) -> dict[str, Any]:
    path, line = event.pop("pathname", ""), event.pop("lineno", 0)
    event["source"] = f"{Path(path).name}:{line}"
    return event


def _redact(logger: Any, name: str, event: dict[str, Any]) -> dict[str, Any]:
    for key in event:
        if any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = "[redacted]"
    return event


def _text(logger: Any, name: str, event: dict[str, Any]) -> str:
    """``time level message key=value …``; control characters are escaped, so that a line stays a line."""
    time, level, message = event.pop("time", ""), event.pop("level", ""), str(event.pop("msg", ""))
    trace = event.pop("exception", None)
    pairs = " ".join(f"{key}={_quoted(value)}" for key, value in event.items())
    line = f"{time} {level.upper():5} {_plain(message)}" + (f" {pairs}" if pairs else "")
    return f"{line}\n{trace}" if trace else line


def _plain(text: str) -> str:
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def _quoted(value: object) -> str:
    text = _plain(str(value))
    return f'"{text}"' if " " in text or not text else text
