"""``Idempotency-Key``: a request that is sent again gets the answer of the first time (draft-ietf-httpapi-idempotency-key-header).

The answer is stored in the transaction whose effects it reports, so that both are there or neither. An answer that reports a
refusal (4xx) has no effects: it is stored after the roll-back. What a repetition may change (5xx, a collision) is not kept.

Of an answer that holds a secret of its receiver (a token that was issued, a cookie, whatever says ``Cache-Control: no-store``) only the
fact is stored: a repetition has no second effect and gets 409 instead of the answer. So no copy of a token lies in the database.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec

from codeai.auth.issued import ISSUED, Issued
from codeai.auth.principal import Principal
from codeai.http.messages import PROBLEM, Request, Response
from codeai.http.middleware.clients import ClientAddresses
from codeai.http.problems import Problem, problem_of
from codeai.storage.errors import SerializationFailure
from codeai.storage.interface import Database, Isolation, Session
from codeai.storage.portable import portable

HEADER: Final = b"idempotency-key"
LONGEST: Final = 255
_LIFETIME_MS: Final = 24 * 3_600_000
_PLAIN: Final = re.compile(rb"[!-~]{1,255}")
_ATTEMPTS: Final = 3
_SWEEP_EVERY: Final = 256
_SWEEP_AFTER: Final = 600.0  # seconds: where little is stored, too, an answer does not lie there for long after its time
_WITHHELD: Final = "null"
_REPLAYED: Final = (b"idempotency-replayed", b"true")

_FIND: Final = "SELECT fingerprint, status, headers, body FROM codeai_idempotency WHERE scope = $1 AND expires_ms > {now}"
_STORE: Final = """
INSERT INTO codeai_idempotency (scope, fingerprint, status, headers, body, expires_ms) VALUES ($1, $2, $3, $4, $5, {now} + $6)
ON CONFLICT (scope) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status, headers = excluded.headers,
    body = excluded.body, expires_ms = excluded.expires_ms
