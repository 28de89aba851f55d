"""Who is an operator, and the routes that only operators reach (acceptance T9): metrics, profiles, control API, console."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from typing import Final

from codeai.auth.errors import AuthError, Forbidden, MissingToken
from codeai.auth.guard import Provider, challenges
from codeai.auth.principal import Grants, Principal
from codeai.http.application import Handler
from codeai.http.messages import Request, Response
from codeai.http.routing import Router

_FORWARDED: Final = frozenset(
    [b"forwarded", b"via", b"x-real-ip", b"x-client-ip", b"x-cluster-client-ip", b"true-client-ip", b"cf-connecting-ip", b"fly-client-ip"]
)


class OperatorGuard:
    """Admits operators.

    :param loopback: whether callers on this machine need no credentials
    :param token: a bearer token that makes its bearer an operator, None for none
    :param role: the role that makes a caller of the program an operator
    :param providers: how callers of the program say who they are
    """

    def __init__(self, *, loopback: bool, token: str | None, role: str, providers: tuple[Provider, ...]) -> None:
        self._loopback = loopback
        self._token = token.encode() if token else None
        self._role = role
        self._providers = providers
        self._challenges = tuple(dict.fromkeys([*(["Bearer"] if token else []), *challenges(providers)]))
        self._hint = _hint(loopback=loopback, token=token is not None, role=role if providers else "")
        self._local = Principal(
            id="operator", grants=Grants(frozenset([role]), frozenset(["*:*"])), authenticated=True, provider="operator"
        )

    async def admit(self, request: Request) -> Principal:
        """The operator who sent a request.

        :raises AuthError: the caller is none, or does not say who it is
        """
        if self._bears_token(request) or (self._loopback and is_local(request)):
            return self._local
        refused: AuthError = MissingToken("operators only", hint=self._hint)
        refused.challenges = self._challenges
        for provider in self._providers:
            try:
                found = await provider.authenticate(request.headers)
            except AuthError as error:
                refused = error
                refused.challenges = challenges(self._providers, error, provider)
                continue
            if found is not None and found.has_role(self._role):
                if _by_foreign_page(request):
                    raise Forbidden("a browser sent this for a page of another origin")
                return found
            if found is not None:
                refused = Forbidden(f"operators need the role '{self._role}'")
        raise refused

    async def knows(self, request: Request) -> bool:
        """Whether an operator sent a request."""
        try:
            await self.admit(request)
        except AuthError:
            return False
        return True

    def _bears_token(self, request: Request) -> bool:
        given = request.headers.get(b"authorization", b"")
        return self._token is not None and given[:7].lower() == b"bearer " and hmac.compare_digest(given[7:].strip(), self._token)


def _hint(*, loopback: bool, token: bool, role: str) -> str:
    """What somebody who is no operator can do to be one."""
    bearers = [*(["CODEAI_OPERATOR_TOKEN"] if token else []), *([f"a token of the role '{role}'"] if role else [])]
    ways = [f"send `Authorization: Bearer` with {' or '.join(bearers)}"] if bearers else []
    if loopback:
        ways.append("ask from the server's own machine, past every proxy")
    return "only operators may do this: " + (", or ".join(ways) or "give the server a CODEAI_OPERATOR_TOKEN")


def is_local(request: Request) -> bool:
    """Whether a request comes from this very machine, and from no page that a browser here has loaded from elsewhere.

    A forwarding header says that somebody else stands behind the peer. A host name that is not the loopback's own says that a
    proxy without such headers does, or that a page had its name resolve to this machine (DNS rebinding). A foreign origin says
    that a page elsewhere makes a browser here send the request. HTTP/1.0 is what nginx speaks to the servers behind it when nothing
    else is set, with this server's own address as the host and without any forwarding header; the tools of operators speak 1.1.
    """
    if request.peer is None or not _is_loopback(request.peer) or request.version in ("0.9", "1.0", "1"):
        return False
    headers = request.headers
    if any(name in _FORWARDED or name.startswith(b"x-forwarded-") for name in headers):
        return False
    host = headers.get(b"host", b"").decode("latin-1")
    return _is_loopback(_name(host)) and _same_origin(request)


def _same_origin(request: Request) -> bool:
    """Whether no browser says that a page of another origin makes it send a request."""
    headers = request.headers
    if headers.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin"):
        return False
    origin = headers.get(b"origin")
    return origin is None or origin.partition(b"://")[2] == headers.get(b"host", b"")


def _by_foreign_page(request: Request) -> bool:
    """Whether a browser adds the name and password that it keeps (RFC 7617) to what a page of another origin has it do (CSRF)."""
    basic = request.headers.get(b"authorization", b"")[:6].lower() == b"basic "
    return basic and request.method not in ("GET", "HEAD", "OPTIONS") and not _same_origin(request)


def _name(host: str) -> str:
    """The host without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


class Guarded:
    """A handler that only operators reach; whoever they are stands in ``request.principal``."""

    def __init__(self, handler: Handler, guard: OperatorGuard) -> None:
        self._handler = handler
        self._guard = guard
        self.template = handler.template
        self.declared: Mapping[int, tuple[str, str | None]] = handler.declared

    async def handle(self, request: Request, values: list[str]) -> Response:
        """See ``Handler``."""
        request.principal = await self._guard.admit(request)
        response = await self._handler.handle(request, values)
        response.headers = (*response.headers, (b"cache-control", b"no-store"))
        return response


class OperatorRoutes:
    """The routes for operators, collected at start and then put on the main listener or on one of their own."""

    def __init__(self, guard: OperatorGuard) -> None:
        self.guard = guard
        self._routes: list[tuple[str, str, Handler]] = []

    def add(self, method: str, template: str, handler: Handler, *, open_to_all: bool = False) -> None:
        """Adds a route.

        :param template: the path, with ``{name}`` for parameters; ``handler`` gets their texts in this order
        :param open_to_all: leaves the guard out
        """
        self._routes.append((method, template, handler if open_to_all else Guarded(handler, self.guard)))

    def put_on(self, router: Router[Handler]) -> None:
        """Adds all routes to a router."""
        for method, template, handler in self._routes:
            parts = template[1:].split("/")
            router.add(method, tuple((part.strip("{}"), part.startswith("{")) for part in parts), handler)
