"""One answer for the whole instance: cells of all processes, dead ones included, gauges of those that live, probes once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from codeai.observability.metrics.cells import read_file
from codeai.observability.metrics.instruments import Description, Metrics, Probe, Reading
from codeai.observability.processes import Processes

_LOG: Final = logging.getLogger("codeai.metrics")
_QUESTION: Final = "gauges"
_TIMEOUT: Final = 2.0
Readings = list[tuple[Description, list[Reading]]]


class Scraper:
    """Answers ``/metrics`` in one of the processes."""

    def __init__(self, metrics: Metrics, processes: Processes) -> None:
        self._metrics = metrics
        self._processes = processes
        processes.answer(_QUESTION, lambda arguments: msgspec.msgpack.encode(metrics.readings()))

    async def text(self) -> bytes:
        """The metrics in the text format of Prometheus."""
        # One after the other: the probes take connections, which the gauges would count as somebody's.
        answers = await self._processes.ask(_QUESTION, timeout=_TIMEOUT)
        probed = await asyncio.gather(*map(_probed, self._metrics.probes))
        readings: list[Readings] = [msgspec.msgpack.decode(found, type=Readings) for found in answers.values()]
        # The library is loaded by the first who asks, so that others do not pay for it.
        from codeai.observability.metrics.exposition import exposition

        return exposition(self._cells(), [*readings, probed])

    def _cells(self) -> Iterable[Any]:
        folder = self._processes.folder
        return [self._metrics.file.read()] if folder is None else [read_file(path) for path in sorted(folder.glob("*.cells"))]


async def _probed(probe: Probe) -> tuple[Description, list[Reading]]:
    try:
        async with asyncio.timeout(_TIMEOUT):
            return probe.description, list(await probe.read())
    except Exception as error:
        # As with a database that is down: the other figures are wanted all the more.
        _LOG.warning("a metric cannot be read", extra={"metric": probe.description.name, "cause": str(error) or type(error).__name__})
        return probe.description, []
