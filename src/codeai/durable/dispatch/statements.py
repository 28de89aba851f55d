"""The statements of the local dispatcher, once for both databases. ``$1`` is the present in milliseconds, null for the database's clock."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from codeai.durable.dispatch.limits import COLUMNS
from codeai.durable.dispatch.restricted import ALL, EXEMPT, LIMITED_ONLY, Kinds, claim_of, index_of
from codeai.storage.codecs import encode_json
from codeai.storage.interface import Dialect
from codeai.storage.portable import portable

CHANNEL: Final = "codeai_work"
# A process that stands still in a transaction would keep its claims locked: PostgreSQL ends it sooner than its lease does.
_IDLE: Final = ", set_config('idle_in_transaction_session_timeout', '9000', true)"
_NOW: Final = "coalesce(CAST($1 AS bigint), {now})"
_DUE: Final = f"coalesce(CAST($6 AS bigint), {_NOW} + CAST($7 AS bigint))"
_CLAIM: Final = f"""
UPDATE codeai_activations SET state = 1, fence = fence + 1, again = 0, ready_ms = {_NOW} + CAST($2 AS bigint), worker = $3
WHERE id IN (SELECT id FROM picked)
RETURNING id, kind, subject, queue, fence, attempts, CASE WHEN order_key IS NULL AND lane IS NULL THEN 0 ELSE 1 END"""
_OFFERED: Final = """
INSERT INTO codeai_activations
  (kind, subject, queue, priority, state, ready_ms, order_key, lane, lane_limit, fence, attempts, again, worker, created_ms)"""
_OFFER: Final = f"""CAST($2 AS text), CAST($3 AS text), CAST($4 AS text), CAST($5 AS bigint),
  CASE WHEN {_DUE} > {_NOW} THEN 2 ELSE 0 END, {_DUE}, CAST($8 AS text), CAST($9 AS text), CAST($10 AS bigint), 0, 0, 0, NULL, {_NOW}"""
OFFER: Final = f"""{_OFFERED}
VALUES ({_OFFER})
ON CONFLICT (kind, subject) DO UPDATE SET
  again = CASE WHEN codeai_activations.state = 1 THEN 1 ELSE 0 END,
  state = CASE WHEN codeai_activations.state = 2 THEN excluded.state ELSE codeai_activations.state END,
  ready_ms = CASE WHEN codeai_activations.state <> 1 AND excluded.ready_ms < codeai_activations.ready_ms
    THEN excluded.ready_ms ELSE codeai_activations.ready_ms END
RETURNING state"""
_KIND_OF_NEWS: Final = "CASE WHEN CAST($8 AS text) IS NULL AND CAST($9 AS text) IS NULL THEN '' ELSE 'restricted' END"
_NOTIFY: Final = f"SELECT pg_notify('{CHANNEL}', {_KIND_OF_NEWS}) FROM offered"
NOTIFYING: Final = f"WITH offered AS ({{offer}}) {_NOTIFY}"
WITHDRAW: Final = "DELETE FROM codeai_activations WHERE kind = $1 AND subject = $2 AND state <> 1 RETURNING order_key"
HOLD: Final = "SELECT again{idle} FROM codeai_activations WHERE id = $1 AND fence = $2 AND state = 1 FOR SHARE"
DONE: Final = "DELETE FROM codeai_activations WHERE id = $1 AND fence = $2 AND again = 0 RETURNING order_key"
AGAIN: Final = """
UPDATE codeai_activations SET state = 0, again = 0, attempts = 0, refused = NULL, cause = NULL, worker = NULL
WHERE id = $1 AND fence = $2 AND state = 1 AND again = 1"""
LATER: Final = f"""
UPDATE codeai_activations SET worker = NULL, again = 0, attempts = CASE WHEN CAST($5 AS bigint) = 1 THEN attempts + 1 ELSE 0 END,
  refused = NULL, cause = CAST($6 AS text),
  state = CASE WHEN again = 1 OR CAST($4 AS bigint) <= 0 THEN 0 ELSE 2 END, ready_ms = {_NOW} + CAST($4 AS bigint)
WHERE id = $2 AND fence = $3 AND state = 1"""
# What the database refuses once is tried again soon; what it refuses again and again, each time after twice as long.
PUT_OFF: Final = f"""
UPDATE codeai_activations SET worker = NULL, again = 0, refused = coalesce(refused, 0) + 1, cause = CAST($5 AS text),
  state = CASE WHEN again = 1 THEN 0 ELSE 2 END, ready_ms = {_NOW} + (CAST($4 AS bigint)
    << CAST(CASE WHEN coalesce(refused, 0) < 4 THEN 0 WHEN refused > 9 THEN 6 ELSE refused - 3 END AS int))
WHERE id = $2 AND fence = $3 AND state = 1 RETURNING refused"""
CLAIM_FREE: Final = f"""
WITH picked AS MATERIALIZED (
  SELECT id FROM codeai_activations{{index}} WHERE state = 0 AND order_key IS NULL AND lane IS NULL AND queue = $4{{kinds}}
  ORDER BY priority, id LIMIT CAST($5 AS bigint) FOR UPDATE SKIP LOCKED
) {_CLAIM}"""
# What a worker died of once may be an accident and goes on at once. What it died of again waits, each for another time, so that
# something that kills its workers takes neither the server with it nor those that are worked on beside it.
_SUSPECT: Final = "ready_ms + CASE WHEN attempts > 2 THEN 16000 WHEN attempts = 2 THEN 8000 ELSE 4000 END + (id % 16) * 125"
_DIED: Final = f"CASE WHEN state = 1 AND attempts > 0 THEN {_SUSPECT} ELSE ready_ms END"
SWEEP: Final = f"""
UPDATE codeai_activations SET fence = CASE WHEN state = 1 THEN fence + 1 ELSE fence END,
  attempts = CASE WHEN state = 1 THEN attempts + 1 ELSE attempts END, again = 0, worker = NULL,
  state = CASE WHEN {_DIED} > {_NOW} THEN 2 ELSE 0 END, ready_ms = {_DIED}
