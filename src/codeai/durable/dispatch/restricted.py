"""Claims of activations that have an order or a lane, at a cost that does not grow with how many there are.

What is ready is looked at a window at a time. What cannot run yet leaves the index that windows are read from: state 3 is behind others
of its order key, until the one before it is done (``PROMOTE``, in the transaction that ends it); state 4 is in a lane that is full,
until a claim finds room there. So each activation is looked at once when it becomes ready and once when its turn comes.

All claims of this kind go one after another. Whoever puts an activation behind another holds that one meanwhile, so that it cannot end
unseen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from codeai.durable.dispatch.limits import LIMITED
from codeai.storage.codecs import encode_json
from codeai.storage.interface import Database, Dialect, Record, Session
from codeai.storage.portable import portable

_LOCK: Final = 0x434149_4C414E  # any number that only this program uses: claims of restricted activations go one after another
_WINDOW: Final = 100
_WINDOWS: Final = 5  # that one claim looks at, at most
_CHECKED: Final = 200
_REST: Final = 9  # calls between two looks when there was nothing
# The first one of an order key. Compared as pairs, so that no planner thinks of walking along the numbers instead.
_HEAD: Final = """SELECT o.id FROM codeai_activations AS o
  WHERE o.order_key IS NOT NULL AND (o.order_key, o.id) >= ({key}, 0) ORDER BY o.order_key, o.id LIMIT 1"""
_BESIDE: Final = """SELECT o.order_key FROM codeai_activations AS o
  WHERE o.state = 1 AND o.order_key IS NOT NULL AND o.order_key >= r.order_key ORDER BY o.order_key LIMIT 1"""
_READY: Final = f"""
WITH ready AS MATERIALIZED (
  SELECT id, priority, order_key, lane, lane_limit FROM codeai_activations{{index}}
  WHERE state = 0 AND (order_key IS NOT NULL OR lane IS NOT NULL) AND queue = $1{{kinds}} ORDER BY priority, id LIMIT {_WINDOW})
SELECT r.id, r.lane, r.lane_limit, CASE WHEN ({_HEAD.replace("{key}", "r.order_key")}) < r.id THEN 1 ELSE 0 END,
  CASE WHEN ({_BESIDE}) = r.order_key THEN 1 ELSE 0 END
FROM ready AS r ORDER BY r.priority, r.id"""
_RUNNING: Final = "SELECT count(*) FROM codeai_activations WHERE lane = $1 AND lane IS NOT NULL AND state = 1"
# The distinct lanes of an index, one look-up each.
_FIRST: Final = "SELECT a.lane FROM codeai_activations AS a WHERE a.state = 4 AND a.queue = $1{after} ORDER BY a.queue, a.lane LIMIT 1"
_LANES: Final = f"""
WITH RECURSIVE lanes(lane) AS (
  SELECT ({_FIRST.replace("{after}", "")})
  UNION ALL SELECT ({_FIRST.replace("{after}", " AND a.lane > lanes.lane")}) FROM lanes WHERE lanes.lane IS NOT NULL)
SELECT l.lane, a.lane_limit, a.kind FROM lanes AS l JOIN codeai_activations AS a ON a.id = (
  SELECT b.id FROM codeai_activations AS b WHERE b.state = 4 AND b.queue = $1 AND b.lane = l.lane ORDER BY b.priority, b.id LIMIT 1)"""
_LET_IN: Final = """
WITH picked AS MATERIALIZED (
  SELECT id FROM codeai_activations WHERE state = 4 AND queue = $1 AND lane = $2 ORDER BY priority, id LIMIT CAST($3 AS bigint))
UPDATE codeai_activations SET state = 0 WHERE id IN (SELECT id FROM picked)"""
_HELD: Final = """
SELECT w.id FROM codeai_activations AS w CROSS JOIN LATERAL (
  SELECT o.id, o.order_key FROM codeai_activations AS o
  WHERE o.order_key IS NOT NULL AND (o.order_key, o.id) >= (w.order_key, 0) ORDER BY o.order_key, o.id LIMIT 1
  FOR KEY SHARE SKIP LOCKED) AS head
