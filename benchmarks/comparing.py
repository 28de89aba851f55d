"""What is compared: the cases of HTTP, the peers that support them, and the rounds in which they take turns.

The machine is shared with others, who halve and double a rate from one second to the next. So all servers of a case are up at the same
time, ours and the floor answer in short windows that follow each other (first the one, then the other; in the next round the other way
round), and what counts is the median of the ratios of neighbours. Beside it stands the processor time of the servers per request, by
the kernel's account: that of a server that has to wait for its core does not grow.
"""

import contextlib
import json
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import jwt
from data import AUTHOR_KEYS, OWNER, POST_KEYS
from load import Load, Measured, measure
from machine import others
from servers import SECRET, Server

SERVER_CORE, OTHER_CORE = 0, 1
TOKEN = jwt.encode({"sub": OWNER, "exp": int(time.time()) + 86_400}, SECRET, "HS256")
_BEARER = (("Authorization", f"Bearer {TOKEN}"),)
_JSON = (("Content-Type", "application/json"),)
_NEW = json.dumps({"title": "A new post", "body": "y" * 200, "status": "draft", "author": str(AUTHOR_KEYS[3])})
SAMPLE = random.Random(2).sample(range(len(POST_KEYS)), 1000)
CHANGED = [at for at in range(0, len(POST_KEYS), 97) if at not in set(SAMPLE)]
CASES = {
    "ping": Load(("/ping",)),
    "one row": Load(tuple(f"/posts/{POST_KEYS[at]}" for at in SAMPLE)),
    "one row, JWT and policy": Load(tuple(f"/letters/{POST_KEYS[at | 1]}" for at in SAMPLE), headers=_BEARER),
    "list of 20": Load(("/posts?status=published&sort=-created_at",)),
    "create": Load(("/posts",), "POST", _JSON, _NEW),
    "do block": Load(tuple(f"/posts/{POST_KEYS[at]}/visits" for at in CHANGED), "POST", _JSON),
}
PEERS = ("litestar", "fastapi")
_PEER_ROUNDS = 3  # those whose bars are multiples need not be known to the last digit


@dataclass(frozen=True)
class Window:
    """What one server did in one window.

    ``processor`` is the microseconds of processor time that a request took, ``others`` how much of a core went to what the benchmark has
    not started.
    """

    seen: Measured
    processor: float
    others: float


@dataclass
class Compared:
    """The windows of one case by server; those of ours and of the floor with the same number followed each other."""

    windows: dict[str, list[Window]]

    def ratios(self, of: Callable[[Window, Window], float], other: str = "floor") -> list[float]:
        """Figures of neighbours: of ours and the other one."""
        return [of(ours, theirs) for ours, theirs in zip(self.windows["ours"], self.windows[other], strict=False)]

    def median(self, name: str, of: Callable[[Window], float]) -> float:
        """The median of a figure over the windows of a server."""
        return statistics.median(of(window) for window in self.windows[name])


def answers(port: int, load: Load) -> object:
    """The answer to the first request of a case, without what differs in each: keys and times of new rows."""
    path = load.paths[0]
    body = load.body.encode() if load.body else None
    response = httpx.request(load.method, f"http://127.0.0.1:{port}{path}", content=body, headers=dict(load.headers), timeout=30)
    assert response.status_code in (200, 201), (path, response.status_code, response.text)
    found = response.json()
    if load.method == "POST":
        return sorted(found)
    return json.loads(json.dumps(found).replace("+00:00", "Z").replace(".000000Z", "Z"))


def supported(peer: str, case: str) -> bool:
    """The peers leave out what is compared with the floor only."""
    return case != "do block"


def window(server: Server, load: Load, seconds: float) -> Window:
    """Loads a server for a while."""
    began, foreign, used = time.monotonic(), others(), server.processor()
    seen = measure(load, server.port, seconds, OTHER_CORE)
    used = server.processor() - used
    return Window(seen, used / seen.requests * 1e6, (others() - foreign) / (time.monotonic() - began))


def compare(url: str, floor: str, peers: tuple[str, ...], cases: dict[str, Load], rounds: int, seconds: float) -> dict[str, Compared]:
    """All figures by case.

    :param floor: the server that is called the floor here
    :param seconds: of a window; wrk takes whole ones
    """
    with contextlib.ExitStack() as ends:
        servers = {}
        for name in ("floor", "ours", *peers):
            servers[name] = server = Server(floor if name == "floor" else name, url, SERVER_CORE)
            ends.callback(server.stop)
            server.wait(next(iter(cases.values())).paths[0])
        return {case: _case(case, load, servers, rounds, seconds) for case, load in cases.items()}


def _case(case: str, load: Load, servers: dict[str, Server], rounds: int, seconds: float) -> Compared:
    pair = ("floor", "ours")
    taking = [name for name in servers if name in pair or supported(name, case)]
    expected = answers(servers["floor"].port, load)
    for name in taking:
        answer = answers(servers[name].port, load)
        assert answer == expected, f"{name} answers otherwise to '{case}': {answer} != {expected}"
        measure(load, servers[name].port, 1, OTHER_CORE)
    found: dict[str, list[Window]] = {name: [] for name in taking}
    for number in range(rounds):
        order = list(pair if number % 2 else reversed(pair))
        order += [name for name in taking if name not in pair and number < _PEER_ROUNDS]
        for name in order:
            found[name].append(window(servers[name], load, seconds))
        said = (f"{name} {found[name][-1].seen.rate:9,.0f}/s {found[name][-1].processor:6.1f} µs" for name in sorted(order))
        print(f"  {case:25} {'   '.join(said)}   others {found['ours'][-1].others:.2f}", flush=True)
    return Compared(found)
