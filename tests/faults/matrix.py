"""Kills processes at every durable write point and looks at what was recorded. ``python -m faults.matrix URL KILLS SEED`` prints a report.

``DISPATCHER=dbos`` in the environment has DBOS distribute the work.

Each process is forked from this one, works on executions with a clock thirty seconds ahead of the one before (so that leases of
the dead have ended, and what killed its process twice is due), and kills itself at one point. The last one is let live. Then the
history is checked.
"""

import asyncio
import datetime
import importlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "durable"))

from history import violations
from programs import Peer, Process, Time, prepared
from witness import named, recorded, watch

from codeai.durable.dispatch.dbos.engine import DbosEngine
from codeai.model.application import Application
from codeai.storage.errors import LockTimeout, StorageError
from codeai.storage.frozen import FrozenSessions
from codeai.storage.interface import Database
from codeai.storage.opening import open_database
from codeai.storage.settings import DatabaseSettings
from services.programs import application_of

PROGRAM = """
entity Ledger { id: int, primary, auto   execution: string, required   what: string, required }
integration Payments {
    base_url: "https://payments.example.com"
    operation charge { method: POST path: "/charges" body { amount: int } returns { id: string } }
    operation refund { method: POST path: "/refunds" body { charge: string } returns { id: string } }
}
workflow Saga {
    input { n: int }
    key: "{input.n}"
    once: true
    steps {
        a {
            do { create Ledger { execution: "{execution.id}", what: "a" } }
            compensate { create Ledger { execution: "{execution.id}", what: "undo a" } }
        }
        pure { do { return input.n * 2 } }
        items for_each i in [0, 1] {
            do { create Ledger { execution: "{execution.id}", what: "item {i}" } }
            compensate { create Ledger { execution: "{execution.id}", what: "undo item {i}" } }
        }
        pay { call: Payments.charge { amount: input.n }  compensate: call Payments.refund { charge: result.id } }
        nap { sleep: 20ms }
        parallel {
            left { do { create Ledger { execution: "{execution.id}", what: "left" } } }
            right { call: Payments.charge { amount: 1 } }
        }
        fits { check: input.n % 2 == 0  on_fail: rollback }
    }
    on_complete { create Ledger { execution: "{execution.id}", what: "complete" } }
    on_fail { create Ledger { execution: "{execution.id}", what: "failed" } }
}
"""
POINTS = (
    *("before-start", "after-start", "before-claim", "after-claim", "before-batch", "in-batch", "after-batch", "before-commit"),
    *("in-block", "after-commit", "before-effect", "after-effect", "before-compensation", "after-compensation"),
)
DBOS = os.environ.get("DISPATCHER") == "dbos"
if DBOS:
    importlib.import_module("dbos")  # once, before processes are forked
    POINTS = (*POINTS, "before-begin", "after-begin")
EXECUTIONS = 12
FORWARD = ["a", "item 0", "item 1", "left"]


