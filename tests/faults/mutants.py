"""The product with one promise broken, in a copy: what the kill matrices have to notice. ``python mutants.py NAME`` tries one."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[2] / "src" / "codeai"


@dataclass(frozen=True)
class Mutant:
    """Texts of files and what stands there instead, and what is tried on it.

    :ivar tried: the arguments of a matrix: how many kills, or where a process is stopped
    """

    changes: tuple[tuple[str, str, str], ...]
    tried: tuple[str, str, str]  # which matrix, on which database, with what

    def texts(self) -> dict[str, str]:
        """The changed files; a change that is not possible once is an error."""
        found: dict[str, str] = {}
        for file, text, instead in self.changes:
            before = found.get(file) or (SOURCE / file).read_text(encoding="utf-8")
            assert before.count(text) == 1, f"{file} has {before.count(text)} times {text!r}"
            found[file] = before.replace(text, instead)
        return found


_BATCH = 'write.claim.fence:\n        return "lost"'
_HANDLER = "                await inside.run(session, delivery)\n                await self._settle"
MUTANTS = {
    "records are written without a look at the fence": Mutant(
        (("durable/recorder.py", _BATCH, _BATCH.replace("lost", "written")),), ("matrix", "postgresql", "pause=before-batch:2")
    ),
    "a block commits without a look at the fence": Mutant(
        (
            (
                "durable/run.py",
                "if not await self.session.execute(store.sql.save_fenced, values):\n            raise LeaseLost",
                "assert values and await store.save(self.session, run.execution.id, (record,)) is None",
            ),
        ),
        ("matrix", "postgresql", "pause=in-block:1"),
    ),
    "the rows of a step commit before its record": Mutant(
        (
            ("durable/works.py", "        await block.save(after)\n", ""),
            ("durable/works.py", "    run.written(after)\n", "    run.keep(after)\n"),
        ),
        ("matrix", "sqlite", "30"),
    ),
    "a compensation commits before its record": Mutant(
        (
            ("durable/blocks.py", "        await opened.save(record)\n", ""),
            ("durable/blocks.py", "    run.written(record)\n", "    run.keep(record)\n"),
        ),
        ("matrix", "sqlite", "30"),
    ),
    "compensations go forward": Mutant(
        (("durable/compensation.py", "key=lambda record: record.seq)", "key=lambda record: -record.seq)"),), ("matrix", "sqlite", "3")
    ),
    "each try of a call has a key of its own": Mutant(
        (("durable/process.py", "str(key) if (number", 'f"{key}/{id(values)}" if (number'),), ("matrix", "sqlite", "3")
    ),
    "an event counts as relayed before its deliveries are written": Mutant(
        (("events/relay.py", "await session.execute(self._relayed,", "await self._database.writing().execute(self._relayed,"),),
        ("worldmatrix", "postgresql", "30"),
    ),
    "what a handler does commits before its delivery is settled": Mutant(
        (
            (
                "events/deliverer.py",
                _HANDLER,
                _HANDLER.replace(
                    "                await self",
                    "            async with self._database.transaction() as session:\n                await self",
                ),
            ),
        ),
        ("worldmatrix", "sqlite", "30"),
    ),
    "an event may start a workflow again": Mutant(
        (
            ("events/handlers.py", 'f"event:{delivery.event.id}" + (', 'f"event:{id(session)}:{delivery.event.id}" + ('),
            (
                "events/deliverer.py",
                _HANDLER,
                _HANDLER.replace(
                    "                await self",
                    "            async with self._database.transaction() as session:\n                await self",
                ),
            ),
        ),
        ("worldmatrix", "sqlite", "30"),
    ),
    "a tick runs each time that it is looked at": Mutant(
        (
            ("jobs/ledger.py", 'return await session.execute(self._texts["tick"], values) > 0', "return bool(values)"),
            ("jobs/scheduler.py", 'origin=f"tick:{tick:%Y-%m-%dT%H:%M:%S.%fZ}"', "origin=None"),
            (
                "jobs/scheduler.py",
                "        await self.ledger.handled(session, name, found.until,",
                "        (lambda *_, **__: None)(session, name, found.until,",
            ),
        ),
        ("worldmatrix", "sqlite", "6"),
    ),
    "catching up forgets a tick": Mutant(
        (("jobs/scheduler.py", "for tick in found.run:", "for tick in found.run[1:] or found.run:"),), ("worldmatrix", "sqlite", "6")
    ),
    "a webhook counts as delivered that nobody has sent": Mutant(
        (("events/deliverer.py", "sent = await outside.send(delivery)", "sent = Sent(200, '')"),), ("worldmatrix", "sqlite", "6")
    ),
}


def tried(name: str, folder: Path, url: str) -> dict[str, Any]:
    """What a matrix reports of a mutant."""
    mutant = MUTANTS[name]
    shutil.copytree(SOURCE, folder / "codeai", ignore=shutil.ignore_patterns("__pycache__"))
    for file, text in mutant.texts().items():
        (folder / "codeai" / file).write_text(text, encoding="utf-8")
    matrix, _, what = mutant.tried
    command = [sys.executable, str(Path(__file__).parent / f"{matrix}.py"), url, what, *(["7"] if what.isdigit() else [])]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(folder)}, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr[-3_000:]
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report
