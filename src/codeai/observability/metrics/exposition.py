"""From cells and readings of all processes to the text that Prometheus reads (text format 0.0.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import CollectorRegistry

from codeai.observability.metrics.instruments import Description, Reading

Cells = Iterable[tuple[str, list[float]]]
Readings = Iterable[tuple[Description, Iterable[Reading]]]


def exposition(cells: Iterable[Cells], readings: Iterable[Readings]) -> bytes:
    """The text.

    :param cells: the keys and numbers of each process, also of dead ones
    :param readings: the gauges of each process that lives
    """
    return generate_latest(_Collected(cells, readings))


class _Collected(CollectorRegistry):
    def __init__(self, cells: Iterable[Cells], readings: Iterable[Readings]) -> None:
        super().__init__()
        self._described: dict[str, Description] = {}
        self._sums: dict[tuple[str, ...], list[float]] = {}
        self._gauges: dict[str, dict[tuple[str, ...], float]] = defaultdict(dict)
        for of_process in cells:
            self._add_cells(of_process)
        for gauges in readings:
            self._add_readings(gauges)

    def _add_cells(self, cells: Cells) -> None:
        for key, numbers in cells:
            if not numbers:
                found = msgspec.json.decode(key, type=Description)
                self._described[found.name] = found
                continue
            name = tuple(msgspec.json.decode(key, type=list[str]))
            known = self._sums.get(name)
            self._sums[name] = numbers if known is None else [a + b for a, b in zip(known, numbers, strict=True)]

    def _add_readings(self, readings: Readings) -> None:
        for description, values in readings:
            self._described[description.name] = description
            found = self._gauges[description.name]
            for labels, value in values:
                known = found.get(tuple(labels))
                merged = value if known is None else max(known, value) if description.merge == "max" else known + value
                found[tuple(labels)] = merged

    def collect(self) -> Iterator[Metric]:
        for name in sorted(self._described):
            yield self._family(self._described[name])

    def _family(self, description: Description) -> Metric:
        name, text, labels = description.name, description.help, description.labels
        if description.kind == "gauge":
            gauge = GaugeMetricFamily(name, text, labels=labels)
            for values, number in sorted(self._gauges[name].items()):
                gauge.add_metric(values, number)
            return gauge
        series = sorted((key[1:], numbers) for key, numbers in self._sums.items() if key[0] == name)
        if description.kind == "counter":
            counter = CounterMetricFamily(name, text, labels=labels)
            for values, numbers in series:
                counter.add_metric(values, numbers[0])
            return counter
        histogram = HistogramMetricFamily(name, text, labels=labels)
        for values, numbers in series:
            histogram.add_metric(values, _cumulative(description.buckets, numbers[1:]), numbers[0])
        return histogram


def _cumulative(bounds: tuple[float, ...], counts: list[float]) -> list[tuple[str, float]]:
    total = 0.0
    found: list[tuple[str, float]] = []
    for bound, count in zip((*map(str, bounds), "+Inf"), counts, strict=True):
        total += count
        found.append((bound, total))
    return found
