"""The lists over which steps are repeated, kept by the process: they never change, and may be long."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

from codeai.durable.store import Store

_MOST_ITEMS: Final = 200_000


class Lists:
    """Lists by execution and step, the ones used last; of all of them together so many items."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[tuple[str, str], list[Any]] = OrderedDict()
        self._items = 0

    async def get(self, execution: str, step: str) -> list[Any]:
        """The recorded list of a step."""
        found = self._kept.get((execution, step))
        if found is None:
            found = await self._store.list_of(execution, step)
            self.put(execution, step, found)
        self._kept.move_to_end((execution, step))
        return found

    def put(self, execution: str, step: str, items: list[Any]) -> None:
        """Keeps a list."""
        self._items += len(items) - len(self._kept.pop((execution, step), ()))
        self._kept[execution, step] = items
        while self._items > _MOST_ITEMS and len(self._kept) > 1:
            self._items -= len(self._kept.popitem(last=False)[1])