WHERE id IN (
  SELECT id FROM codeai_activations WHERE state IN (1, 2) AND ready_ms <= {_NOW} AND id NOT IN {{ids}} FOR UPDATE SKIP LOCKED)
RETURNING order_key, lane"""
# All that a tick has to know: when something is due, what is ready or parked, and what operators say of queues. Each by an index, read
# in its order, so that no planner thinks of the table instead.
_FIRST: Final = "(SELECT id FROM codeai_activations WHERE {where} ORDER BY {order} LIMIT 1)"
_FREE: Final = _FIRST.format(where="state = 0 AND order_key IS NULL AND lane IS NULL", order="queue, priority, id")
_RESTRICTED: Final = _FIRST.format(where="state = 0 AND (order_key IS NOT NULL OR lane IS NOT NULL)", order="queue, priority, id")
_FULL: Final = _FIRST.format(where="state = 4", order="queue, lane, priority, id")
_BEHIND: Final = _FIRST.format(where="state = 3", order="id")
TICK: Final = f"""
SELECT t.due, t.free, t.restricted, t.parked, {", ".join(f"q.{name.strip()}" for name in COLUMNS.split(","))}
FROM (SELECT (SELECT min(ready_ms) FROM codeai_activations WHERE state IN (1, 2)) - {_NOW} AS due, {_FREE} AS free,
  coalesce({_RESTRICTED}, {_FULL}) AS restricted, {_BEHIND} AS parked) AS t LEFT JOIN codeai_queues AS q ON 1 = 1"""
# Those that a transaction of ours holds are passed over, so that one long block costs nobody else his lease: nobody takes them meanwhile.
RENEW: Final = f"""
UPDATE codeai_activations SET ready_ms = {_NOW} + CAST($2 AS bigint) WHERE id IN (
  SELECT id FROM codeai_activations WHERE worker = $3 AND state = 1 AND id IN {{ids}} ORDER BY id FOR UPDATE SKIP LOCKED)"""
# What a worker gives back when it ends, and what was claimed when the answer to the claim was lost: its lease would have to end first.
RETURN: Final = (
    "UPDATE codeai_activations SET state = 0, again = 0, fence = fence + 1, worker = NULL"
    " WHERE worker = $1 AND state = 1 AND id NOT IN {ids}"
)


class Claims(msgspec.Struct, frozen=True):
    """The two claims: of activations without order and lane, and of those with one (see ``restricted.claim_of``)."""

    free: str
    restricted: str


class Statements(msgspec.Struct, frozen=True):
    """The texts for one database; ``ids`` of statements that have them is their last parameter.

    From a limited queue, executions are claimed by ``claim_limited`` and all else by ``claim_exempt``.
    """

    offer: str
    offer_and_notify: str
    withdraw: str
    hold: str
    done: str
    again: str
    later: str
    put_off: str
    claim: Claims
    claim_limited: Claims
    claim_exempt: Claims
    sweep: str
    tick: str
    renew: str
    return_others: str


def statements(dialect: Dialect) -> Statements:
    """The texts for a database."""

    def listed(text: str, place: int) -> str:
        found = f"(SELECT value FROM json_each(?{place}))" if dialect == "sqlite" else f"(SELECT unnest(${place}::bigint[]))"
        return text.replace("{ids}", found)

    def made(text: str) -> str:
        return portable(with_idle_limit(text, dialect), dialect)

    def claims(kinds: Kinds) -> Claims:
        index = index_of(kinds, "codeai_activations_exempt_idx", dialect)
        return Claims(made(CLAIM_FREE.replace("{kinds}", kinds.text).replace("{index}", index)), claim_of(kinds, dialect))

    return Statements(
        offer=made(OFFER),
        offer_and_notify=made(NOTIFYING.replace("{offer}", OFFER)),
        withdraw=made(WITHDRAW),
        hold=made(HOLD),
        done=made(DONE),
        again=made(AGAIN),
        later=made(LATER),
        put_off=made(PUT_OFF),
        claim=claims(ALL),
        claim_limited=claims(LIMITED_ONLY),
        claim_exempt=claims(EXEMPT),
        sweep=made(listed(SWEEP, 2)),
        tick=made(TICK),
        renew=made(listed(RENEW, 4)),
        return_others=made(listed(RETURN, 2)),
    )


def inserted_and_offered(insert: str, parameters: int, *, notify: bool) -> str:
    """The text for PostgreSQL that inserts a row and offers it, if it was inserted: the parameters of an offer come behind those.

    :param insert: inserts what nobody has offered before, with so many ``parameters``
    """
    offer = f"{_OFFERED} SELECT {_OFFER} FROM made RETURNING state"
    told = f", ({_NOTIFY})" if notify else ""
    behind = re.sub(r"\$(\d+)", lambda found: f"${int(found[1]) + parameters}", f"{offer}) SELECT (SELECT count(*) FROM made){told}")
    return portable(f"WITH made AS ({insert} RETURNING 1), offered AS ({behind}", "postgresql")


def with_idle_limit(text: str, dialect: Dialect) -> str:
    """The text with its ``{idle}`` filled in: the column that limits how long the transaction may stand still."""
    return text.replace("{idle}", _IDLE if dialect == "postgresql" else "")


def id_list(ids: Sequence[int], dialect: Dialect) -> object:
    """The value of a list of numbers."""
    return encode_json(ids) if dialect == "sqlite" else list(ids)
