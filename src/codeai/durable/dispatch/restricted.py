"""Claims of activations that have an order or a lane, at a cost that does not grow with how many there are.

What is ready is looked at a window at a time. What cannot run yet leaves the index that windows are read from: state 3 is behind others
of its order key, until the one before it is done (``PROMOTE``, in the transaction that ends it); state 4 is in a lane that is full,
until a claim finds room there. So each activation is looked at once when it becomes ready and once when its turn comes.

One statement looks, judges, claims and puts aside. All claims of this kind go one after another, by a lock that is taken before the
statement begins, so that it sees what those before it have claimed. Whoever puts an activation behind another holds that one meanwhile,
so that it cannot end unseen.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from codeai.durable.dispatch.limits import LIMITED
from codeai.storage.codecs import encode_json
from codeai.storage.interface import Database, Dialect, Record, Session
from codeai.storage.portable import portable

LOCK: Final = 0x434149_4C414E  # any number that only this program uses: claims of restricted activations go one after another
_WINDOW: Final = 100
_WINDOWS: Final = 5  # that one claim looks at, at most
_CHECKED: Final = 200
_REST: Final = 9  # calls between two looks when there was nothing
# The first one of an order key. Compared as pairs, so that no planner thinks of walking along the numbers instead.
_HEAD: Final = """SELECT o.id FROM codeai_activations AS o
  WHERE o.order_key IS NOT NULL AND (o.order_key, o.id) >= ({key}, 0) ORDER BY o.order_key, o.id LIMIT 1"""
_BESIDE: Final = """SELECT o.order_key FROM codeai_activations AS o{beside}
  WHERE o.state = 1 AND o.order_key IS NOT NULL AND o.order_key >= {key} ORDER BY o.order_key LIMIT 1"""
_IN_LANE: Final = "SELECT count(*) FROM codeai_activations AS c WHERE c.lane = {lane} AND c.lane IS NOT NULL AND c.state = 1"
# Walks along an index: the lanes in which some wait, one look-up each, and in those that have room the first ones, as many as fit.
_FIRST: Final = "SELECT a.lane FROM codeai_activations AS a WHERE a.state = 4 AND a.queue = $4{after} ORDER BY a.queue, a.lane LIMIT 1"
_NEXT: Final = """SELECT b.id FROM codeai_activations AS b
  WHERE b.state = 4 AND b.queue = $4 AND b.lane = {lane}{after} ORDER BY b.queue, b.lane, b.priority, b.id LIMIT 1"""
_SEEN: Final = "{row}.id, {row}.state, {row}.priority, {row}.order_key, {row}.lane, {row}.lane_limit"
_AFTER: Final = " AND (b.priority, b.id) > (s.priority, s.id)"
_WAITING: Final = f"""
lanes(lane) AS (
  SELECT ({_FIRST.replace("{after}", "")})
  UNION ALL SELECT ({_FIRST.replace("{after}", " AND a.lane > lanes.lane")}) FROM lanes WHERE lanes.lane IS NOT NULL),
rooms AS MATERIALIZED (
  SELECT {_SEEN.replace("{row}", "h")}, h.lane_limit - ({_IN_LANE.replace("{lane}", "h.lane")}) AS room
  FROM lanes AS l {{row h}}({_NEXT.replace("{lane}", "l.lane").replace("{after}", "")}){{end h}} WHERE 1 = 1{{kinds}}),
seats AS (
  SELECT {_SEEN.replace("{row}", "r")}, r.room, 1 AS place FROM rooms AS r WHERE room > 0
  UNION ALL SELECT {_SEEN.replace("{row}", "n")}, s.room, s.place + 1
  FROM seats AS s {{row n}}({_NEXT.replace("{lane}", "s.lane").replace("{after}", _AFTER)}){{end n}}
  WHERE s.place < s.room AND s.place < CAST($5 AS bigint))"""
# The judgement on each: whether it is behind another of its order or beside one that runs, and whether its lane has room for it.
_VERDICTS: Final = f"""
ready AS MATERIALIZED (
  SELECT {_SEEN.replace("{row}.", "")} FROM codeai_activations{{index}}
  WHERE state = 0 AND (order_key IS NOT NULL OR lane IS NOT NULL) AND queue = $4{{kinds}} ORDER BY priority, id LIMIT {_WINDOW}),
seen AS MATERIALIZED (SELECT * FROM ready UNION ALL SELECT {_SEEN.replace("{row}.", "")} FROM seats),
orders AS MATERIALIZED (
  SELECT k.order_key, ({_HEAD.replace("{key}", "k.order_key")}) AS head, ({_BESIDE.replace("{key}", "k.order_key")}) AS beside
  FROM (SELECT DISTINCT order_key FROM seen WHERE order_key IS NOT NULL) AS k),
judged AS MATERIALIZED (
  SELECT s.*, CASE WHEN o.head < s.id THEN 2 WHEN o.beside = s.order_key THEN 1 ELSE 0 END AS stands
  FROM seen AS s LEFT JOIN orders AS o ON o.order_key = s.order_key),
counts AS MATERIALIZED (
  SELECT l.lane, ({_IN_LANE.replace("{lane}", "l.lane")}) AS number FROM (SELECT DISTINCT lane FROM judged WHERE lane IS NOT NULL) AS l),
able AS MATERIALIZED (
  SELECT j.id, j.state, j.priority, CASE WHEN j.lane IS NULL THEN 0
    WHEN c.number + row_number() OVER (PARTITION BY j.lane ORDER BY j.priority, j.id) > j.lane_limit THEN 1 ELSE 0 END AS late
  FROM judged AS j LEFT JOIN counts AS c ON c.lane = j.lane WHERE j.stands = 0),
