"""Steps that take their time outside of the database: others see that they run.

Such a step is recorded when it has ended. One that hangs would be seen by nobody, so what takes longer than a moment is written down
meanwhile; quick ones cost nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import msgspec

from codeai.durable.failures import BLAMELESS
from codeai.durable.recorder import Write
from codeai.durable.records import Record
from codeai.durable.run import Run

_MOMENT: Final = 0.5  # seconds


@asynccontextmanager
async def shown_when_slow(run: Run, record: Record) -> AsyncIterator[None]:
    """Records that a step runs if what is done in the block takes longer than a moment."""
    written: list[asyncio.Task[None]] = []
    handle = asyncio.get_running_loop().call_later(_MOMENT, lambda: written.append(asyncio.create_task(_written(run, record))))
    try:
        yield
    finally:
        handle.cancel()
        if written:  # what is written next comes after it
            await asyncio.wait(written)


async def _written(run: Run, record: Record) -> None:
    """By itself: what else the run keeps is none of its business, and whoever cannot write now finds out by what is written next."""
    with suppress(*BLAMELESS):
        await run.parts.recorder.write(Write(run.claim, run.execution.id, (msgspec.structs.replace(record, status="running"),)))
