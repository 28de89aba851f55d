"""Key sets of a token issuer that is down, slow, sends too much or turns its keys, seen by an operator of a real server."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from extent import ALL
from faultpage import Observed
from faultshop import until

from services.peer import Behaviour, Peer, Reply, Seen, endless, hang
from services.process import ServerProcess

PROGRAM = """
config { name: "keys" }
auth main { method: jwt  jwks_url: env(KEYS) }
endpoint GET /mine { auth: required  returns: string  do { return "yours" } }
endpoint GET /nothing { auth: public  returns: string  do { return "nothing" } }
"""


class Issuer:
    """Signs with one key after the other; its key set is answered as ``answer`` says."""

    def __init__(self) -> None:
        self.answer: Reply | Behaviour | None = None
        self.turn()

    def turn(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._kid = f"key {time.monotonic_ns()}"

    def headers(self) -> dict[str, str]:
        """Those of a request with a fresh token."""
        claims = {"sub": "ada", "exp": time.time() + 600, "jti": str(time.monotonic_ns())}
        return {"Authorization": f"Bearer {jwt.encode(claims, self._key, algorithm='ES256', headers={'kid': self._kid})}"}

    def __call__(self, seen: Seen) -> Reply | Behaviour:
        if self.answer is not None:
            return self.answer
        key = {**jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key(), as_dict=True), "kid": self._kid}
        return Reply(200, json.dumps({"keys": [key]}).encode())


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def peer(issuer: Issuer) -> Iterator[Peer]:
    with Peer(issuer) as found:
        yield found


def test_a_key_set_in_trouble_costs_only_those_who_need_it(start_server, tmp_path: Path, issuer: Issuer, peer: Peer) -> None:
    (tmp_path / "app.cai").write_text(PROGRAM)
    env = {"KEYS": f"{peer.url}/keys", "DATABASE_URL": f"sqlite:///{tmp_path}/app.db"}

    def fresh() -> tuple[ServerProcess, Observed]:
        server = start_server(tmp_path / "app.cai", env=env)
        return server, Observed(server)

    # Too much: refused, whatever it is, and not kept in memory.
    server, observed = fresh()
    assert server.process is not None
    memory = psutil.Process(server.process.pid).memory_info().rss
    issuer.answer = endless
    observed.ask("GET", "/mine", headers=issuer.headers())
    observed.look()
    observed.shows("key set huge")
    assert psutil.Process(server.process.pid).memory_info().rss - memory < 50_000_000
    server.terminate()

    # Slow: one waits for all, and others are not kept waiting.
    server, observed = fresh()
    issuer.answer = hang
    asked = len(peer.seen)
    with ThreadPoolExecutor(9) as threads:
        waiting = [threads.submit(observed.ask, "GET", "/mine", headers=issuer.headers()) for _ in range(8)]
        assert until(lambda: len(peer.seen) > asked)
        assert observed.ask("GET", "/nothing").text == '"nothing"'
        assert not any(one.done() for one in waiting)
        assert {one.result().json()["code"] for one in waiting} == {"AUTH009"}
    assert len(peer.seen) == asked + 1
    observed.look()
    observed.shows("key set slow or hanging")
    server.terminate()

    # Turned: the new key is fetched once; the issuer that is down afterwards is not missed by those whose key is known.
    issuer.answer = None
    server, observed = fresh()
    old = issuer.headers()
    assert observed.ask("GET", "/mine", headers=old).text == '"yours"'
    issuer.answer = Reply(503)
    assert observed.ask("GET", "/mine", headers=issuer.headers()).status_code == 200
    issuer.answer = None
    issuer.turn()
    first = observed.ask("GET", "/mine", headers=issuer.headers())
    assert first.json()["code"] == "AUTH006"  # at most one fetch in 30 s for keys that nobody knows
    observed.look()
    if ALL:
        assert until(lambda: observed.ask("GET", "/mine", headers=issuer.headers()).status_code == 200)
    observed.shows("key set rotated")
