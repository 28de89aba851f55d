"""Blocks of the program beside its steps, with the record that says that they are done: in one transaction where that is possible."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from codeai.durable.plans import BlockPlan
from codeai.durable.records import Record
from codeai.durable.run import Run

RecordOf = Callable[[Any], Record]


async def performed(run: Run, block: BlockPlan, more: Mapping[str, Any], key: str, timeout: float | None, record_of: RecordOf) -> Record:
    """Runs a block and writes its record.

    :param more: what it sees beside the values of the run
    :param timeout: seconds that it may take
    :param record_of: the record, from what the block has returned
    :returns: the record
    """
    return await (_outside if block.outside else _inside)(run, block, more, key, timeout, record_of)


async def _inside(run: Run, block: BlockPlan, more: Mapping[str, Any], key: str, timeout: float | None, record_of: RecordOf) -> Record:
    async with run.block() as opened:
        async with asyncio.timeout(timeout):  # not around the commit: whether one that is cut short has happened, nobody knows
            output = await block.run(run.context(opened.session, more, key))
        record = record_of(output)
        await opened.save(record)
    run.written(record)
    return record


async def _outside(run: Run, block: BlockPlan, more: Mapping[str, Any], key: str, timeout: float | None, record_of: RecordOf) -> Record:
    output = await outside(run, block, more, key, timeout)
    record = record_of(output)
    run.keep(record)
    await run.flush()
    return record


async def outside(run: Run, block: BlockPlan, more: Mapping[str, Any], key: str, timeout: float | None) -> Any:
    """Runs a block that has effects beyond the database: everything before it is written first, and nothing is held meanwhile.

    :raises LeaseLost: the lease is nearly over; somebody else begins it soon, and an effect outside knows no fence
    """
    await run.flush()
    run.must_be_ours()
    async with asyncio.timeout(timeout):
        return await block.run(run.context(run.parts.database.writing(), more, key))
