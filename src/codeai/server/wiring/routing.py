"""Which paths a process serves, on which of its listeners."""

from __future__ import annotations

from collections.abc import Mapping

from codeai.http.application import Handler
from codeai.http.openapi.document import document
from codeai.http.operators import OperatorRoutes
from codeai.http.pages.health import health_pages
from codeai.http.pages.serving import documentation, landing
from codeai.http.routing import Router
from codeai.model.application import Application
from codeai.observability.health import Health
from codeai.server.wiring.endpoints import Endpoints


class Routing:
    """Makes the tables of paths.

    :param apart: whether operators have a listener of their own
    """

    def __init__(self, health: Health, operators: OperatorRoutes, *, apart: bool) -> None:
        self._health = health
        self._operators = operators
        self._apart = apart

    def of_program(self, program: Application, documented: Application, endpoints: Endpoints) -> Router[Handler]:
        """The endpoints of a program with its pages; raises StartError.

        :param documented: the program as its documentation shows it
        """
        router: Router[Handler] = Router()
        pages = documentation(document(documented))
        if self._apart:
            _add(router, pages)  # what is added later wins
        for endpoint in program.endpoints:
            router.add(endpoint.method, tuple((part.text, part.parameter) for part in endpoint.path), endpoints.handler(endpoint))
        self._add_health(router)
        if not self._apart:
            _add(router, pages)
        if not any(not endpoint.path for endpoint in program.endpoints):
            router.add("GET", (), landing(program.name, program.version))
        if not self._apart:
            self._operators.put_on(router)
        return router

    def of_operators(self) -> Router[Handler]:
        """What the listener of operators serves."""
        router: Router[Handler] = Router()
        self._add_health(router)
        self._operators.put_on(router)
        return router

    def of_monitors(self) -> Router[Handler]:
        """What a process without the program's endpoints serves: health, and the operators' routes unless they lie apart."""
        router: Router[Handler] = Router()
        self._add_health(router)
        if not self._apart:
            self._operators.put_on(router)
        return router

    def _add_health(self, router: Router[Handler]) -> None:
        _add(router, health_pages(self._health, self._operators.guard))


def _add(router: Router[Handler], pages: Mapping[str, Handler]) -> None:
    for path, page in pages.items():
        router.add("GET", tuple((part, False) for part in path.strip("/").split("/")), page)
