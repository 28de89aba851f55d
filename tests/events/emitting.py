"""A program with events that runs in this process: the real composition, its dispatcher running."""

from typing import Any

import httpx

from codeai.server.composition import Composition
from services.polling import eventually

ENVIRONMENT = {"JWT_SECRET": "a secret for tests that is long enough", "CODEAI_OUTBOUND_ALLOW": "127.0.0.1"}


class Running:
    """A program that runs in this process."""

    def __init__(self, composition: Composition, url: str) -> None:
        self.composition = composition
        self.url = url
        self.database = composition.database
        transport = httpx.ASGITransport(composition.asgi)  # type: ignore[arg-type]
        self.http = httpx.AsyncClient(transport=transport, base_url="http://test")

    async def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await self.database.reading().fetch(statement, values)]

    async def one(self, statement: str, *values: Any) -> Any:
        return (await self.rows(statement, *values))[0][0]

    async def deliveries(self) -> list[tuple[str, str, str, int]]:
        """Kind, target, status and failed attempts, oldest first."""
        return await self.rows("SELECT kind, target, status, attempts FROM codeai_deliveries ORDER BY id")  # type: ignore[return-value]

    async def idle(self) -> None:
        """Waits until every event is relayed and every delivery settled."""

        async def settled() -> bool:
            waiting = "SELECT count(*) FROM codeai_events WHERE relayed = 0"
            pending = "SELECT count(*) FROM codeai_deliveries WHERE status = 'pending'"
            return await self.rows(f"SELECT ({waiting}), ({pending})") == [(0, 0)]

        await eventually(settled)

    async def hurry(self) -> None:
        """Makes what waits for its next attempt due; nothing is before that (see ``conftest``)."""
        await self.database.writing().execute("UPDATE codeai_activations SET ready_ms = 1 WHERE state = 2", ())
        self.composition.dispatcher.wake_in(0)

    async def close(self) -> None:
        await self.http.aclose()
        await self.composition.stop()
