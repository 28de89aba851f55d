"""The client of one integration: attempt after attempt until there is an answer, through limit, breaker and authentication."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from codeai.cache.flights import Cache, Computed
from codeai.integrations.answers import AnswerReader, parse
from codeai.integrations.authentication import Authentication, Credentials
from codeai.integrations.breaker import CircuitBreaker, CircuitOpen
from codeai.integrations.errors import (
    AddressForbidden,
    AnswerInvalid,
    BadAddress,
    CallFailed,
    OutboundError,
    QueryFailed,
    TokenRefused,
    TooManyCalls,
)
from codeai.integrations.outbound import Answer, Limits, Outbound
from codeai.integrations.requests import KEY, Prepared, RequestWriter
from codeai.integrations.retry import IDEMPOTENT, REPEATABLE_STATUSES, delay, retry_after
from codeai.model.event import Retry
from codeai.observability.spans import spanned

_LOG: Final = logging.getLogger("codeai.integrations")
_EXCERPT: Final = 500
_ENCODE: Final = msgspec.msgpack.Encoder().encode
_DECODER: Final = msgspec.msgpack.Decoder(Answer)


class Throttle(Protocol):
    """Keeps the integration's ``rate_limit``."""

    async def take(self) -> float:
        """Takes a place: 0, or the seconds until there is one (then none was taken)."""


class Observer(Protocol):
    """Told about every attempt, for metrics and traces."""

    def __call__(self, integration: str, operation: str, outcome: str, seconds: float | None) -> None:
        """Takes one up.

        :param outcome: the status of the peer, or the code of the error when there was no answer or none that can be used
        :param seconds: None when the peer was not asked: its breaker is open, or its ``rate_limit`` leaves no room
        """


class OperationPlan(msgspec.Struct, frozen=True, kw_only=True):
    """An operation, ready to be called; ``timeout`` in seconds for each attempt, ``cache`` seconds for which an answer may be kept."""

    name: str
    writer: RequestWriter
    reader: AnswerReader
    idempotent: bool
    graphql: bool
    timeout: float
    retry: Retry
    keyed: bool
    cache: float = 0.0


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the client has from outside; tests replace the time."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)
    observer: Observer | None = None


