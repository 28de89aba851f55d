"""The lanes in which executions are offered: those of a workflow or job that says how many of it run at a time.

They are read from the stored definition, so that also one which this program cannot run keeps its lane: a process that can may be there.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Final

import msgspec

from codeai.durable.plans import RunPlan
from codeai.durable.store import Store

_KEPT: Final = 512


class Lane(msgspec.Struct, frozen=True):
    """A lane, and how many run in it at a time."""

    name: str
    limit: int


def lane_of(plan: RunPlan) -> Lane | None:
    """The lane of a plan."""
    return _lane(plan.kind, plan.name, plan.concurrency)


def _lane(kind: str, name: str, limit: int | None) -> Lane | None:
    return None if limit is None else Lane(f"{kind}:{name}", limit)


class Lanes:
    """The lanes of versions."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: OrderedDict[str, Lane | None] = OrderedDict()

    async def of(self, version: str) -> Lane | None:
        """The lane of a version; None when it has none, and when nobody knows the version."""
        if version not in self._known:
            row = await self._store.database.reading().fetch_row(self._store.sql.definition, (version,))
            if row is None:
                return None
            self._known[version] = _stored(msgspec.json.decode(str(row[0])).get("definition", {}))
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return self._known[version]


def _stored(definition: dict[str, Any]) -> Lane | None:
    kind = str(definition.get("$", "")).rpartition(".")[2].lower()
    return _lane(kind, str(definition.get("name")), definition.get("concurrency"))