WHERE codeai_idempotency.expires_ms <= {now}
"""
_SWEEP: Final = """
DELETE FROM codeai_idempotency WHERE expires_ms <= {now} AND scope IN (
  SELECT scope FROM codeai_idempotency WHERE expires_ms <= {now} ORDER BY expires_ms LIMIT 1000 FOR UPDATE SKIP LOCKED)"""
_LOCK: Final = "SELECT pg_try_advisory_xact_lock($1)"


class Work(Protocol):
    """What is done once: an action inside of a transaction."""

    @property
    def isolation(self) -> Isolation:
        """How its transaction is isolated."""

    async def __call__(self, session: Session) -> Response:
        """Does it."""


class Idempotency:
    """The repetitions of one endpoint's requests.

    :param route: method and path template
    :param declared: the endpoint's own texts by status
    :param addresses: tells callers without credentials apart, also those behind a proxy
    """

    def __init__(self, database: Database, route: str, declared: Mapping[int, tuple[str, str | None]], addresses: ClientAddresses) -> None:
        self._database = database
        self._route = route
        self._declared = declared
        self._addresses = addresses
        self._running: set[str] = set()
        self._stored = 0
        self._swept = time.monotonic()
        self._shared = database.dialect == "postgresql"
        self._find, self._store_, self._sweep = (portable(text, database.dialect) for text in (_FIND, _STORE, _SWEEP))

    async def run(self, request: Request, principal: Principal, body: bytes, work: Work) -> Response:
        """The answer to a request: of now, or of the first time.

        :param body: the bytes of the body
        :raises Problem: 400 for a malformed key, 409 while the first request runs, 422 when the key came with another request
        """
        scope, fingerprint = self._scope(request, principal), _fingerprint(request, body)
        if scope in self._running:
            raise _still_running()
        self._running.add(scope)
        issued = ISSUED.set(Issued())
        try:
            return await self._once(request, scope, fingerprint, work)
        finally:
            ISSUED.reset(issued)
            self._running.discard(scope)

    def _scope(self, request: Request, principal: Principal) -> str:
        if request.receipt is not None:  # a verified message has a name of its own, wherever it comes from
            return _digest(repr((self._route, request.receipt)).encode())
        key = request.headers[HEADER]
        if not _PLAIN.fullmatch(key):
            raise Problem(400, f"an Idempotency-Key has 1 to {LONGEST} visible ASCII characters", "malformed_idempotency_key")
        return _digest(repr((self._caller(request, principal), self._route, key)).encode())

    def _caller(self, request: Request, principal: Principal) -> object:
        if principal.id is not None:
            return principal.provider, principal.id, principal.tenant
        # A token need not say whose it is: then those that say the same of their bearer are told apart by address, too.
        return principal.provider, principal.tenant, self._addresses.of(request)

    async def _once(self, request: Request, scope: str, fingerprint: str, work: Work) -> Response:
        for attempt in range(_ATTEMPTS):
            try:
                async with self._database.transaction(isolation=work.isolation) as session:
                    found = await self._known(session, scope, fingerprint)
                    if found is not None:
                        return found
                    try:
                        response = await work(session)
                    except Exception as error:
                        raise _Failed(error) from error
                    await self._store(session, scope, fingerprint, response)
                return response
            except SerializationFailure:
                if attempt + 1 == _ATTEMPTS:
                    raise
            except _Failed as failed:
                again = isinstance(failed.error, SerializationFailure) and work.isolation == "serializable" and attempt + 1 < _ATTEMPTS
                if not again:
                    return await self._refused(request, scope, fingerprint, failed.error)
        raise AssertionError("unreachable")

    async def _known(self, session: Session, scope: str, fingerprint: str) -> Response | None:
        if self._shared:
            lock = int.from_bytes(bytes.fromhex(scope)[:8], signed=True)
            row = await session.fetch_row(_LOCK, (lock,))
            if row is None or not row[0]:
                raise _still_running()
        found: Any = await session.fetch_row(self._find, (scope,))
        if found is None:
            return None
        if found[0] != fingerprint:
            raise Problem(
                422,
                "this Idempotency-Key came with another request before",
                "idempotency_key_reused",
                hint="use a new key for a new request",
            )
        kept = msgspec.json.decode(found[2])
        if kept is None:
            raise Problem(
                409,
                "the first request with this Idempotency-Key succeeded, and its answer was not kept because it held a secret",
                "idempotency_answer_withheld",
                hint="use a new key for a new request",
            )
        headers = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in kept)
        return Response(found[1], bytes(found[3]), (*headers, _REPLAYED))

    async def _store(self, session: Session, scope: str, fingerprint: str, response: Response) -> None:
        if response.status >= 500:
            return
        headers, body = _WITHHELD, b""
        if not _is_secret(response):
            headers = msgspec.json.encode([(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers]).decode()
            body = response.body
        await session.execute(self._store_, (scope, fingerprint, response.status, headers, body, _LIFETIME_MS))
        self._stored += 1
        now = time.monotonic()
        if self._stored % _SWEEP_EVERY == 0 or now - self._swept > _SWEEP_AFTER:
            self._swept = now
            await session.execute(self._sweep, ())

    async def _refused(self, request: Request, scope: str, fingerprint: str, error: Exception) -> Response:
        problem = problem_of(error, self._declared)
        request.code = problem.code
        response = Response(problem.status, problem.body(request.id), (PROBLEM, *problem.headers))
        # The sender of a webhook repeats what was refused in the hope of a better answer.
        if problem.status < 500 and not isinstance(error, SerializationFailure) and request.receipt is None:
            async with self._database.transaction() as session:
                await self._store(session, scope, fingerprint, response)
        return response


class _Failed(Exception):
    """The action failed, as distinct from the keeping of its answer."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


def _is_secret(response: Response) -> bool:
    issued = ISSUED.get()
    if issued is not None and issued.token and response.status < 400:
        return True
    return any(name == b"set-cookie" or (name == b"cache-control" and b"no-store" in value.lower()) for name, value in response.headers)


def _still_running() -> Problem:
    retry = ((b"retry-after", b"1"),)
    return Problem(409, "the first request with this Idempotency-Key is still running", "idempotency_key_in_use", headers=retry)


def _fingerprint(request: Request, body: bytes) -> str:
    return _digest(request.path.encode("utf-8", "replace") + b"\n" + request.query_string + b"\n" + body)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