WHERE w.id IN {ids} AND head.order_key = w.order_key AND head.id < w.id"""
_PARK: Final = "UPDATE codeai_activations SET state = CAST($2 AS bigint) WHERE id IN {ids}"
PROMOTE: Final = f"""
UPDATE codeai_activations SET state = 0
WHERE id = ({_HEAD.replace("{key}", "CAST($1 AS text)")}) AND order_key = $1 AND state = 3"""
# A net below all that: versions of ours that know nothing of this may end what others stand behind.
_PARKED: Final = f"SELECT id FROM codeai_activations WHERE state = 3 AND id > $1 ORDER BY id LIMIT {_CHECKED}"  # a number
_FREE: Final = f"""
UPDATE codeai_activations SET state = 0 WHERE state = 3 AND id IN {{ids}}
  AND id = ({_HEAD.replace("{key}", "codeai_activations.order_key")})"""


class Kinds(msgspec.Struct, frozen=True):
    """The kinds that a claim takes: all, those that limits of queues concern, or the others."""

    text: str
    limited: bool | None = None

    def takes(self, kind: object) -> bool:
        """Whether a kind is among them."""
        return self.limited is None or (kind == LIMITED) is self.limited


ALL: Final = Kinds("")
LIMITED_ONLY: Final = Kinds(f" AND kind = '{LIMITED}'", True)
EXEMPT: Final = Kinds(f" AND kind <> '{LIMITED}'", False)


class Found(msgspec.Struct, frozen=True):
    """What a window shows: what may be claimed, what is behind others or in full lanes, and whether there is more to look at."""

    free: list[int]
    behind: list[int]
    full: list[int]
    more: bool


def index_of(kinds: Kinds, name: str, dialect: Dialect) -> str:
    """What names the index to SQLite, which keeps no statistics that would tell it which of two is short."""
    return f" INDEXED BY {name}" if dialect == "sqlite" and kinds is EXEMPT else ""


def _ready_of(kinds: Kinds, dialect: Dialect) -> str:
    text = _READY.replace("{kinds}", kinds.text).replace("{index}", index_of(kinds, "codeai_activations_exempt_restricted_idx", dialect))
    return portable(text, dialect)


def _listed(text: str, dialect: Dialect) -> str:
    found = "(SELECT value FROM json_each($1))" if dialect == "sqlite" else "(SELECT unnest($1::bigint[]))"
    return portable(text.replace("{ids}", found), dialect)


class RestrictedClaims:
    """Finds what may be claimed, for one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dialect: Dialect = database.dialect
        self._ready = {kinds: _ready_of(kinds, self._dialect) for kinds in (ALL, LIMITED_ONLY, EXEMPT)}
        self._running, self._lanes, self._let_in = (portable(text, self._dialect) for text in (_RUNNING, _LANES, _LET_IN))
        self._held, self._park, self._free = (_listed(text, self._dialect) for text in (_HELD, _PARK, _FREE))
        self._parked, self._promote = portable(_PARKED, self._dialect), portable(PROMOTE, self._dialect)
        self._checked = self._rest = 0

    def _ids(self, ids: Sequence[int]) -> object:
        return encode_json(ids) if self._dialect == "sqlite" else list(ids)

    async def choose(self, session: Session, queue: str, kinds: Kinds, wanted: int) -> tuple[list[int], bool]:
        """What may be claimed in the transaction of the session, and whether there may be more that was not looked at."""
        if self._dialect == "postgresql":
            await session.execute("SELECT pg_advisory_xact_lock($1)", (_LOCK,))
        await self._let_into_lanes(session, queue, kinds, wanted)
        for _ in range(_WINDOWS):
            found = await self._window(session, queue, kinds)
            if found.behind:
                await self._put_behind(session, found.behind)
            if found.full:
                await session.execute(self._park, (self._ids(found.full), 4))
            if len(found.free) >= wanted or not found.more or not (found.behind or found.full):
                return found.free[:wanted], found.more or len(found.free) > wanted
        return found.free[:wanted], True

    async def _let_into_lanes(self, session: Session, queue: str, kinds: Kinds, wanted: int) -> None:
        for lane, limit, kind in await session.fetch(self._lanes, (queue,)):
            if kinds.takes(kind):
                room = min(int(limit) - await self._running_in(session, lane), wanted)  # type: ignore[call-overload]  # a number
                if room > 0:
                    await session.execute(self._let_in, (queue, lane, room))

    async def _running_in(self, session: Session, lane: object) -> int:
        row = await session.fetch_row(self._running, (lane,))
        assert row is not None
        return row[0] if isinstance(row[0], int) else 0

    async def _window(self, session: Session, queue: str, kinds: Kinds) -> Found:
        rows = await session.fetch(self._ready[kinds], (queue,))
        found = Found([], [], [], len(rows) == _WINDOW)
        taken: dict[object, int] = {}
        for row in rows:
            await self._judge(session, row, found, taken)
        return found

    async def _judge(self, session: Session, row: Record, found: Found, taken: dict[object, int]) -> None:
        number, lane, limit, behind, beside = row
        assert isinstance(number, int)
        if behind:
            found.behind.append(number)
        elif not beside:
            if lane is not None and lane not in taken:
                taken[lane] = await self._running_in(session, lane)
            if lane is not None and taken[lane] >= int(limit):  # type: ignore[call-overload]  # a number
                found.full.append(number)
                return
            taken[lane] = taken.get(lane, 0) + 1
            found.free.append(number)

    async def _put_behind(self, session: Session, ids: list[int]) -> None:
        if self._dialect == "postgresql":
            ids = [int(row[0]) for row in await session.fetch(self._held, (self._ids(ids),))]  # type: ignore[call-overload]  # numbers
        if ids:
            await session.execute(self._park, (self._ids(ids), 3))

    async def promote(self, session: Session, order_key: str) -> None:
        """Brings to light what stands behind one that has just ended, in the same transaction."""
        await session.execute(self._promote, (order_key,))

    async def check(self) -> None:
        """Looks whether some stand behind nobody; a few with each call, so that all had their turn after a while."""
        if self._rest:
            self._rest -= 1
            return
        rows = await self._database.reading().fetch(self._parked, (self._checked,))
        self._rest = 0 if rows else _REST
        ids = [int(row[0]) for row in rows]  # type: ignore[call-overload]  # numbers
        self._checked = ids[-1] if len(ids) == _CHECKED else 0
        if ids:
            await self._database.writing().execute(self._free, (self._ids(ids),))
