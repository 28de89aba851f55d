"""Who is an operator (acceptance T9)."""

import time

import pytest

from codeai.auth.building import AuthSettings, provider
from codeai.auth.errors import Forbidden, InvalidToken, MissingToken
from codeai.auth.issuing import SigningKey, issue_token
from codeai.auth.principal import RoleTable
from codeai.http.application import Application, Page
from codeai.http.messages import Request, Response
from codeai.http.operators import OperatorGuard, OperatorRoutes
from codeai.http.routing import Router
from codeai.http.settings import HttpSettings
from codeai.model.security import Role

SECRET = "a secret for tests that is long enough"
ROLES = RoleTable([Role(name="admin", permissions=(), inherits=()), Role(name="chief", permissions=(), inherits=("admin",))])


def guard(*, loopback: bool = True, token: str | None = None) -> OperatorGuard:
    jwt = provider("main", "jwt", {}, AuthSettings(secret=SECRET), ROLES, None, time.time)
    return OperatorGuard(loopback=loopback, token=token, role="admin", providers=(jwt,))


def request(peer: str | None = "127.0.0.1", path: str = "/metrics", **headers: str) -> Request:
    named = [(b"host", b"127.0.0.1:8080")] if "host" not in headers else []
    named += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request("GET", path, named, peer=peer)


def by_plain_nginx() -> Request:
    """What ``proxy_pass http://127.0.0.1:8080;`` alone makes of a stranger's request."""
    found = request(connection="close")
    found.version = "1.0"
    return found


def bearer(*roles: str) -> str:
    return "Bearer " + issue_token(SigningKey(secret=SECRET), "ada", roles, None, time.time())


LOCAL = [
    request(),
    request(host="localhost:8080"),
    request(host="localhost"),
    request("::1", host="[::1]:8080"),
    request("::ffff:127.0.0.1"),
    request("127.8.8.8"),
    request(origin="http://127.0.0.1:8080", sec_fetch_site="same-origin"),
    request(sec_fetch_site="none"),
]


@pytest.mark.parametrize("sent", LOCAL, ids=range(len(LOCAL)))
async def test_a_caller_on_this_machine_needs_no_credentials(sent):
    assert (await guard().admit(sent)).has_role("admin")


@pytest.mark.parametrize("sent", LOCAL, ids=range(len(LOCAL)))
async def test_it_does_when_access_is_by_token(sent):
    with pytest.raises(MissingToken):
        await guard(loopback=False).admit(sent)


@pytest.mark.parametrize(
    "sent",
    [
        request("10.0.0.7"),
        request("::ffff:10.0.0.7"),
        request(None),
        request("not an address"),
        request(x_forwarded_for="10.0.0.7"),
        request(x_forwarded_for="127.0.0.1"),
        request(x_forwarded_proto="https"),
        request(forwarded="for=10.0.0.7"),
        request(x_real_ip="10.0.0.7"),
        request(via="1.1 proxy"),
        by_plain_nginx(),
        request(host="evil.example:8080"),
        request(host=""),
        request(host="127.0.0.1.evil.example"),
        request(origin="https://evil.example"),
        request(origin="null"),
        request(sec_fetch_site="cross-site"),
        request(sec_fetch_site="same-site"),
    ],
    ids=lambda sent: f"{sent.peer} {sorted(sent.headers.items())}",
)
async def test_others_are_not_taken_for_local(sent):
    with pytest.raises(MissingToken):
        await guard().admit(sent)


async def test_the_operator_token_opens_from_anywhere():
    admitted = await guard(token="a token").admit(request("10.0.0.7", authorization="Bearer a token"))
    assert admitted.has_role("admin")


@pytest.mark.parametrize("given", ["Bearer another token", "Bearer ", "Bearer a token and more", "a token"])
async def test_no_other_token_does(given):
    with pytest.raises((InvalidToken, MissingToken)):
        await guard(token="a token").admit(request("10.0.0.7", authorization=given))


async def test_no_token_is_set_so_that_an_empty_one_opens_nothing():
    with pytest.raises(InvalidToken):
        await guard(token="").admit(request("10.0.0.7", authorization="Bearer "))


async def test_callers_of_the_program_need_the_role():
    assert (await guard(loopback=False).admit(request(authorization=bearer("admin")))).id == "ada"
    assert (await guard(loopback=False).admit(request(authorization=bearer("chief")))).id == "ada"
    with pytest.raises(Forbidden):
        await guard(loopback=False).admit(request(authorization=bearer("customer")))


async def test_routes_ask_the_guard_before_they_answer():
    async def answer(request: Request) -> Response:
        return Response(200, request.principal.id.encode())

    routes = OperatorRoutes(guard())
    routes.add("GET", "/metrics", Page("/metrics", answer))
    routes.add("GET", "/api/v1/executions/{id}/steps", Page("/api/v1/executions/{id}/steps", answer))
    router = Router()
    routes.put_on(router)
    app = Application(router, HttpSettings(), None, None)
    admitted = await app.answer(request())
    assert (admitted.status, admitted.body) == (200, b"operator")
    assert (b"cache-control", b"no-store") in admitted.headers
    assert (await app.answer(request(path="/api/v1/executions/7/steps"))).status == 200
    refused = await app.answer(request("10.0.0.7"))
    assert refused.status == 401
    assert b"AUTH005" in refused.body
    assert (await app.answer(request("10.0.0.7", authorization=bearer("customer")))).status == 403


async def test_any_of_several_ways_to_say_who_one_is_suffices():
    jwt = provider("main", "jwt", {}, AuthSettings(secret=SECRET), ROLES, None, time.time)
    keys = provider(
        "service", "api_key", {"header": "X-Service-Key", "keys": "bot:a-key:admin,cat:b-key"}, AuthSettings(), ROLES, None, time.time
    )
    both = OperatorGuard(loopback=False, token=None, role="admin", providers=(jwt, keys))
    assert (await both.admit(request(authorization="Bearer of.bad.news", x_service_key="a-key"))).id == "bot"
    assert (await both.admit(request(authorization=bearer(), x_service_key="a-key"))).id == "bot"
    with pytest.raises(InvalidToken):
        await both.admit(request(authorization="Bearer of.bad.news"))
    with pytest.raises(Forbidden):
        await both.admit(request(x_service_key="b-key"))
