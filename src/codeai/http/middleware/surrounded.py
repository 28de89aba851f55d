"""An endpoint with what its program puts around it: limits by address first, then layers from the outside in, then the plan."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from codeai.auth.errors import Forbidden, MissingToken
from codeai.auth.principal import Principal
from codeai.http.application import Handler
from codeai.http.messages import Request, Response, problem_response
from codeai.http.middleware.cors import CorsPolicy
from codeai.http.middleware.limits import Limit
from codeai.http.plans import EndpointPlan
from codeai.http.problems import problem_of

Next = Callable[[], Awaitable[Response]]


class Layer(Protocol):
    """Sees a request before the endpoint and its answer after it."""

    async def around(self, request: Request, proceed: Next) -> Response:
        """The answer; ``proceed`` gives that of what lies inside. It never raises what a request did wrong: that is an answer, too."""


class Gate(Protocol):
    """Decides on a request whose caller is known."""

    async def check(self, request: Request, principal: Principal) -> None:
        """Raises what refuses it."""


class Authorization:
    """Lets callers through that have any of the roles and any of the permissions, where there are such."""

    def __init__(self, roles: Sequence[str], permissions: Sequence[str]) -> None:
        self._roles = tuple(roles)
        self._permissions = tuple(permissions)

    async def check(self, request: Request, principal: Principal) -> None:
        """See ``Gate``."""
        if not principal.authenticated:
            raise MissingToken()
        if self._roles and not any(map(principal.has_role, self._roles)):
            raise Forbidden(f"needs one of the roles {', '.join(self._roles)}")
        if self._permissions and not any(map(principal.has_permission, self._permissions)):
            raise Forbidden(f"needs one of the permissions {', '.join(self._permissions)}")


class GatedPlan(EndpointPlan):
    """A plan with gates behind its guard; they decide before anything of the request is decoded.

    :param gates: in order
    """

    def __init__(self, *arguments: Any, gates: tuple[Gate, ...], **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._gates = gates
        self._instant = False  # the answer waits for the gates

    async def _limited(self, request: Request, values: list[str], principal: Principal) -> Response:
        for gate in self._gates:
            await gate.check(request, principal)
        return await super()._limited(request, values, principal)


class Surrounded:
    """A handler inside limits and layers.

    :param cors: the endpoint's own rules for other origins
    """

    def __init__(self, inner: Handler, limits: tuple[Limit, ...], layers: tuple[Layer, ...], cors: CorsPolicy | None) -> None:
        self.template = inner.template
        self.declared = inner.declared
        self.cors = cors
        self._inner = inner
        self._limits = limits
        self._layers = layers

    async def handle(self, request: Request, values: list[str]) -> Response:
        """See ``Handler``."""
        request.cors = self.cors
        for limit in self._limits:
            await limit.check(request, None)
        if not self._layers:
            return await self._inner.handle(request, values)
        return await self._layer(0, request, values)

    async def _layer(self, at: int, request: Request, values: list[str]) -> Response:
        if at == len(self._layers):
            try:
                return await self._inner.handle(request, values)
            except Exception as error:
                return problem_response(problem_of(error, self.declared), request)
        return await self._layers[at].around(request, lambda: self._layer(at + 1, request, values))
