"""/api/v1/integrations: how peers do, and resetting their breakers."""

from __future__ import annotations

from codeai.control.audit import Trail
from codeai.control.exchange import Exchange, page_of, unknown
from codeai.http.messages import Response
from codeai.http.plans import json_response
from codeai.integrations.calls import Integrations
from codeai.storage.interface import Database


class IntegrationPages:
    """Lists integrations, resets breakers."""

    def __init__(self, integrations: Integrations, database: Database, trail: Trail) -> None:
        self._integrations = integrations
        self._database = database
        self._trail = trail

    async def list(self, exchange: Exchange) -> Response:
        """GET /integrations."""
        exchange.parameters()
        return page_of(sorted(await self._integrations.states(), key=lambda state: state.name))

    async def reset(self, exchange: Exchange) -> Response:
        """POST /integrations/{name}/breaker/reset."""
        name = exchange.path["name"]
        if name not in self._integrations.clients:
            raise unknown("integration", name, self._integrations.clients)
        before = await self._integrations.state(name)
        await self._integrations.reset(name)
        async with self._database.transaction() as session:
            await self._trail.write(session, exchange.actor, "reset", "integration", name, before={"state": before.state})
        return json_response(await self._integrations.state(name))
