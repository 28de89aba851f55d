"""Health: checks that run at the same time, each within its own time (acceptance S1 to S9, S116 to S125)."""

from __future__ import annotations

import asyncio
import datetime
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

_LOG: Final = logging.getLogger("codeai.health")


class Degraded(Exception):
    """A check's way to say that something does not work as it should and that the server serves nevertheless."""


class Check(msgspec.Struct, frozen=True):
    """One thing to look at. ``run`` raises what is wrong; ``details`` gives live figures; critical ones decide readiness.

    ``summed`` details are those of all processes together.
    """

    name: str
    run: Callable[[], Awaitable[None]]
    timeout: float
    critical: bool = True
    details: Callable[[], Mapping[str, object]] | None = None
    summed: bool = False


Details = Mapping[str, Mapping[str, Any]]
"""The details of checks by their names."""


class Health:
    """Answers for the three endpoints.

    Whoever asks while a check runs gets its result: many who ask at once are one question to the database.

    :param began: monotonic seconds at which the server started
    """

    def __init__(self, version: str, checks: Sequence[Check], began: float) -> None:
        self._version = version
        self._checks = checks
        self._began = began
        self._running: dict[str, asyncio.Task[dict[str, Any]]] = {}
        self.draining = False
        self.siblings: Callable[[], Awaitable[Sequence[Details]]] | None = None

    async def report(self, *, critical_only: bool = False, details: bool = True) -> tuple[bool, dict[str, Any]]:
        """Whether all critical checks pass (and the server is not about to stop), and the document.

        :param details: whether causes and figures are shown, which is for operators only
        """
        checks = [check for check in self._checks if check.critical or not critical_only]
        found = await asyncio.gather(*map(self._result, checks))
        failed = [check for check, result in zip(checks, found, strict=True) if result["status"] != "healthy"]
        healthy = not any(check.critical and result["status"] == "unhealthy" for check, result in zip(checks, found, strict=True))
        status = "draining" if self.draining else "unhealthy" if not healthy else "degraded" if failed else "healthy"
        figures = await self._details(checks) if details else {}
        results = {
            check.name: {**(result if details else _public(result)), **figures.get(check.name, {})}
            for check, result in zip(checks, found, strict=True)
        }
        document = {
            "status": status,
            "timestamp": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "version": self._version,
            "uptime": duration(int(time.monotonic() - self._began)),
            "checks": results,
        }
        return healthy and not (self.draining and critical_only), document

    async def _result(self, check: Check) -> dict[str, Any]:
        running = self._running.get(check.name)
        if running is None:
            running = self._running[check.name] = asyncio.ensure_future(_checked(check))
            running.add_done_callback(lambda done: self._running.pop(check.name, None))
        return await asyncio.shield(running)

    async def _details(self, checks: Sequence[Check]) -> dict[str, dict[str, Any]]:
        summed = [check for check in checks if check.summed]
        everywhere = await self.siblings() if summed and self.siblings is not None else [self.figures()]
        found = {check.name: {"details": dict(check.details())} for check in checks if check.details is not None and not check.summed}
        for check in summed:
            parts = [part[check.name] for part in everywhere if check.name in part]
            found[check.name] = {"details": {key: sum(part[key] for part in parts) for key in parts[0]}} if parts else {}
        return found

    def figures(self) -> Details:
        """This process's part of the summed details."""
        return {check.name: dict(check.details()) for check in self._checks if check.summed and check.details is not None}


async def _checked(check: Check) -> dict[str, Any]:
    began = time.perf_counter()
    result: dict[str, Any] = {"status": "healthy"}
    try:
        async with asyncio.timeout(check.timeout):
            await check.run()
    except Degraded as error:
        result |= {"status": "degraded", "reason": str(error)}
    except TimeoutError:
        result |= {"status": "unhealthy", "reason": f"no answer within {duration(check.timeout)}"}
    except Exception as error:
        result |= {"status": "unhealthy", "reason": str(error) or type(error).__name__}
    if result["status"] == "unhealthy":
        _LOG.error("%s ping failed", check.name, extra={"cause": result["reason"]})
    result["duration"] = duration(time.perf_counter() - began)
    return result


def _public(result: Mapping[str, Any]) -> dict[str, Any]:
    """What everybody may see: reasons name hosts and causes."""
    return {name: value for name, value in result.items() if name != "reason"}


def duration(seconds: float) -> str:
    """A duration as Go writes it: ``24h5m30s``, ``1.5ms``, ``250µs``."""
    if seconds < 1:
        for unit, factor in (("ms", 1e3), ("µs", 1e6)):
            if seconds * factor >= 1:
                return f"{_short(seconds * factor)}{unit}"
        return f"{round(seconds * 1e9)}ns" if seconds > 0 else "0s"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{_short(rest)}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def _short(number: float) -> str:
    """At most three decimals, none where there is nothing behind the point."""
    return f"{number:.3f}".rstrip("0").rstrip(".")
