"""Peers that are slow, hang, lie, send too much or lead elsewhere, and networks that end in the middle of a call, seen by an operator."""

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
from faultpage import Observed
from faultshop import until

from services.network import Network
from services.peer import Behaviour, Peer, Reply, Seen, cut_off, drip, endless, hang, no_http, reset
from services.process import ServerProcess

Start = Callable[..., ServerProcess]
KINDS = ("hang", "drip", "reset", "cut-off", "surplus", "no-http", "endless", "no-json", "deep", "redirect", "well")
PROGRAM = (
    'config { name: "shop"  default_auth: public }\n'
    "integration Bank { base_url: env(BANK_URL)  timeout: 2s  circuit_breaker { threshold: 1000 failures }\n"
    '    operation ask { path: "/ask/{how}"  returns { id: string } } }\n'
    "integration Fragile { base_url: env(BANK_URL)  timeout: 1s  circuit_breaker { threshold: 3 failures  reset_after: 5s }\n"
    '    operation ask { path: "/ask/{how}"  returns { id: string } } }\n'
    "endpoint GET /ask/{how} { path { how: string }  do { return call Bank.ask { how: path.how } } }\n"
    "endpoint GET /fragile/{how} { path { how: string }  do { return call Fragile.ask { how: path.how } } }\n"
    'integration Patient { base_url: env(BANK_URL)  operation ask { path: "/ask/{how}"  returns { id: string } } }\n'
    "endpoint GET /patient/{how} { path { how: string }  do { return call Patient.ask { how: path.how } } }\n"
    'endpoint GET /nothing { do { return "nothing" } }\n'
)


