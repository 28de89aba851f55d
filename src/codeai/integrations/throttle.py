"""The ``rate_limit`` of an integration: its calls wait until the peer's limit leaves room."""

from __future__ import annotations

from codeai.limits.rules import Rule
from codeai.limits.stores import LimitStore


class LimitThrottle:
    """See ``client.Throttle``. A sliding window, because that is how peers count."""

    def __init__(self, store: LimitStore, name: str, requests: int, window: int) -> None:
        self._store = store
        self._name = name
        self._rule = Rule(requests, window, "sliding_window")

    async def take(self) -> float:
        """See ``Throttle``."""
        decision = await self._store.take("integration", self._name, self._rule)
        return 0.0 if decision.allowed else decision.retry_after
