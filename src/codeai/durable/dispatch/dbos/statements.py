"""The statements of the DBOS dispatcher, for PostgreSQL: handing over, taking over, and giving back.

A hand-over is the claim of the local dispatcher whose rows go to DBOS in the same statement, by the function that DBOS keeps in its
schema for that (``enqueue_workflow``). So neither can be without the other, and orders, lanes, weights and limits hold as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from codeai.durable.dispatch.statements import Claims
from codeai.durable.dispatch.statements import Statements as Local
from codeai.storage.portable import portable

SCHEMA: Final = "dbos"
APPLICATION: Final = "codeai"  # whose rows they are, in a schema that other applications may share
QUEUE: Final = "codeai"
WORKFLOW: Final = "codeai.activation"
PROTOCOL: Final = "codeai-1"  # what DBOS calls the version: all releases that understand these arguments share it
_PREFIX: Final = "codeai-"
_COLUMNS: Final = "id, kind, subject, queue, fence, attempts, restricted"
_NOW: Final = "coalesce(CAST($1 AS bigint), {now})"
_PAIRS: Final = "unnest(CAST({ids} AS bigint[]), CAST({fences} AS bigint[])) AS h(id, fence)"

_ENQUEUED: Final = f"""{SCHEMA}.enqueue_workflow(
  workflow_name => '{WORKFLOW}', queue_name => '{QUEUE}', positional_args => ARRAY[to_json(c.id), to_json(c.fence)],
  workflow_id => '{_PREFIX}' || c.id || '-' || c.fence, app_version => '{PROTOCOL}',
  priority => CAST(a.priority AS int), application_name => '{APPLICATION}')"""
_NAMED: Final = ", ".join(f"c.{name.strip()}" for name in _COLUMNS.split(","))
_HAND_OVER: Final = f"""
WITH claimed ({_COLUMNS}) AS ({{claim}})
SELECT {_NAMED} FROM claimed AS c JOIN codeai_activations AS a ON a.id = c.id CROSS JOIN LATERAL {_ENQUEUED} AS handed"""
# What the claim has put aside is handed over to nobody.
_HAND_OVER_SOME: Final = f"""
WITH claimed ({_COLUMNS}, state) AS ({{claim}})
SELECT {_NAMED}, c.state, CASE WHEN c.state = 1 THEN {_ENQUEUED} END FROM claimed AS c JOIN codeai_activations AS a ON a.id = c.id"""
# The fence moves on, so that whoever runs the same workflow again begins nothing.
_BEGIN: Final = f"""
UPDATE codeai_activations AS a SET worker = $3, again = 0, fence = a.fence + 1, ready_ms = {_NOW} + CAST($2 AS bigint)
FROM {_PAIRS.format(ids="$4", fences="$5")} WHERE a.id = h.id AND a.fence = h.fence AND a.state = 1
RETURNING a.id, a.kind, a.subject, a.queue, a.fence, a.attempts, CASE WHEN a.order_key IS NULL AND a.lane IS NULL THEN 0 ELSE 1 END"""
_GIVE_BACK: Final = f"""
UPDATE codeai_activations AS a SET state = 0, again = 0, fence = a.fence + 1, worker = NULL
FROM {_PAIRS.format(ids="$1", fences="$2")} WHERE a.id = h.id AND a.fence = h.fence AND a.state = 1"""
_NOT_BEGUN: Final = f"""
SELECT a.id FROM codeai_activations AS a JOIN {_PAIRS.format(ids="$1", fences="$2")} ON a.id = h.id AND a.fence = h.fence AND a.state = 1"""
_IN_USE: Final = f"""
SELECT h.id, h.fence FROM codeai_activations AS a JOIN {_PAIRS.format(ids="$1", fences="$2")}
ON a.id = h.id AND a.fence IN (h.fence, h.fence + 1) AND a.state = 1"""

Pair = tuple[int, int]  # an activation and the fence under which it was handed over


class Statements(msgspec.Struct, frozen=True):
    """The texts beside those of the local dispatcher."""

    begin: str
    give_back: str
    not_begun: str
    in_use: str


def statements() -> Statements:
    """The texts."""
    return Statements(*(portable(text, "postgresql") for text in (_BEGIN, _GIVE_BACK, _NOT_BEGUN, _IN_USE)))


def handing_over(local: Local) -> Local:
    """The statements of the local dispatcher, with claims that hand over."""

    def handed(claims: Claims) -> Claims:
        return Claims(_HAND_OVER.replace("{claim}", claims.free), _HAND_OVER_SOME.replace("{claim}", claims.restricted))

    return msgspec.structs.replace(
        local, claim=handed(local.claim), claim_limited=handed(local.claim_limited), claim_exempt=handed(local.claim_exempt)
    )


def workflow_id(pair: Pair) -> str:
    """What DBOS calls a hand-over."""
    return f"{_PREFIX}{pair[0]}-{pair[1]}"


def pair_of(workflow: str) -> Pair | None:
    """The hand-over that DBOS calls so."""
    number, _, fence = workflow.removeprefix(_PREFIX).partition("-")
    return (int(number), int(fence)) if number.isdigit() and fence.isdigit() else None


def columns(pairs: Sequence[Pair]) -> tuple[list[int], list[int]]:
    """Pairs as the two lists that statements take."""
    return [number for number, _ in pairs], [fence for _, fence in pairs]