verdicts(id, state) AS MATERIALIZED (
  SELECT id, 1 FROM (SELECT id FROM able WHERE late = 0 ORDER BY priority, id LIMIT CAST($5 AS bigint)) AS free
  UNION ALL SELECT id, 4 FROM able WHERE late = 1 AND state = 0
  UNION ALL SELECT id, 3 FROM ({{behind}}) AS behind)"""
# A row by its number, looked up for each by itself: a join is planned by statistics that a table like this outruns.
_ROW: Final = re.compile(r"\{row (\w)\}|\{end (\w)\}")
_ROWS: Final[dict[Dialect, tuple[str, str]]] = {
    "sqlite": ("JOIN codeai_activations AS {row} ON {row}.id = ", ""),
    "postgresql": ("CROSS JOIN LATERAL (SELECT * FROM codeai_activations AS o WHERE o.id = ", " LIMIT 1) AS {row}"),
}
# Each head is looked up once: as a part of the join it would be once for each that stands behind it.
_BEHIND: Final[dict[Dialect, str]] = {
    "sqlite": "SELECT id FROM judged WHERE stands = 2",
    "postgresql": """WITH held AS MATERIALIZED (
    SELECT head.id, head.order_key FROM (SELECT DISTINCT order_key FROM judged WHERE stands = 2) AS k CROSS JOIN LATERAL (
      SELECT o.id, o.order_key FROM codeai_activations AS o
      WHERE o.order_key IS NOT NULL AND (o.order_key, o.id) >= (k.order_key, 0) ORDER BY o.order_key, o.id LIMIT 1
      FOR KEY SHARE SKIP LOCKED) AS head
    WHERE head.order_key = k.order_key)
  SELECT w.id FROM judged AS w JOIN held ON held.order_key = w.order_key AND held.id < w.id
  WHERE w.stands = 2""",
}
_NOW: Final = "coalesce(CAST($1 AS bigint), {now})"
# What somebody holds is left to the next claim, since all others of this kind wait for this one.
_CLAIM: Final = f"""
WITH RECURSIVE {_WAITING},{_VERDICTS},
picked(number, verdict) AS MATERIALIZED (
  SELECT a.id, v.state FROM verdicts AS v JOIN codeai_activations AS a ON a.id = v.id WHERE a.state IN (0, 4)
  ORDER BY a.id{{lock}})
UPDATE codeai_activations SET state = verdict, again = 0, fence = CASE WHEN verdict = 1 THEN fence + 1 ELSE fence END,
  ready_ms = CASE WHEN verdict = 1 THEN {_NOW} + CAST($2 AS bigint) ELSE ready_ms END,
  worker = CASE WHEN verdict = 1 THEN CAST($3 AS text) ELSE worker END
FROM picked WHERE id = number
RETURNING id, kind, subject, queue, fence, attempts, 1, state"""
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


def index_of(kinds: Kinds, name: str, dialect: Dialect) -> str:
    """What names the index to SQLite, which keeps no statistics that would tell it which of two is short."""
    return f" INDEXED BY {name}" if dialect == "sqlite" and kinds is EXEMPT else ""


def claim_of(kinds: Kinds, dialect: Dialect) -> str:
    """The claim of restricted activations of some kinds.

    Its values are the present, the lease, the worker, the queue, and how many are wanted. It returns what it has claimed (state 1) and
    what it has put aside.
    """
    text = _CLAIM.replace("{kinds}", kinds.text).replace("{behind}", _BEHIND[dialect])
    text = text.replace("{index}", index_of(kinds, "codeai_activations_exempt_restricted_idx", dialect))
    # Of two indexes SQLite would take the one that was made last, and the longer one holds all that wait.
    text = text.replace("{beside}", " INDEXED BY codeai_activations_beside_idx" if dialect == "sqlite" else "")
    before, after = _ROWS[dialect]
    text = _ROW.sub(lambda found: (before if found[1] else after).replace("{row}", found[1] or found[2]), text)
    return portable(text.replace("{lock}", " FOR UPDATE OF a SKIP LOCKED" if dialect == "postgresql" else ""), dialect)


def _listed(text: str, dialect: Dialect) -> str:
    found = "(SELECT value FROM json_each($1))" if dialect == "sqlite" else "(SELECT unnest($1::bigint[]))"
    return portable(text.replace("{ids}", found), dialect)


class RestrictedClaims:
    """What happens to them, for one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._dialect: Dialect = database.dialect
        self._free = _listed(_FREE, self._dialect)
        self._parked, self._promote = portable(_PARKED, self._dialect), portable(PROMOTE, self._dialect)
        self._checked = self._rest = 0

    def _ids(self, ids: Sequence[int]) -> object:
        return encode_json(ids) if self._dialect == "sqlite" else list(ids)

    async def claim(self, session: Session, text: str, values: Sequence[object], wanted: int) -> list[Record]:
        """Claims up to so many in the transaction of the session, which has taken the lock.

        :param text: the claim (see ``claim_of``)
        :param values: its values, but for how many are wanted
        """
        claimed: list[Record] = []
        for _ in range(_WINDOWS):
            rows = await session.fetch(text, (*values, wanted - len(claimed)))
            claimed += [row[:7] for row in rows if row[7] == 1]
            if len(claimed) >= wanted or len(rows) < _WINDOW // 2:
                break  # what is left of a window that was full is beside others, or held: the next sweep looks again
        return claimed

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
