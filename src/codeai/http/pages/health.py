"""``/health``, ``/health/live`` and ``/health/ready`` (acceptance S116 to S125)."""

from __future__ import annotations

from typing import Final

import msgspec

from codeai.http.application import Page
from codeai.http.messages import JSON, Header, Request, Response
from codeai.http.operators import OperatorGuard
from codeai.observability.health import Health

_NOT_KEPT: Final[Header] = (b"cache-control", b"no-store")
_ALIVE: Final = b'{"status":"healthy"}'


def health_pages(health: Health, guard: OperatorGuard) -> dict[str, Page]:
    """The pages by path. They are open to all; figures and causes are for operators."""

    async def everything(request: Request) -> Response:
        return _answer(await health.report(details=await guard.knows(request)))

    async def ready(request: Request) -> Response:
        return _answer(await health.report(critical_only=True, details=False))

    async def live(request: Request) -> Response:
        return Response(200, _ALIVE, (JSON, _NOT_KEPT))

    answers = {"/health": everything, "/health/live": live, "/health/ready": ready}
    return {path: Page(path, answer) for path, answer in answers.items()}


def _answer(report: tuple[bool, dict[str, object]]) -> Response:
    healthy, document = report
    return Response(200 if healthy else 503, msgspec.json.encode(document), (JSON, _NOT_KEPT))