class IntegrationClient:
    """Calls the operations of one peer.

    :param base_url: without a slash at the end
    :param outbound: its own pool of connections
    :param throttle: None when the integration declares no ``rate_limit``
    :param cache: keeps answers of operations that say ``cache``
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        outbound: Outbound,
        operations: Mapping[str, OperationPlan],
        *,
        authentication: Authentication | None,
        breaker: CircuitBreaker,
        throttle: Throttle | None = None,
        cache: Cache | None = None,
        surroundings: Surroundings = Surroundings(),  # noqa: B008  # frozen
    ) -> None:
        self.name = name
        self.breaker = breaker
        self.base_url = base_url.rstrip("/")
        self._outbound = outbound
        self._operations = operations
        self._authentication = authentication
        self._throttle = throttle
        self._cache = cache
        self._around = surroundings

    def has(self, operation: str) -> bool:
        """Whether the integration declares an operation."""
        return operation in self._operations

    async def call(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        """The checked answer of an operation.

        :param arguments: by name; ``idempotency_key`` is sent with idempotent operations, one is made when it is absent
        :raises OutboundError: there is none; ``call`` names the operation
        :raises codeai.model.validation.InvalidFields: the arguments cannot be sent
        """
        plan = self._operations[operation]
        prepared = plan.writer.write(arguments)
        key = arguments.get(KEY)
        if plan.keyed or key is not None:
            prepared = _with(prepared, ("Idempotency-Key", str(key) if key is not None else str(uuid.uuid4())))
        try:
            return await spanned(f"call {self.name}.{operation}", self._asked(plan, prepared), {"codeai.integration": self.name})
        except OutboundError as error:
            error.call = f"{self.name}.{operation}"
            raise

    async def close(self) -> None:
        """Closes the connections."""
        await self._outbound.close()

    async def _asked(self, plan: OperationPlan, prepared: Prepared) -> Any:
        if plan.cache and self._cache is not None:
            return await self._kept(plan, prepared, self._cache)
        return (await self._attempts(plan, prepared))[0]

    async def _kept(self, plan: OperationPlan, prepared: Prepared, cache: Cache) -> Any:
        """The value of an answer that is kept, or of a new one."""

        async def compute() -> Computed:
            _, answer = await self._attempts(plan, prepared)
            return Computed(_ENCODE(answer), (), plan.cache)

        asked = repr((prepared.method, prepared.target, prepared.headers, prepared.body)).encode()
        key = f"call:{self.name}.{plan.name}:{hashlib.blake2b(asked, digest_size=20).hexdigest()}"
        kept, _ = await cache.get(key, compute)
        return self._value(plan, _DECODER.decode(kept))

    async def _attempts(self, plan: OperationPlan, prepared: Prepared) -> tuple[Any, Answer]:
        """The value and the answer that it was read from."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._attempt(plan, prepared)
            except OutboundError as error:
                pause = self._pause(plan, prepared, error, attempt)
                extra = {"integration": self.name, "operation": plan.name, "attempt": attempt, "code": error.code, "cause": str(error)}
                if pause is None:
                    _LOG.warning("call failed", extra=extra)
                    raise
                _LOG.info("call failed and is repeated", extra={**extra, "after": round(pause * 1000)})
            await self._around.sleep(pause)

    def _pause(self, plan: OperationPlan, prepared: Prepared, error: OutboundError, attempt: int) -> float | None:
        """Seconds until the next attempt; None when there is none."""
        if attempt > plan.retry.times or isinstance(error, CircuitOpen | BadAddress | AddressForbidden | TooManyCalls):
            return None
        if not error.transient or not _repeatable(plan, prepared, error):
            return None
        if isinstance(error, CallFailed) and error.peer_status not in REPEATABLE_STATUSES:
            return None
        if error.retry_after is not None:
            return error.retry_after if error.retry_after * 1000 <= plan.retry.maximum else None
        return delay(plan.retry, attempt)

    async def _attempt(self, plan: OperationPlan, prepared: Prepared) -> tuple[Any, Answer]:
        permit = await self._permit(plan)
        began = time.perf_counter()
        outcome, verdict = "cancelled", "cancelled"
        try:
            answer = await self._authenticated(plan, prepared)
            outcome, verdict = str(answer.status), "failure" if answer.status >= 500 else "success"
            return self._value(plan, answer), answer
        except OutboundError as error:
            if outcome == "cancelled":
                outcome, verdict = error.code, "cancelled" if isinstance(error, BadAddress | AddressForbidden) else "failure"
            elif not isinstance(error, CallFailed) or isinstance(error, QueryFailed):
                outcome = error.code  # it says that it went well, and what it says is of no use
            raise
        finally:
            await self.breaker.report(permit, verdict)  # type: ignore[arg-type]  # one of the three
            self._observe(plan, outcome, time.perf_counter() - began)

    def _observe(self, plan: OperationPlan, outcome: str, seconds: float | None) -> None:
        if self._around.observer is not None:
            self._around.observer(self.name, plan.name, outcome, seconds)

    async def _permit(self, plan: OperationPlan) -> int:
        """Leave of the breaker and a place in the rate limit, which is waited for within the time of an attempt."""
        try:
            waited = 0.0
            while True:
                # Anew after each wait: what has opened meanwhile refuses at once, and probes are not held back.
                permit = await self.breaker.admit()
                pause = await self._taken(permit)
                if pause <= 0:
                    return permit
                waited += pause
                if waited > plan.timeout:
                    raise TooManyCalls(pause)
                await self._around.sleep(pause)
        except (CircuitOpen, TooManyCalls) as error:
            self._observe(plan, error.code, None)
            raise

    async def _taken(self, permit: int) -> float:
        """Takes a place for a permit: 0, or the seconds until there is one (then the permit is given back)."""
        if self._throttle is None:
            return 0.0
        pause = float("inf")
        try:
            pause = await self._throttle.take()
        finally:
            if pause > 0:
                await self.breaker.report(permit, "cancelled")
        return pause

    async def _authenticated(self, plan: OperationPlan, prepared: Prepared) -> Answer:
        """One exchange; after a 401 one more with new credentials, if there can be any."""
        limits = Limits(connect=min(5.0, plan.timeout), read=plan.timeout, total=plan.timeout)
        if self._authentication is None:
            return await self._send(prepared, limits)
        credentials = await self._credentials(self._authentication, plan.timeout)
        answer = await self._send(_with(prepared, *credentials.headers, target=credentials.apply(prepared.target)), limits)
        if answer.status != 401 or not await self._authentication.refused(credentials):
            return answer
        credentials = await self._credentials(self._authentication, plan.timeout)
        return await self._send(_with(prepared, *credentials.headers, target=credentials.apply(prepared.target)), limits)

    async def _credentials(self, authentication: Authentication, seconds: float) -> Credentials:
        try:
            async with asyncio.timeout(seconds):
                return await authentication.credentials()
        except TimeoutError as error:
            raise TokenRefused(f"no token within {seconds:g} s") from error

    async def _send(self, prepared: Prepared, limits: Limits) -> Answer:
        headers = list(prepared.headers)
        if prepared.body is not None:
            headers.append(("Content-Type", "application/json"))
        if not any(name.lower() == "accept" for name, _ in headers):
            headers.append(("Accept", "application/json"))
        return await self._outbound.send(
            prepared.method, self.base_url + prepared.target, headers=headers, body=prepared.body, limits=limits
        )

    def _value(self, plan: OperationPlan, answer: Answer) -> Any:
        if not 200 <= answer.status < 300:
            pause = retry_after(answer.header("retry-after"), self._around.now()) if answer.header("retry-after") else None
            raise CallFailed(f"the peer answered {answer.status}", answer.status, _words(answer), pause)
        if not plan.graphql:
            return plan.reader.read(answer)
        document = parse(answer.body)
        if not isinstance(document, dict):
            raise AnswerInvalid("the answer is no GraphQL response")
        if document.get("errors"):
            raise QueryFailed("the peer answered with errors", answer.status, document["errors"])
        return plan.reader.value(document.get("data"))


def _repeatable(plan: OperationPlan, prepared: Prepared, error: OutboundError) -> bool:
    """Whether the same request may be sent again: nothing was sent, the peer said it did nothing, or twice has the effect of once."""
    refused = isinstance(error, CallFailed) and error.peer_status == 429
    return not error.sent or refused or plan.idempotent or prepared.method in IDEMPOTENT


def _with(prepared: Prepared, *headers: tuple[str, str], target: str | None = None) -> Prepared:
    return msgspec.structs.replace(prepared, headers=(*prepared.headers, *headers), target=target or prepared.target)


def _words(answer: Answer) -> object:
    """The body of an error: decoded if it is JSON, else the beginning of its text."""
    if "json" in answer.header("content-type"):
        try:
            return parse(answer.body)
        except AnswerInvalid:
            pass
    return answer.body[: _EXCERPT * 4].decode("utf-8", "replace")[:_EXCERPT]
