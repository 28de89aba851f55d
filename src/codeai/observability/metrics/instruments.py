"""Counters, histograms and gauges: what rooms are given to count with.

A series is found once and kept by who counts; counting itself is an addition. Each series is written by one thread (mostly the
event loop), so that no lock is needed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from codeai.observability.metrics.cells import Cell, CellFile

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
MOST_SERIES: Final = 2000
Kind = Literal["counter", "histogram", "gauge"]
Merge = Literal["sum", "max"]
Reading = tuple[tuple[str, ...], float]


class Description(msgspec.Struct, frozen=True):
    """What a metric is. ``merge`` says how the figures of several processes become one."""

    name: str
    help: str
    kind: Kind
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    merge: Merge = "sum"


class Counter:
    """Something that only grows."""

    def __init__(self, description: Description, file: CellFile) -> None:
        self._series = _Series(description, file, 1)

    def cell(self, *labels: str) -> Cell:
        """The cell of the labels, for who counts often."""
        return self._series.cell(labels)

    def add(self, *labels: str, by: float = 1.0) -> None:
        """Counts ``by`` more for the labels."""
        self._series.cell(labels)[0] += by


class Histogram:
    """How something is distributed: a count per bucket, and the sum."""

    def __init__(self, description: Description, file: CellFile) -> None:
        self._buckets = description.buckets
        self._series = _Series(description, file, len(description.buckets) + 2)

    def cell(self, *labels: str) -> Cell:
        """The cell of the labels: the sum, then a count per bucket."""
        return self._series.cell(labels)

    def observe(self, value: float, *labels: str) -> None:
        """Notes a value for the labels."""
        cell = self._series.cell(labels)
        cell[0] += value
        cell[bisect_left(self._buckets, value) + 1] += 1.0


class _Series:
    """The cells of one metric by their labels; beyond a bound, further labels are counted together."""

    def __init__(self, description: Description, file: CellFile, width: int) -> None:
        self._description = description
        self._file = file
        self._width = width
        self._cells: dict[tuple[str, ...], Cell] = {}
        file.cell(msgspec.json.encode(description).decode(), 0)
        if not description.labels:
            self.cell(())

    def cell(self, labels: tuple[str, ...]) -> Cell:
        found = self._cells.get(labels)
        return found if found is not None else self._made(labels)

    def _made(self, labels: tuple[str, ...]) -> Cell:
        if len(labels) != len(self._description.labels):
            raise ValueError(f"'{self._description.name}' has the labels {self._description.labels}, got {labels}")
        if len(self._cells) >= MOST_SERIES:
            labels = ("other",) * len(labels)
        key = msgspec.json.encode([self._description.name, *labels]).decode()
        found = self._cells[labels] = self._file.cell(key, self._width)
        return found


class Gauge(msgspec.Struct, frozen=True):
    """A figure that is read when somebody asks, in each process."""

    description: Description
    read: Callable[[], Iterable[Reading]]


class Probe(msgspec.Struct, frozen=True):
    """A figure of the whole instance, asked for by the one process that answers (as a count of rows in the database)."""

    description: Description
    read: Callable[[], Awaitable[Iterable[Reading]]]


class Metrics:
    """The metrics of one process.

    :param path: the file of its cells, None when there is but this process
    """

    def __init__(self, path: Path | None = None) -> None:
        self.file = CellFile(path)
        self.gauges: list[Gauge] = []
        self.probes: list[Probe] = []

    def counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        """A counter; ``name`` ends with ``_total``."""
        return Counter(Description(name, text, "counter", tuple(labels)), self.file)

    def histogram(self, name: str, text: str, labels: Sequence[str] = (), buckets: tuple[float, ...] = SECONDS) -> Histogram:
        """A histogram; ``name`` ends with its unit."""
        return Histogram(Description(name, text, "histogram", tuple(labels), buckets), self.file)

    def gauge(self, name: str, text: str, read: Callable[[], Iterable[Reading]], labels: Sequence[str] = (), merge: Merge = "sum") -> None:
        """A gauge that ``read`` reads: pairs of labels and value."""
        self.gauges.append(Gauge(Description(name, text, "gauge", tuple(labels), merge=merge), read))

    def probe(self, name: str, text: str, read: Callable[[], Awaitable[Iterable[Reading]]], labels: Sequence[str] = ()) -> None:
        """A gauge of the whole instance."""
        self.probes.append(Probe(Description(name, text, "gauge", tuple(labels)), read))

    def readings(self) -> list[tuple[Description, list[Reading]]]:
        """The gauges of this process, now."""
        return [(gauge.description, list(gauge.read())) for gauge in self.gauges]
