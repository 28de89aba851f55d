"""Key sets from a real peer: rotation, failures, and clients that try to make the server fetch (acceptance S25, T6)."""

import asyncio
import json

import pytest
from signing import NOW, Pair

from codeai.auth.errors import InvalidToken, JWKSFetchFailed, KeyNotFound
from codeai.auth.keys import KeySet
from codeai.auth.principal import RoleTable
from codeai.auth.tokens import TokenVerifier
from codeai.integrations.addresses import AddressPolicy
from codeai.server.wiring.key_sets import KeySetDocuments
from services import peer
from services.polling import eventually


class World:
    """A verifier whose key set lies on a peer, with a clock to move."""

    def __init__(self, at: peer.Peer, **options: float) -> None:
        self.now = 1000.0
        self.keys = KeySet(at.url + "/.well-known/jwks.json", KeySetDocuments(AddressPolicy()), lambda: self.now, **options)
        algorithms = frozenset(["RS256", "ES256", "EdDSA"])
        self.verifier = TokenVerifier("main", algorithms=algorithms, keys=self.keys, secret=None, roles=RoleTable(()), clock=lambda: NOW)

    async def subject(self, token: str) -> str | None:
        return (await self.verifier.verify(token)).id


def published(*pairs: Pair, **headers: str):
    return lambda _: peer.Reply(200, json.dumps({"keys": [pair.jwk for pair in pairs]}).encode(), headers)


async def test_every_algorithm_by_its_kid(pairs):
    with peer.Peer(published(*pairs.values())) as at:
        world = World(at)
        for pair in pairs.values():
            assert await world.subject(pair.token()) == "ada"
            assert await world.subject(pair.token(kid=None)) == "ada"  # one key of that family: no doubt which
        assert len(at.seen) == 1


async def test_a_rotated_key_is_fetched_and_the_old_one_ends(pairs):
    new = Pair("ES256", "key-new")
    with peer.Peer(published(pairs["ES256"])) as at:
        world = World(at)
        old = pairs["ES256"].token()
        assert await world.subject(old) == "ada"
        at.script = published(new)
        world.now += 31
        assert await world.subject(new.token()) == "ada"
        with pytest.raises(KeyNotFound):
            await world.subject(old)
        assert len(at.seen) == 2


async def test_a_withdrawn_key_ends_tokens_that_were_checked_before_once_the_set_is_old(pairs):
    with peer.Peer(published(pairs["ES256"], pairs["RS256"])) as at:
        world = World(at, lifetime=600)
        tokens = [pairs[name].token() for name in ("ES256", "RS256")]
        for token in tokens:
            assert await world.subject(token) == "ada"
        at.script = published(pairs["RS256"])
        world.now += 599
        assert world.verifier.kept(tokens[0]) is not None
        assert len(at.seen) == 1  # the provider said how long it holds
        world.now += 2

        def ended():
            return world.verifier.kept(tokens[0]) is None

        assert not ended()  # nobody waits for the fetch that this begins
        await eventually(ended)
        with pytest.raises(KeyNotFound):
            await world.subject(tokens[0])
        assert await world.subject(tokens[1]) == "ada"
        assert len(at.seen) == 2


async def test_checked_tokens_go_on_while_the_peer_is_down_with_one_try_per_interval(pairs):
    with peer.Peer(published(pairs["ES256"])) as at:
        world = World(at)
        token = pairs["ES256"].token()
        assert await world.subject(token) == "ada"
        at.script = lambda _: peer.Reply(503)
        world.now += 700
        for _ in range(50):
            assert world.verifier.kept(token) is not None
            await asyncio.sleep(0)
        await eventually(lambda: len(at.seen) == 2)
        assert world.verifier.kept(token) is not None


async def test_unknown_kids_lead_to_one_fetch_per_interval(pairs):
    with peer.Peer(published(pairs["RS256"])) as at:
        world = World(at)
        for turn in range(3):
            for number in range(20):
                with pytest.raises(KeyNotFound):
                    await world.subject(pairs["RS256"].token(kid=f"unknown-{turn}-{number}"))
            assert len(at.seen) == turn + 1
            world.now += 31


