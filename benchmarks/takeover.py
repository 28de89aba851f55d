"""How long executions stand still when one of two workers is killed: ``python benchmarks/takeover.py [local|dbos]``, three times.

Two durable workers share the executions of an API process, each of which waits for a peer. One worker is killed with all its processes,
the peer answers from then on, and the time until the last execution has ended is taken.
"""

import asyncio
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "faults")]

import httpx  # noqa: E402
from faultshop import killed  # noqa: E402

from services.peer import Peer  # noqa: E402
from services.postgres import PostgresServer  # noqa: E402
from services.process import ServerProcess  # noqa: E402

PROGRAM = """
config { name: "takeover"  default_auth: public  jobs { concurrency: 10 } }
entity Mark { id: int, primary, auto  execution: string, required }
integration Bank { base_url: env(BANK_URL)  operation ask { path: "/"  returns json } }
workflow Long { steps { ask { call: Bank.ask { } }  mark { do { create Mark { execution: "{execution.id}" } } } } }
endpoint POST /longs { body { numbers: list(int) }  do { for number in body.numbers { start Long { } } return { ok: true } } }
"""
COUNT = 16  # more than one worker takes
CLAIMED = "SELECT worker, count(*) FROM codeai_activations WHERE kind = 'execution' AND state = 1 GROUP BY 1 ORDER BY 1"


def once(postgres: PostgresServer, peer: Peer, answers: threading.Event, dispatcher: str, number: int) -> float:
    """The seconds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.cai").write_text(PROGRAM)
        database = f"takeover{number}"
        env = {"DATABASE_URL": postgres.create_database(database), "CODEAI_DISPATCHER": dispatcher, "BANK_URL": peer.url}
        servers = []
        try:
            for role in ("api", "worker", "worker"):
                place = folder / f"{role}{len(servers)}"
                place.mkdir()
                servers.append(ServerProcess(folder / "app.cai", place, env=env, arguments=("--role", role)))
                servers[-1].start()
            httpx.post(servers[0].base_url + "/longs", json={"numbers": list(range(COUNT))}).raise_for_status()
            while len(postgres.sql(CLAIMED, database).splitlines()) < 2:
                time.sleep(0.05)
            killed(servers[1])
            began = time.monotonic()
            answers.set()
            while int(postgres.sql("SELECT count(DISTINCT execution) FROM marks", database)) < COUNT:
                time.sleep(0.05)
                assert time.monotonic() < began + 120
            return time.monotonic() - began
        finally:
            for server in servers:
                server.remove()


def measured(dispatcher: str) -> str:
    """Three of them."""
    found = []
    for number in range(3):
        answers = threading.Event()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: threading.Event = answers) -> None:
            await asyncio.to_thread(answers.wait)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
            await writer.drain()

        with PostgresServer() as postgres, Peer(lambda seen, answer=answer: answer) as peer:
            found.append(once(postgres, peer, answers, dispatcher, number))
    return ", ".join(f"{seconds:.1f} s" for seconds in found)


if __name__ == "__main__":
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    kind = sys.argv[1] if len(sys.argv) > 1 else "local"
    print(f"{kind}: {measured(kind)}")
