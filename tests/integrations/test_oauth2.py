"""OAuth 2 client credentials: one token for all, renewed early, renewed once when it is refused."""

import asyncio
import json
import threading
from urllib.parse import parse_qs

import pytest
from calling import Calling, Clock, integration

from codeai.integrations.addresses import AddressPolicy, parse_allow_list
from codeai.integrations.authentication import ClientCredentials
from codeai.integrations.errors import TokenRefused
from codeai.integrations.outbound import Outbound
from services.peer import Behaviour, Peer, Reply, Seen, hang

LOOPBACK = AddressPolicy(parse_allow_list("127.0.0.0/8"))


def credentials(peer: Peer, clock: Clock) -> ClientCredentials:
    return ClientCredentials(Outbound(LOOPBACK), f"{peer.url}/token", "me:1", "s e", "read write", clock.seconds)


class Tokens:
    """A token endpoint that numbers its tokens."""

    def __init__(self, expires_in: object = 100) -> None:
        self.given = 0
        self.expires_in = expires_in
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, seen: Seen) -> Reply:
        self.gate.wait(10)
        self.given += 1
        return Reply(200, json.dumps({"access_token": f"t{self.given}", "token_type": "bearer", "expires_in": self.expires_in}).encode())


async def test_a_token_is_asked_for_as_the_standard_says() -> None:
    with Peer(Tokens()) as peer:
        found = await credentials(peer, Clock()).credentials()
    assert found.headers == (("Authorization", "Bearer t1"),)
    seen = peer.seen[0]
    assert (seen.method, seen.target, seen.headers["authorization"]) == ("POST", "/token", "Basic bWUlM0ExOnMrZQ==")
    assert parse_qs(seen.body.decode()) == {"grant_type": ["client_credentials"], "scope": ["read write"]}


@pytest.mark.parametrize(("expires_in", "kept"), [(100, 89), ("100", 89), (3600, 3569), (None, 269), (0, 0.9)])
async def test_a_token_is_kept_and_renewed_before_its_end(expires_in: object, kept: float) -> None:
    clock = Clock()
    with Peer(Tokens(expires_in)) as peer:
        found = credentials(peer, clock)
        for at, token in ((0, "t1"), (kept, "t1"), (kept + 2, "t2")):
            clock.passed = at
            assert (await found.credentials()).headers[0][1] == f"Bearer {token}"


async def test_however_many_need_a_token_one_asks_and_the_cancelled_takes_nothing_from_the_others() -> None:
    tokens = Tokens()
    tokens.gate.clear()
    with Peer(tokens) as peer:
        found = credentials(peer, Clock())
        tasks = [asyncio.create_task(found.credentials()) for _ in range(20)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tokens.gate.set()
        results = await asyncio.gather(*tasks[1:])
    assert {result.headers[0][1] for result in results} == {"Bearer t1"}
    assert tokens.given == 1


@pytest.mark.parametrize(
    ("answer", "transient"),
    [
        (Reply(401, b'{"error":"invalid_client"}'), False),
        (Reply(503), True),
        (Reply(200, b"{}"), True),
        (Reply(200, b"no json"), True),
        (Reply(200, b'{"access_token":"x","token_type":"mac"}'), True),
        (Reply(200, b'{"access_token":"a\\r\\nX: 1"}'), True),
    ],
)
async def test_no_token_is_an_error_and_the_call_was_not_sent(answer: Reply, transient: bool) -> None:
    with Peer(lambda seen: answer) as peer, pytest.raises(TokenRefused) as raised:
        await credentials(peer, Clock()).credentials()
    assert (raised.value.sent, raised.value.transient) == (False, transient)


PROGRAM = 'auth: oauth2("{url}/token", "me", secret(S), ["a"]) circuit_breaker { threshold: 100 failures }'


async def test_a_401_costs_one_new_token_and_one_more_attempt() -> None:
    tokens = Tokens()
    good = {"Bearer t2"}

    def script(seen: Seen) -> Reply | Behaviour:
        if seen.target == "/token":
            return tokens(seen)
        return Reply(200, b"1") if seen.headers["authorization"] in good else Reply(401, b'"expired"')

    with Peer(script) as peer:
        client = Calling(integration(peer.url, 'operation o { path: "/x" }', PROGRAM.replace("{url}", peer.url)), {"S": "s"})
        assert await client.call("Peer.o") == 1
        assert [seen.target for seen in peer.seen] == ["/token", "/x", "/token", "/x"]
        good.clear()
        with pytest.raises(Exception, match="the peer answered 401"):
            await client.call("Peer.o")
        assert [seen.target for seen in peer.seen][4:] == ["/x", "/token", "/x"]
        await client.close()


async def test_a_token_endpoint_that_hangs_ends_with_the_time_of_the_call() -> None:
    with Peer(lambda seen: hang) as peer:
        settings = PROGRAM.replace("{url}", peer.url) + " timeout: 200ms"
        client = Calling(integration(peer.url, 'operation o { path: "/x" }', settings), {"S": "s"})
        with pytest.raises(TokenRefused, match="no token within"):
            await client.call("Peer.o")
        await client.close()
