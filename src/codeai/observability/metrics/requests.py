"""Requests as metrics: how many, how long, with which errors, by the template of the route."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from codeai.observability.metrics.cells import Cell
from codeai.observability.metrics.instruments import SECONDS, Counter, Metrics

_METHODS: Final = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
_LABELS: Final = ("method", "route", "status")


class RequestMetrics:
    """Notes finished requests. The cells of a kind of request are found once; from then on a request costs three additions."""

    def __init__(self, metrics: Metrics) -> None:
        self._total = metrics.counter("http_requests_total", "Requests that were answered.", _LABELS)
        self._durations = metrics.histogram("http_request_duration_seconds", "How long requests took.", _LABELS)
        self._problems = metrics.counter("http_problems_total", "Answers that were problems, by their code.", ("code", "status"))
        self._failures: Counter = metrics.counter("auth_failures_total", "Requests that authentication or roles refused.", ("code",))
        self._cells: dict[tuple[str, str, int], tuple[Cell, Cell]] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Notes one request; ``route`` is empty when nothing is at its path."""
        found = self._cells.get((method, route, status)) or self._found(method, route, status)
        found[0][0] += 1.0
        durations = found[1]
        durations[0] += seconds
        durations[bisect_left(SECONDS, seconds) + 1] += 1.0

    def _found(self, method: str, route: str, status: int) -> tuple[Cell, Cell]:
        labels = (method if method in _METHODS else "other", route or "none", str(status))
        cells = self._total.cell(*labels), self._durations.cell(*labels)
        if method in _METHODS:  # what hostile clients invent is not kept
            self._cells[method, route, status] = cells
        return cells

    def problem(self, code: str, status: int) -> None:
        """Notes an answer that is a problem; those of authentication are counted apart, too (acceptance T6)."""
        self._problems.add(code, str(status))
        if code.startswith("AUTH") or code == "forbidden":
            self._failures.add(code)
