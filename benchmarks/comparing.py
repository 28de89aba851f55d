"""What is compared: the cases of HTTP, the peers that support them, and the rounds in which they take turns."""

import json
import random
import time

import httpx
import jwt
from data import AUTHOR_KEYS, OWNER, POST_KEYS
from load import Load, Measured, measure
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
PEERS = ("floor", "ours", "litestar", "fastapi")


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


def supported(name: str, case: str) -> bool:
    """The peers leave out what is compared with the floor only."""
    return case != "do block" or name in ("floor", "ours")


def compare(url: str, names: tuple[str, ...], cases: dict[str, Load], rounds: int, seconds: float) -> dict[str, dict[str, list[Measured]]]:
    """All figures, by case and server."""
    found: dict[str, dict[str, list[Measured]]] = {case: {name: [] for name in names if supported(name, case)} for case in cases}
    same: dict[str, object] = {}
    for number in range(rounds):
        for name in random.Random(number).sample(names, len(names)):
            server = Server(name, url, SERVER_CORE)
            try:
                server.wait("/ping" if name != "floor_sqlite" else next(iter(cases.values())).paths[0])
                for case, load in cases.items():
                    if not supported(name, case):
                        continue
                    answer = answers(server.port, load)
                    assert same.setdefault(case, answer) == answer, f"{name} answers otherwise to '{case}': {answer} != {same[case]}"
                    measure(load, server.port, 1, OTHER_CORE)
                    found[case][name].append(measure(load, server.port, seconds, OTHER_CORE))
                    print(f"  {name:13} {case:25} {found[case][name][-1].rate:9,.0f}/s", flush=True)
            finally:
                server.stop()
    return found


def median(values: list[Measured]) -> Measured:
    """The run of the middle rate."""
    return sorted(values, key=lambda value: value.rate)[len(values) // 2]
