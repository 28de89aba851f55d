"""Kills processes of the whole world at every durable write point. ``python worldmatrix.py URL KILLS SEED`` prints a report.

Generations follow one another as in ``matrix``, each thirty seconds later than the one before; on PostgreSQL two processes live at the
same time, with two versions of the program. ``DISPATCHER=dbos`` has DBOS distribute the work.
"""

import asyncio
import importlib
import json
import math
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from history import Execution, History, violations
from witness import recorded, watch
from world import TARGETS, VERSIONS, World, environment, forked, peer_process, programs

from codeai.server.database import synchronise_here
from codeai.storage.opening import open_database
from codeai.storage.settings import DatabaseSettings, from_url

POINTS = (
    *("before-start", "after-start", "before-claim", "after-claim", "before-batch", "in-batch", "after-batch", "before-commit"),
    *("in-block", "after-commit", "before-effect", "after-effect", "before-compensation", "after-compensation"),
    *("after-emit", "before-relay", "after-relay", "before-handler", "before-delivered", "after-delivered", "after-send"),
    *("before-tick", "after-tick", "ticks-decided"),
)
DBOS = os.environ.get("DISPATCHER") == "dbos"
if DBOS:
    importlib.import_module("dbos")  # once, before processes are forked
    POINTS = (*POINTS, "before-begin", "after-begin")
GENERATIONS = 8
NEW = 3  # orders with each generation, so that there is work for all
ORDERS = range(1, 1 + NEW * (GENERATIONS + 1))
LIFE = 3.0  # seconds that a process lives which passes its point too seldom
OFTEN = {"before-claim", "in-block", "before-batch", "in-batch", "after-batch", "before-commit", "after-commit"}


class Round:
    """Some generations on one empty database, and what became of it."""

    def __init__(self, url: str, peer: str, settings: DatabaseSettings, chance: random.Random) -> None:
        self.chance = chance
        self.together = 1 if settings.dialect == "sqlite" else 2
        self._settings, self._peer = settings, peer
        self._programs = programs()
        self._more = {"DATABASE_URL": url, **({"CODEAI_DISPATCHER": "dbos", "CODEAI_DBOS_POLLING": "10ms"} if DBOS else {})}
        self.number = 0

    def generation(self, points: Sequence[str | None], seconds: float) -> list[str]:
        """Processes that live at the same time, each with its point and its version; the points at which one was killed."""
        self.number += 1
        orders = ORDERS[: NEW * self.number]

        def life(at: int) -> Callable[[], Awaitable[None]]:
            return lambda: self._world(at).work(orders, seconds)

        pids = {forked(life(at), point): point for at, point in enumerate(points)}
        killed, ends = list[str](), math.inf
        while pids:
            pid, status = os.waitpid(next(iter(pids)), 0) if len(pids) == 1 and ends == math.inf else os.waitpid(-1, os.WNOHANG)
            if pid in pids:
                point = pids.pop(pid)
                assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
                if os.WIFSIGNALED(status):
                    killed.append(str(point))
                    ends = min(ends, time.monotonic() + self.chance.uniform(0.1, 1.5))
            elif time.monotonic() > ends:  # no survivor has to wait for the leases of the dead: it dies, too, wherever it is
                ends = math.inf
                for other in pids:
                    pids[other] = "anywhere"
                    os.kill(other, signal.SIGKILL)
            else:
                time.sleep(0.02)
        return killed

    def _world(self, at: int) -> World:
        program = self._programs[(self.number + at) % len(self._programs)]
        return World(program, self._settings, environment(self._peer, self._more), 30.0 * self.number, f"{self.number}-{at}")

    async def history(self) -> tuple[History, list[tuple[int, str]]]:
        """What is recorded, and the rows that the program has written."""
        database = open_database(self._settings)
        await database.start()
        found = await recorded(database)
        found.targets = {name: {(kind, targets[kind]) for kind in kinds} for name, kinds in TARGETS.items() for targets in [_names(name)]}
        effects = [(row[0], row[1]) for row in await database.fetch("SELECT number, what FROM effects ORDER BY id", ())]
        await database.close()
        return found, effects


def _names(event: str) -> dict[str, str]:
    return {"handler": f"{event}#1", "workflow": "Fulfil", "webhook": "partner"}