async def test_requests_at_the_same_time_share_one_fetch(pairs):
    with peer.Peer(published(pairs["RS256"])) as at:
        world = World(at)
        tokens = [pairs["RS256"].token({"n": number}) for number in range(30)]
        assert set(await asyncio.gather(*map(world.subject, tokens))) == {"ada"}
        assert len(at.seen) == 1


async def test_one_cancelled_request_does_not_cancel_the_fetch_of_others(pairs):
    with peer.Peer(published(pairs["RS256"])) as at:
        world = World(at)
        first = asyncio.ensure_future(world.subject(pairs["RS256"].token()))
        second = asyncio.ensure_future(world.subject(pairs["RS256"].token()))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == "ada"


@pytest.mark.parametrize(
    "answer",
    [
        peer.reset,
        peer.cut_off,
        peer.no_http,
        peer.endless,
        lambda *_: peer.Reply(404),
        lambda *_: peer.Reply(302, b"", {"location": "http://127.0.0.1:1/"}),
        lambda *_: peer.Reply(200, b"<html>"),
        lambda *_: peer.Reply(200, b"[]"),
        lambda *_: peer.Reply(200, b'{"keys": 7}'),
        lambda *_: peer.Reply(200, b"[" * 100_000),
    ],
    ids=["reset", "cut off", "no http", "endless", "404", "redirect", "html", "list", "number", "deep"],
)
async def test_s85_a_set_that_cannot_be_had(pairs, answer, caplog):
    script = answer if answer.__name__ == "<lambda>" else lambda _: answer
    with peer.Peer(script) as at:
        world = World(at)
        for _ in range(3):
            with pytest.raises(JWKSFetchFailed):
                await world.subject(pairs["RS256"].token())
        assert len(at.seen) == 1  # also failures are remembered
    assert "JWKS fetch failed" in caplog.text


async def test_a_peer_that_is_down(pairs):
    with peer.Peer(published(pairs["RS256"])) as at:
        world = World(at)
    with pytest.raises(JWKSFetchFailed):
        await world.subject(pairs["RS256"].token())


async def test_kept_keys_go_on_while_the_peer_is_down_and_recover_after(pairs):
    with peer.Peer(published(pairs["RS256"], **{"cache-control": "max-age=60"})) as at:
        world = World(at)
        assert await world.subject(pairs["RS256"].token()) == "ada"
        at.script = lambda _: peer.Reply(503)
        world.now += 3600
        assert await world.subject(pairs["RS256"].token({"again": 1})) == "ada"
        with pytest.raises(JWKSFetchFailed):
            await world.subject(pairs["ES256"].token())
        at.script = published(pairs["ES256"])
        world.now += 31
        assert await world.subject(pairs["ES256"].token()) == "ada"


async def test_keys_that_are_not_for_signatures_or_broken_are_left_out(pairs):
    good = pairs["ES256"].jwk
    entries = [
        7,
        {},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
        {"kty": "RSA", "kid": "no-numbers"},
        {"kty": "EC", "crv": "P-256", "x": "!", "y": "!", "kid": "broken"},
        {**pairs["RS256"].jwk, "use": "enc"},
        {**good, "kid": 7},
        good,
    ]
    with peer.Peer(lambda _: peer.Reply(200, json.dumps({"keys": entries}).encode())) as at:
        world = World(at)
        assert await world.subject(pairs["ES256"].token()) == "ada"
        with pytest.raises(KeyNotFound):
            await world.subject(pairs["RS256"].token())


async def test_a_key_of_another_family_under_the_right_kid(pairs):
    with peer.Peer(published(pairs["RS256"])) as at, pytest.raises(KeyNotFound):
        await World(at).subject(pairs["ES256"].token(kid=pairs["RS256"].kid))


@pytest.mark.parametrize("kid", [7, ["a"], {"a": 1}, "x" * 201])
async def test_a_malformed_kid_is_not_looked_up(pairs, kid):
    from signing import raw

    with peer.Peer(published(pairs["RS256"])) as at:
        with pytest.raises(InvalidToken):
            await World(at).subject(raw({"alg": "RS256", "kid": kid}, {"sub": "ada", "exp": NOW + 60}))
        assert at.seen == []
