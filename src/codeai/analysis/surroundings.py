"""What stands around an endpoint besides its guard: middleware, rate limit, cache; as clauses and as annotations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from codeai.analysis.receiving import Receiving
from codeai.language.durations import duration_milliseconds, intended
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier, Node
from codeai.model.limits import RateLimit

COUNTED: Final = ("user", "ip", "tenant", "all")
_RATE: Final = re.compile(r"\s*([0-9]+)(?:\s*(?:per|/)\s*([0-9a-z]+))?(?:\s+by\s+([a-z]+))?\s*")
_MINUTE: Final = 60_000


class Surroundings(Receiving):
    """Elaborates ``use``, ``rate_limit`` and ``cache`` of endpoints and resources."""

    def surroundings(self, clauses: tuple[d.Clause, ...], annotations: tuple[d.Annotation, ...], method: str) -> dict[str, Any]:
        """The fields of an endpoint that say what stands around it; later clauses win over earlier ones, clauses over annotations."""
        middleware: list[str] = []
        limit, cache = self._annotated(annotations, method)
        for clause in clauses:
            if isinstance(clause, d.NamesClause) and clause.key.text == "use":
                self.names_something(clause)
                self.distinct(clause.names)
                for name in clause.names:
                    self.check_middleware(name)
                    if name.text not in middleware:
                        middleware.append(name.text)
            elif isinstance(clause, d.RateLimitClause):
                limit = self.rate_limit(clause)
            elif isinstance(clause, d.ValueClause) and clause.key.text == "cache":
                cache = self._cached(clause.value, self.milliseconds((clause,), "cache"), method)
        return {"middleware": tuple(middleware), "rate_limit": limit, "cache": cache}

    def check_middleware(self, name: Identifier) -> None:
        """Reports a middleware that the program does not declare."""
        if name.text not in self.symbols.middleware:
            self.report.unknown(name, f"unknown middleware '{name.text}'", name.text, self.symbols.middleware, "CAI0128")
        self.symbols.use("middleware", name.text)

    def rate_limit(self, clause: d.RateLimitClause) -> RateLimit:
        """``rate_limit: 10 per 1m by user``."""
        requests, window = self.whole_of(clause.requests, "rate_limit"), self.milliseconds_of(clause.window, "rate_limit")
        return RateLimit(requests, max(window, 1), self._counted(clause.by) if clause.by is not None else "")

    def _counted(self, by: Identifier) -> str:
        if by.text not in COUNTED:
            self.report.unknown(by, f"'rate_limit' counts by {', '.join(COUNTED)}", by.text, COUNTED, "CAI0127")
            return ""
        return by.text

    def _annotated(self, annotations: tuple[d.Annotation, ...], method: str) -> tuple[RateLimit | None, int | None]:
        limit: RateLimit | None = None
        cache: int | None = None
        for annotation in annotations:
            argument = annotation.arguments[0] if annotation.arguments else None
            text = argument.value if isinstance(argument, ex.StringLiteral) else ""
            if annotation.name.text == "rate_limit":
                limit = self._annotated_limit(annotation, str(argument.value) if isinstance(argument, ex.IntLiteral) else text)
            elif annotation.name.text == "cache":
                found = argument.milliseconds if isinstance(argument, ex.DurationLiteral) else duration_milliseconds(text)
                if found is None:
                    self.report.error(annotation, "'cache' takes a duration, as in 5s", "CAI0505")
                cache = self._cached(annotation, found, method)
        return limit, cache

    def _annotated_limit(self, annotation: d.Annotation, text: str) -> RateLimit | None:
        """``@rate_limit("10 per 1m by user")``; a bare number is per minute and by user."""
        found = _RATE.fullmatch(text)
        window = (duration_milliseconds(found[2]) if found[2] else _MINUTE) if found else None
        if found is None or not window or not 0 < int(found[1]) <= 1_000_000 or (found[3] or "user") not in COUNTED:
            self.report.error(annotation, "'rate_limit' takes a rate, as in \"10 per 1m by user\"", "CAI0505")
            return None
        return RateLimit(int(found[1]), window, found[3] or "user")

    def _cached(self, node: Node, found: int | None, method: str) -> int | None:
        if method != "GET":
            self.report.error(node, "only answers to GET are kept in a cache", "CAI0505")
            return None
        return found or None

    # -- settings that declarations share -------------------------------------------------------------------------

    def settings_once(self, settings: Iterable[d.Setting]) -> None:
        """Reports keys of a declaration that stand twice, of which only one would count."""
        seen: dict[str, Node] = {}
        for setting in settings:
            key = setting.key
            if key.text in seen:
                self.report.duplicate(key, key.text, seen[key.text])
            seen[key.text] = key

    def milliseconds_of(self, node: ex.Expression, what: str, *, zero: bool = False) -> int:
        """A duration in a setting; one of nothing is none, unless ``zero`` is fine."""
        if isinstance(node, ex.DurationLiteral) and (node.milliseconds or zero):
            return node.milliseconds
        self.no_duration(node, what)
        return 0

    def no_duration(self, node: ex.Expression, what: str) -> None:
        """Reports what stands where a duration should, with the duration that it may be."""
        advice = "a duration is longer than nothing" if isinstance(node, ex.DurationLiteral) else ""
        if isinstance(node, ex.IntLiteral):
            advice = f"give it a unit: {node.value}s, {node.value}m or {node.value}h"
        elif isinstance(node, ex.StringLiteral) and (meant := intended(node.value)) is not None:
            advice = f"did you mean '{meant}'?"
        self.report.error(node, f"'{what}' takes a duration, as in 5s", "CAI0505", help_text=advice)

    def whole_of(self, node: ex.Expression, what: str, low: int = 1, high: int = 1_000_000) -> int:
        """A whole number in a setting."""
        if isinstance(node, ex.IntLiteral) and low <= node.value <= high:
            return node.value
        self.report.error(node, f"'{what}' takes a number from {low} to {high:,}", "CAI0505")
        return low