async def surplus(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends more than it has promised: what follows would be the answer to somebody else's question."""
    forged = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{"id":"forged"}'
    writer.write(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n{"id":"mine"}' + forged)
    await writer.drain()
    await reader.read()


BEHAVIOURS: dict[str, Behaviour] = {
    "hang": hang,
    "drip": drip,
    "reset": reset,
    "cut-off": cut_off,
    "surplus": surplus,
    "no-http": no_http,
    "endless": endless,
}
REPLIES = {
    "no-json": Reply(200, b"<html>"),
    "deep": Reply(200, b"[" * 500_000),
    "redirect": Reply(302, b"", {"location": "http://127.0.0.1:1/"}),
    "well": Reply(200, b'{"id":"good"}'),
}
SHOWN = {
    "peer hangs, or sends its answer byte by byte": ["hang", "drip"],
    "peer breaks the connection, promises more than it sends, or speaks no HTTP": ["reset", "cut-off", "no-http"],
    "peer sends a gigabyte": ["endless"],
    "peer sends no JSON": ["no-json", "deep"],
    "peer redirects to this machine": ["redirect"],
}


def behave(seen: Seen) -> Reply | Behaviour:
    how = seen.target.rpartition("/")[2]
    return BEHAVIOURS.get(how) or REPLIES[how]


@pytest.fixture(scope="module")
def bank() -> Iterator[Peer]:
    with Peer(behave) as peer:
        yield peer


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, bank: Peer) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("peers")
    (folder / "app.cai").write_text(PROGRAM)
    server = ServerProcess(folder / "app.cai", folder, env={"BANK_URL": bank.url, "DATABASE_URL": f"sqlite:///{folder}/app.db"})
    server.start()
    yield server
    server.remove()


@pytest.mark.parametrize("fault", SHOWN)
def test_a_bad_peer_is_an_error_of_its_kind(served: ServerProcess, bank: Peer, fault: str) -> None:
    observed = Observed(served)
    for how in SHOWN[fault]:
        answer = observed.ask("GET", f"/ask/{how}")
        assert answer.status_code >= 500
        assert bank.url.rpartition(":")[2] not in answer.text
    assert observed.look().json()["status"] == "healthy"  # one call that fails says nothing of this server
    observed.shows(fault)


def test_what_a_peer_sends_beyond_its_promise_is_nobodys_answer(served: ServerProcess) -> None:
    observed = Observed(served)
    for _ in range(3):
        assert observed.ask("GET", "/patient/surplus").json() == {"id": "mine"}
        assert observed.ask("GET", "/patient/well").json() == {"id": "good"}


def test_bad_peers_take_neither_time_nor_memory_of_others(served: ServerProcess) -> None:
    assert served.process is not None
    process = psutil.Process(served.process.pid)
    before = process.memory_info().rss
    kinds = ["hang", "endless", "endless", "drip", "endless", "deep"] * 4
    with ThreadPoolExecutor(len(kinds)) as threads:
        asked = [threads.submit(httpx.get, f"{served.base_url}/ask/{how}", timeout=60) for how in kinds]
        answered = 0
        while not all(each.done() for each in asked):
            assert httpx.get(served.base_url + "/nothing", timeout=60).text == '"nothing"'
            answered += not all(each.done() for each in asked)
    assert answered >= 1  # while some still wait for their peers; how many are answered says how busy the machine is
    assert {each.result().status_code for each in asked} == {502, 504}
    assert process.memory_info().rss - before < 200_000_000


def test_a_peer_that_keeps_failing_opens_the_breaker(served: ServerProcess) -> None:
    observed = Observed(served)

    def refused() -> bool:
        return bool(observed.ask("GET", "/fragile/reset").json()["code"] == "circuit_open")

    assert until(refused)
    health = observed.look()
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    observed.shows("peer keeps failing")
    assert until(lambda: observed.ask("GET", "/fragile/well").is_success and observed.look().json()["status"] == "healthy")


CUT = """
config { name: "cut"  default_auth: public }
entity Paid { id: uuid, primary, auto  number: int, required }
integration Bank {
    base_url: env(BANK_URL)  timeout: 2s  circuit_breaker { threshold: 1000 failures }
    operation charge { method: POST  path: "/charges"  idempotent: true  body { number: int, required }  returns { id: string } }
}
workflow Pay {
    input { number: int }
    retry: 50 times { initial_interval: 200ms  backoff_multiplier: 1.0 }
    steps {
        charge { call: Bank.charge { number: input.number } }
        note { do { create Paid { number: input.number } } }
    }
}
endpoint POST /pay { body { number: int }  do { let run = start Pay { number: body.number } return { id: run } } }
endpoint POST /now { body { number: int }  do { return call Bank.charge { number: body.number } } }
endpoint GET /paid { do { return select Paid order by number } }
"""


def test_a_network_that_ends_in_the_middle_of_a_call_costs_time_and_nothing_else(start_server: Start, tmp_path: Path) -> None:
    (tmp_path / "app.cai").write_text(CUT)
    with Peer(lambda seen: Reply(200, b'{"id":"charged"}')) as bank, Network(bank.port) as network:
        env = {"BANK_URL": f"http://127.0.0.1:{network.port}", "DATABASE_URL": f"sqlite:///{tmp_path}/app.db"}
        server = start_server(tmp_path / "app.cai", env=env)
        observed = Observed(server)
        assert until(lambda: observed.ask("POST", "/now", json={"number": 0}).status_code == 200)
        with ThreadPoolExecutor(1) as threads:
            for number, turn in enumerate((network.silent, network.cut, network.silent), 1):
                network.silent()
                assert observed.ask("POST", "/pay", json={"number": number}).status_code == 200
                held = network.held
                asked = threads.submit(observed.ask, "POST", "/now", json={"number": 0})
                assert until(lambda held=held: network.held > held)
                turn()
                assert asked.result().json()["code"] in ("peer_timeout", "peer_disconnected")
        assert observed.look().json()["status"] == "healthy"
        observed.shows("network to a peer cut")
        network.whole()
        assert until(lambda: [row["number"] for row in httpx.get(server.base_url + "/paid").json()] == [1, 2, 3]), server.output[-3000:]
    keys = {json.loads(seen.body)["number"]: set() for seen in bank.seen}
    for seen in bank.seen:
        keys[json.loads(seen.body)["number"]].add(seen.headers["idempotency-key"])
    assert [len(keys[number]) for number in (1, 2, 3)] == [1, 1, 1]  # however often a step called, the peer knows that it is one charge
