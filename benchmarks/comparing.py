"""What is compared: the cases of HTTP, the peers that support them, and the rounds in which they take turns.

The machine is shared with others, who halve and double a rate from one second to the next. So all servers of a case are up at the same
time, ours and the floor answer in short windows that follow each other (first the one, then the other; in the next round the other way
round), and what counts is the median of the ratios of neighbours. Beside it stands the processor time of the servers per request, by
the kernel's account: that of a server that has to wait for its core does not grow.
"""

import contextlib
import itertools
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
QUIET = 0.1  # of a core; where others use more than that, how fast a server is depends on whom they displace
ENOUGH = 3
Side = tuple[Callable[[], float], Load, int]
"""Whose processor time counts, what is asked, and at which port."""
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


class Compared:
    """The windows of one case by server; those of ours and of another one with the same number followed each other.

    ``decided`` says that enough rounds were quiet for requests per second to count; if so, only these do.
    """

    def __init__(self, windows: dict[str, list[Window]]) -> None:
        self.windows = windows
        self.quiet = [max(one.others, other.others) <= QUIET for one, other in zip(windows["ours"], windows["floor"], strict=True)]
        self.decided = sum(self.quiet) >= ENOUGH

    def rates(self, other: str = "floor") -> list[float]:
        """Requests per second of ours, as multiples of the neighbour's."""
        found = [ours.seen.rate / theirs.seen.rate for ours, theirs in zip(self.windows["ours"], self.windows[other], strict=False)]
        return list(itertools.compress(found, self.quiet)) if self.decided and other == "floor" else found

    def by_processor(self, other: str = "floor") -> float:
        """What a request of the other one costs, as a multiple of ours: the median of neighbours."""
        pairs = zip(self.windows["ours"], self.windows[other], strict=False)
        return statistics.median(theirs.processor / ours.processor for ours, theirs in pairs)

    def by_rate(self, other: str = "floor") -> float:
        """The median of ``rates``."""
        return statistics.median(self.rates(other))

    def median(self, name: str, of: Callable[[Window], float]) -> float:
        """The median of a figure over the windows of a server, the quiet ones if these decide."""
        windows = self.windows[name]
        return statistics.median(
            map(of, itertools.compress(windows, self.quiet) if self.decided and len(windows) == len(self.quiet) else windows)
        )


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


def window(used: Callable[[], float], load: Load, port: int, seconds: float) -> Window:
    """Loads a server for a while.

    :param used: the seconds of processor time that count
    """
    began, foreign, before = time.monotonic(), others(), used()
    seen = measure(load, port, seconds, OTHER_CORE)
    taken = used() - before
    return Window(seen, taken / seen.requests * 1e6, (others() - foreign) / (time.monotonic() - began))


def alternate(case: str, sides: dict[str, Side], rounds: int, seconds: float) -> Compared:
    """Lets ``ours``, ``floor`` and whoever else there is take turns, and says so."""
    for _, load, port in sides.values():
        measure(load, port, 1, OTHER_CORE)
    found: dict[str, list[Window]] = {name: [] for name in sides}
    for number in range(rounds):
        order = ["floor", "ours"] if number % 2 else ["ours", "floor"]
        order += [name for name in sides if name not in order and number < _PEER_ROUNDS]
        for name in order:
            used, load, port = sides[name]
            found[name].append(window(used, load, port, seconds))
        said = (f"{name} {found[name][-1].seen.rate:9,.0f}/s {found[name][-1].processor:6.1f} µs" for name in sorted(order))
        print(f"  {case:25} {'   '.join(said)}   others {found['ours'][-1].others:.2f}", flush=True)
    return Compared(found)


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
            server.wait("/ping" if floor == "floor" else next(iter(cases.values())).paths[0])
        return {case: _case(case, load, servers, rounds, seconds) for case, load in cases.items()}


def _case(case: str, load: Load, servers: dict[str, Server], rounds: int, seconds: float) -> Compared:
    sides: dict[str, Side] = {}
    expected = answers(servers["floor"].port, load)
    for name, server in servers.items():
        if name in PEERS and not supported(name, case):
            continue
        answer = answers(server.port, load)
        assert answer == expected, f"{name} answers otherwise to '{case}': {answer} != {expected}"
        sides[name] = (server.processor, load, server.port)
    return alternate(case, sides, rounds, seconds)
