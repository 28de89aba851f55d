"""``Idempotency-Key`` of requests that start executions: the key of a caller names one request for a day, as it does at endpoints.

The key is written down with a hash of its request before anything starts; what it starts has it as its origin, of which there is one
execution. A key that has expired names a new request: the origin says which.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from codeai.control.exchange import Exchange
from codeai.http.problems import Problem
from codeai.storage.interface import Database
from codeai.storage.portable import portable

_PLAIN: Final = re.compile(rb"[!-~]{1,255}")
_LIFETIME_MS: Final = 24 * 3_600_000
_TAKE: Final = """
INSERT INTO codeai_idempotency (scope, fingerprint, status, headers, body, expires_ms) VALUES ($1, $2, 0, '[]', $3, {now} + $4)
ON CONFLICT (scope) DO UPDATE SET fingerprint = excluded.fingerprint, expires_ms = excluded.expires_ms
WHERE codeai_idempotency.expires_ms <= {now}"""
_READ: Final = "SELECT fingerprint, expires_ms FROM codeai_idempotency WHERE scope = $1"
_EXPIRED: Final = """
DELETE FROM codeai_idempotency WHERE expires_ms <= {now} AND scope IN (
  SELECT scope FROM codeai_idempotency WHERE expires_ms <= {now} ORDER BY expires_ms LIMIT $1)"""
_BATCH: Final = 500


class Keys:
    """The keys of requests."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._take, self._read = portable(_TAKE, database.dialect), portable(_READ, database.dialect)

    async def origin(self, exchange: Exchange) -> str | None:
        """What starts at most one execution of a definition; None for requests without a key.

        :raises Problem: 400 for a key that is too long or not plain, 422 when it came with another request
        """
        key = exchange.request.headers.get(b"idempotency-key")
        if key is None:
            return None
        if not _PLAIN.fullmatch(key):
            raise Problem(400, "the Idempotency-Key must have 1 to 255 visible characters", "invalid_idempotency_key")
        scope = _digest("control", exchange.actor, exchange.request.method, exchange.request.path, key)
        fingerprint = _digest(await exchange.raw())
        async with self._database.transaction() as session:
            await session.execute(self._take, (scope, fingerprint, b"", _LIFETIME_MS))
            row = await session.fetch_row(self._read, (scope,))
        assert row is not None
        if row[0] != fingerprint:
            hint = "use a new key for a new request"
            raise Problem(422, "this Idempotency-Key came with another request before", "idempotency_key_reused", hint=hint)
        return f"request:{scope[:32]}:{row[1]}"


async def purge_expired(database: Database) -> int:
    """Deletes keys that have expired, a few at a time, also those of endpoints; how many those were."""
    statement, total = portable(_EXPIRED, database.dialect), 0
    while True:
        deleted = await database.writing().execute(statement, (_BATCH,))
        total += deleted
        if deleted < _BATCH:
            return total


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()
