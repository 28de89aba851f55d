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
    """One thing to look at. ``run`` raises what is wrong; ``details`` gives live figures; critical ones decide readiness."""

    name: str
    run: Callable[[], Awaitable[None]]
    timeout: float
    critical: bool = True
    details: Callable[[], Mapping[str, object]] | None = None


class Health:
    """Answers for the three endpoints.

    :param began: monotonic seconds at which the server started
    """

    def __init__(self, version: str, checks: Sequence[Check], began: float) -> None:
        self._version = version
        self._checks = checks
        self._began = began
        self.draining = False

    async def report(self, *, critical_only: bool = False, details: bool = True) -> tuple[bool, dict[str, Any]]:
        """Whether all critical checks pass (and the server is not about to stop), and the document.

        :param details: whether the figures of the checks are shown, which is for operators only
        """
        checks = [check for check in self._checks if check.critical or not critical_only]
        results = dict(
            zip((check.name for check in checks), await asyncio.gather(*(_checked(check, details) for check in checks)), strict=True)
        )
        failed = [check for check in checks if results[check.name]["status"] != "healthy"]
        healthy = not any(check.critical for check in failed)
        status = "draining" if self.draining else "unhealthy" if not healthy else "degraded" if failed else "healthy"
        document = {
            "status": status,
            "timestamp": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "version": self._version,
            "uptime": duration(time.monotonic() - self._began),
            "checks": results,
        }
        return healthy and not (self.draining and critical_only), document


async def _checked(check: Check, details: bool) -> dict[str, Any]:
    began = time.perf_counter()
    result: dict[str, Any] = {"status": "healthy"}
    try:
        async with asyncio.timeout(check.timeout):
            await check.run()
    except Degraded as error:
        result |= {"status": "degraded", "reason": str(error)}
    except Exception as error:
        result["status"] = "unhealthy"
        _LOG.error("%s ping failed", check.name, extra={"cause": str(error) or type(error).__name__})
    result["duration"] = f"{(time.perf_counter() - began) * 1000:.3g}ms"
    if details and check.details is not None:
        result["details"] = dict(check.details())
    return result


def duration(seconds: float) -> str:
    """Go's duration text: ``24h5m30s``."""
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{left}s"
    return f"{minutes}m{left}s" if minutes else f"{left}s"