class Witness(Peer):
    """Other systems, which write down each call at once."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    async def call(self, context: Any, integration: str, operation: str, values: Any) -> Any:
        os.write(self._file, f"{operation} {values['idempotency_key']}\n".encode())
        return {"id": values["idempotency_key"]}


class Shifted(Time):
    """The real time, and some seconds more."""

    def __init__(self, seconds: float) -> None:
        self._shift = seconds

    def __call__(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self._shift)


async def work(application: Application, settings: DatabaseSettings, shift: float, witness: Path) -> None:
    """Starts what is not started and works until nothing is left."""
    named(f"{os.getpid()}")
    database = open_database(settings)
    await database.start()
    engine = DbosEngine(settings, concurrency=50, polling=0.01) if DBOS else None
    process = Process(application, database, Shifted(shift), Witness(witness), engine=engine)
    await process.durable.register()
    looking = asyncio.create_task(look(database))
    deadline = time.monotonic() + 75  # longer than the database lets a statement stand still
    for number in range(EXECUTIONS):
        while True:
            try:
                await process.start("Saga", {"n": number})
                break
            except LockTimeout:  # a process stands still with the key in its hands, until the database ends its transaction
                assert time.monotonic() < deadline
    while time.monotonic() < deadline:
        with suppress(StorageError):  # who stood still for long has lost its sessions; the loop of a dispatcher goes on after that, too
            if not await process.rows("SELECT id FROM codeai_activations"):
                break
            await process.run()
        await asyncio.sleep(0.005)
    await process.dispatcher.stop(5)
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    await database.close()


async def look(database: Database) -> None:
    """Ends sessions that stand still in the middle of a statement, as workers do that are started: no limit of the database does."""
    frozen = FrozenSessions(database)
    while True:
        await asyncio.sleep(1)
        with suppress(StorageError):  # its own session may be the one that was ended
            await frozen.look()


def begun(application: Application, settings: DatabaseSettings, shift: float, witness: Path, point: str | None) -> int:
    """The pid of a process that works, and has a point."""
    pid = os.fork()
    if pid == 0:
        if point is not None:
            os.environ["CODEAI_FAULT_POINT"] = point
        try:
            asyncio.run(work(application, settings, shift, witness))
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return pid


def generation(application: Application, settings: DatabaseSettings, shift: float, witness: Path, point: str | None) -> bool:
    """One process; whether it was killed."""
    _, status = os.waitpid(begun(application, settings, shift, witness, point), 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, status
    return os.WIFSIGNALED(status)


async def history(settings: DatabaseSettings) -> dict[str, Any]:
    """What the database says."""
    database = open_database(settings)
    await database.start()

    async def rows(text: str) -> list[list[Any]]:
        return [[str(value) if value is not None else None for value in row] for row in await database.fetch(text, ())]

    try:
        return {
            "executions": await rows("SELECT id, status, key, compensation FROM executions"),
            "ledger": await rows("SELECT execution, what FROM ledgers ORDER BY id"),
            "steps": await rows("SELECT execution_id, name, status, compensation, seq FROM codeai_steps"),
            "left": await rows("SELECT id FROM codeai_activations"),
            "wrong": violations(await recorded(database)),
        }
    finally:
        await database.close()


def differing(found: dict[str, Any], calls: list[str], kills: int) -> list[str]:
    """What is not as it must be: of any history, and as this program wants it."""
    wrong: list[str] = list(found["wrong"])
    if len(found["executions"]) != EXECUTIONS or len({row[2] for row in found["executions"]}) != EXECUTIONS:
        wrong.append(f"{len(found['executions'])} executions instead of {EXECUTIONS}")
    if found["left"]:
        wrong.append(f"{len(found['left'])} activations are left")
    for id_, status, key, compensation in found["executions"]:
        done = [what for execution, what in found["ledger"] if execution == id_]
        even = int(key) % 2 == 0
        wanted = [*FORWARD, "complete"] if even else [*FORWARD, "undo item 1", "undo item 0", "undo a", "failed"]
        if done != wanted:
            wrong.append(f"{key}: rows {done}, not {wanted}")
        if (status, compensation) != (("completed", "none") if even else ("compensated", "done")):
            wrong.append(f"{key}: {status}, compensation {compensation}")
        made = Counter(call for call in calls if id_ in call)
        expected = {f"charge {id_}/pay", f"charge {id_}/right", *([] if even else [f"refund {id_}/pay/compensate"])}
        if set(made) != expected or max(made.values(), default=0) > 1 + kills:
            wrong.append(f"{key}: calls {dict(made)}")
    return wrong


def main(url: str, kills: int, seed: int) -> dict[str, Any]:
    """Kills so many processes, over as many rounds as that takes."""
    chance, application = random.Random(seed), application_of(PROGRAM)
    report: dict[str, Any] = {"kills": 0, "rounds": 0, "violations": [], "points": Counter()}
    settings = prepared(url, application)
    asyncio.run(watch(settings))
    shift, number = 0.0, 0
    while report["kills"] < kills and report["rounds"] < kills + 10:
        asyncio.run(emptied(settings))
        with tempfile.NamedTemporaryFile() as witness:
            killed = 0
            for _ in range(10):
                point = POINTS[number % len(POINTS)]
                number += 1
                shift += 30.0
                if generation(application, settings, shift, Path(witness.name), f"{point}:{chance.randint(1, 4)}"):
                    killed += 1
                    report["points"][point] += 1
            shift += 30.0
            generation(application, settings, shift, Path(witness.name), None)
            calls = Path(witness.name).read_text().splitlines()
        report["kills"] += killed
        report["rounds"] += 1
        report["violations"] += differing(asyncio.run(history(settings)), calls, killed)
        print(f"{report['kills']} of {kills} kills, {len(report['violations'])} violations", file=sys.stderr, flush=True)
    return report


def paused(url: str, point: str) -> dict[str, Any]:
    """Stops a process at a point, lets another finish its work, and lets it go on: what it does then must not count."""
    application = application_of(PROGRAM)
    settings = prepared(url, application)
    asyncio.run(watch(settings))
    asyncio.run(emptied(settings))
    with tempfile.NamedTemporaryFile() as witness:
        path = Path(witness.name)
        pid = begun(application, settings, 0.0, path, f"stop@{point}")
        _, status = os.waitpid(pid, os.WUNTRACED)
        stopped = os.WIFSTOPPED(status)
        try:
            generation(application, settings, 11.0, path, None)
            before = asyncio.run(history(settings))
        except BaseException:
            os.kill(pid, signal.SIGKILL)
            raise
        if stopped:
            os.kill(pid, signal.SIGCONT)
            _, status = os.waitpid(pid, 0)
        after = asyncio.run(history(settings))
        wrong = differing(after, path.read_text().splitlines(), 1)
    if sorted(before["steps"]) != sorted(after["steps"]) or before["ledger"] != after["ledger"]:
        wrong.append("the late process has written")
    return {"stopped": stopped, "ended": os.WEXITSTATUS(status), "violations": wrong}


async def emptied(settings: DatabaseSettings) -> None:
    database = open_database(settings)
    await database.start()
    for table in ("ledgers", "codeai_steps", "executions", "codeai_activations", "witness"):
        await database.writing().execute(f"DELETE FROM {table}", ())
    await database.close()


if __name__ == "__main__" and sys.argv[2].startswith("pause="):
    print(json.dumps(paused(sys.argv[1], sys.argv[2].removeprefix("pause="))))
elif __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1)))