def wrong_effects(history: History, effects: list[tuple[int, str]], orders: range) -> list[str]:
    """Which rows are missing, too many, or in the wrong order."""
    wrong = []
    for number in orders:
        done = [what for order, what in effects if order == number]
        ends = ["undo reserve", *(f"undo item {item}" for item in range(3)), "failed"] if number % 3 == 0 else ["heard"]
        wanted = Counter(["noted", "reserve", *(f"item {item}" for item in range(3)), "packed", "label", *ends])
        found = Counter(what for what in done if what not in VERSIONS)
        versions = [what for what in done if what in VERSIONS]
        if found != wanted or len(versions) != (number % 3 != 0):
            wrong.append(f"{number}: rows {done}")
            continue
        order = [what for what in done if what not in ("noted", "heard")]
        stages = [order.index("reserve"), *sorted(order.index(f"item {item}") for item in range(3)), order.index("packed")]
        undone = [what for what in order if what.startswith("undo")]
        if stages != sorted(stages) or order[-1] not in (*VERSIONS, "failed") or (undone and undone[-1] != "undo reserve"):
            wrong.append(f"{number}: the order {order}")
    runs = sum(execution.workflow == "Tick" for execution in history.executions)
    if (ticks := sum(what == "tick" for _, what in effects)) != runs:
        wrong.append(f"{ticks} rows of {runs} ticks")
    return wrong


def wrong_requests(history: History, seen: list[list[str]], kills: int) -> list[str]:
    """Which requests of others are missing, or have another key than they should."""
    fulfilled = [execution for execution in history.executions if execution.workflow == "Fulfil"]
    calls = Counter(line[2] for line in seen if line[0] == "call")
    wanted = {key for execution in fulfilled for key in _calls(execution)}
    wrong = [f"calls {sorted(set(calls) ^ wanted)}"] if set(calls) != wanted else []
    wrong += [f"{count} calls {key}" for key, count in calls.items() if count > 1 + kills]
    told = {line[2] for line in seen if line[0] == "webhook"}
    events = {event.id for event in history.events if event.name in ("placed", "shipped")}
    return wrong + ([f"webhooks {sorted(told ^ events)}"] if told != events else [])


def _calls(execution: Execution) -> set[str]:
    undone = {f"{execution.id}/charge/compensate"} if execution.status == "compensated" else set()
    return {f"{execution.id}/charge", f"{execution.id}/insure"} | undone


def chosen(done: Counter[str], chance: random.Random) -> str:
    """A point of those at which the fewest have died, and how often it is passed before."""
    fewest = min(done[point] for point in POINTS)
    point = chance.choice([point for point in POINTS if done[point] <= fewest + 1])
    return f"{point}:{chance.randint(1, 12 if point in OFTEN else 4)}"


def main(url: str, kills: int, seed: int) -> dict[str, Any]:
    """Kills so many processes, over as many rounds as that takes."""
    chance, tried, settings = random.Random(seed), Counter[str](), from_url(url)
    report: dict[str, Any] = {"kills": 0, "rounds": 0, "violations": [], "points": Counter()}
    synchronise_here(settings, programs()[0].application, development=True)
    asyncio.run(watch(settings))
    with tempfile.NamedTemporaryFile() as file:
        pid, peer = peer_process(Path(file.name))
        try:
            while report["kills"] < kills and report["rounds"] < kills + 10:
                asyncio.run(emptied(settings))
                os.truncate(file.name, 0)
                killed, wrong = played(Round(url, peer, settings, chance), kills - report["kills"], Path(file.name), tried)
                report["kills"] += len(killed)
                report["rounds"] += 1
                report["points"].update(point.partition(":")[0] for point in killed)
                report["violations"] += wrong
                print(f"{report['kills']} of {kills} kills, {len(report['violations'])} violations", file=sys.stderr, flush=True)
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return report


def played(world: Round, most: int, requests: Path, tried: Counter[str]) -> tuple[list[str], list[str]]:
    """One round: where processes were killed, and what is wrong after all."""
    killed = list[str]()
    while world.number < GENERATIONS and len(killed) < most:
        points = [chosen(tried, world.chance) for _ in range(world.together)]
        tried.update(point.partition(":")[0] for point in points)
        killed += world.generation(points, LIFE)
    assert world.generation([None], 60) == []
    history, effects = asyncio.run(world.history())
    seen = [line.split() for line in requests.read_text().splitlines()]
    wrong = [
        *violations(history),
        *wrong_effects(history, effects, ORDERS[: NEW * world.number]),
        *wrong_requests(history, seen, len(killed)),
    ]
    return killed, wrong


async def emptied(settings: DatabaseSettings) -> None:
    """Nothing is left of the round before, but the definitions."""
    database = open_database(settings)
    await database.start()
    for table in (
        *("orders", "payments", "effects", "codeai_steps", "executions", "codeai_mailbox", "codeai_waits", "codeai_deliveries"),
        *("codeai_attempts", "codeai_events", "codeai_activations", "codeai_schedules", "codeai_ticks", "codeai_processes", "witness"),
    ):
        await database.writing().execute(f"DELETE FROM {table}", ())
    await database.close()


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1)))
