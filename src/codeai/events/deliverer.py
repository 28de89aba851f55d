"""Works on one delivery: hands it to its target, and settles it with its activation in one transaction."""

from __future__ import annotations

import asyncio
import datetime
import logging
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol
from uuid import UUID

import msgspec

from codeai.durable.dispatch.protocol import Claim, Dispatcher, LeaseLost
from codeai.evaluate.errors import EvaluationError, ProgramFailure
from codeai.events.deliveries import Attempt, Deliveries, Delivery
from codeai.events.relay import nothing
from codeai.events.schedule import HANDLERS, Schedule
from codeai.events.versions import Versions
from codeai.model.validation import InvalidFields
from codeai.query.errors import QueryError
from codeai.storage import errors as storage
from codeai.storage.interface import Database, Session

_LOG: Final = logging.getLogger("codeai.events")
_CRASHES: Final = 8  # workers that may die over one delivery before it is given up
# What the database does to everybody, and no delivery can be blamed for: the dispatcher tries again, nothing is counted.
_NOBODY: Final = (
    storage.DatabaseUnavailable,
    storage.PoolExhausted,
    storage.LockTimeout,
    storage.SerializationFailure,
)
_PROGRAM: Final = (ProgramFailure, EvaluationError, InvalidFields, QueryError, storage.StorageError)


_ELSEWHERE_MS: Final = 500  # a delivery for a process of another version is left for it so long
Observer = Callable[[str, str, str, float], None]  # kind, target, outcome, seconds


def _unobserved(kind: str, target: str, outcome: str, seconds: float) -> None:
    """Nobody counts."""


class DeliveryFailed(Exception):
    """The target did not take a delivery. The text is kept with it and names no secret.

    :param retry_after: seconds that the target asked to be left alone
    :param final: trying again is of no use
    """

    def __init__(
        self, message: str, *, status: int | None = None, answer: str | None = None, retry_after: float = 0.0, final: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.answer = answer
        self.retry_after = retry_after
        self.final = final


class NotHere(DeliveryFailed):
    """This process has no such target; one of another version of the program may. If none does, it is final."""

    def __init__(self, message: str) -> None:
        super().__init__(message, final=True)


class Sent(msgspec.Struct, frozen=True):
    """What an outside target answered when it took a delivery."""

    status: int | None = None
    answer: str | None = None


class Inside(Protocol):
    """A target whose effects are rows of this database: they commit with the mark of the delivery."""

    def schedule(self, delivery: Delivery) -> Schedule:
        """When it is tried again."""

    async def run(self, session: Session, delivery: Delivery) -> None:
        """Does it, in the given transaction."""


class Outside(Protocol):
    """A target beyond this database: at least once, with the identifier of the delivery or event to recognise repetitions."""

    def schedule(self, delivery: Delivery) -> Schedule:
        """When it is tried again."""

    async def send(self, delivery: Delivery) -> Sent:
        """Hands it over; raises DeliveryFailed."""


class Deliverer:
    """The handler of activations of deliveries.

    :param inside: targets by kind whose effects are rows
    :param outside: the others
    :param versions: the versions of the program that run
    :param limit: seconds that an inside target may take
    :param passed: is told of the points at which tests end the process
    """

    def __init__(
        self,
        database: Database,
        dispatcher: Dispatcher,
        deliveries: Deliveries,
        clock: Callable[[], datetime.datetime],
        inside: Mapping[str, Inside],
        outside: Mapping[str, Outside],
        versions: Versions,
        *,
        limit: float = 60.0,
        passed: Callable[[str], None] = nothing,
    ) -> None:
        self._passed = passed
        self.observer: Observer = _unobserved
        self._database = database
        self._dispatcher = dispatcher
        self._deliveries = deliveries
        self._clock = clock
        self._inside = inside
        self._outside = outside
        self._versions = versions
        self._limit = limit

    async def __call__(self, claim: Claim) -> None:
        """See ``durable.dispatch.protocol.Handler``."""
        delivery = await self._deliveries.load(self._database.reading(), UUID(claim.subject))
        if delivery is None or delivery.status != "pending":
            async with self._database.transaction() as session:
                await self._dispatcher.done(session, claim)
            return
        if claim.attempts - delivery.attempts > _CRASHES:
            await self._give_up(claim, delivery, "workers died while they worked on it", None)
            return
        began, at = time.perf_counter(), self._clock()
        try:
            await self._attempt(claim, delivery, began, at)
            self.observer(delivery.kind, delivery.target, "delivered", time.perf_counter() - began)
        except (LeaseLost, *_NOBODY):
            raise
        except NotHere as error:
            if not await self._left(claim, delivery):
                await self._failed(claim, delivery, error, began, at)
        except (DeliveryFailed, TimeoutError, *_PROGRAM) as error:
            await self._failed(claim, delivery, error, began, at)
        except Exception as error:
            _LOG.exception("delivery failed", extra={"delivery": str(delivery.id), "target": delivery.target})
            await self._failed(claim, delivery, error, began, at)

    async def _attempt(self, claim: Claim, delivery: Delivery, began: float, at: datetime.datetime) -> None:
        inside = self._inside.get(delivery.kind)
        if inside is not None:
            async with asyncio.timeout(self._limit), self._database.transaction() as session:
                await self._dispatcher.hold(session, claim)
                self._passed("before-handler")
                await inside.run(session, delivery)
                await self._settle(session, claim, delivery)
                self._passed("before-delivered")
            self._passed("after-delivered")
            return
        outside = self._outside.get(delivery.kind)
        if outside is None:
            raise NotHere(f"no version of the program that runs delivers to '{delivery.kind}'")
        sent = await outside.send(delivery)
        self._passed("after-send")
        attempt = self._of(delivery, began, at, Sent(sent.status, sent.answer), None)
        async with self._database.transaction() as session:
            await self._deliveries.attempted(session, delivery, attempt)
            await self._settle(session, claim, delivery)

    async def _settle(self, session: Session, claim: Claim, delivery: Delivery) -> None:
        if not await self._deliveries.delivered(session, delivery, self._clock()):
            raise LeaseLost  # somebody else has settled it
        await self._dispatcher.done(session, claim)

    def _of(self, delivery: Delivery, began: float, at: datetime.datetime, sent: Sent, error: str | None) -> Attempt:
        return Attempt(
            number=delivery.attempts + 1,
            at=at,
            duration_ms=int((time.perf_counter() - began) * 1000),
            status=sent.status,
            answer=sent.answer,
            error=error,
        )

    async def _left(self, claim: Claim, delivery: Delivery) -> bool:
        """Leaves a delivery to a process that has its target, or else to the handler in the place of one that is gone.

        Whether there is one.
        """
        event = delivery.event.name if delivery.event is not None else None
        async with self._database.transaction() as session:
            live = await self._versions.live(session)
            others = [wiring for wiring in live if wiring is not self._versions.own]
            registered = delivery.kind == "workflow" and await self._deliveries.registered(session, delivery.target)
            if any(wiring.delivers(delivery.kind, delivery.target, event) for wiring in others):
                await self._dispatcher.later(session, claim, _ELSEWHERE_MS)
                return True
            if registered:  # a process that has just begun takes it up in a moment, or a deployment brings what it needs
                await self._dispatcher.put_off(session, claim, _ELSEWHERE_MS, f"no program that runs can run workflow '{delivery.target}'")
                return True
            successor = next((wiring.successors[delivery.target] for wiring in live if delivery.target in wiring.successors), None)
            if delivery.kind != "handler" or successor is None:
                return False
            await self._deliveries.redirect(session, delivery, successor)
            await self._dispatcher.later(session, claim, 0)
        return True

    # -- failures --------------------------------------------------------------------------------------------------

    async def _failed(self, claim: Claim, delivery: Delivery, error: Exception, began: float, at: datetime.datetime) -> None:
        failure = error if isinstance(error, DeliveryFailed) else DeliveryFailed(_text(error, self._limit))
        attempt = self._of(delivery, began, at, Sent(failure.status, failure.answer), str(failure))
        target = self._inside.get(delivery.kind) or self._outside.get(delivery.kind)
        schedule = target.schedule(delivery) if target is not None else Schedule(HANDLERS)
        delay = None if failure.final else schedule.delay(delivery.attempts + 1, at_least=failure.retry_after)
        if delay is None:
            await self._give_up(claim, delivery, str(failure), attempt)
            return
        self.observer(delivery.kind, delivery.target, "failed", time.perf_counter() - began)
        async with self._database.transaction() as session:
            await self._deliveries.failed(session, delivery, str(failure))
            await self._deliveries.attempted(session, delivery, attempt)
            await self._dispatcher.later(session, claim, delay, failed=True)
            self._passed("before-failed")

    async def _give_up(self, claim: Claim, delivery: Delivery, error: str, attempt: Attempt | None) -> None:
        """A dead letter: it waits for a replay, and what comes after it in its order goes on."""
        details = {"delivery": str(delivery.id), "kind": delivery.kind, "target": delivery.target, "cause": error}
        _LOG.error("dead letter", extra=details)
        self.observer(delivery.kind, delivery.target, "dead", attempt.duration_ms / 1000 if attempt is not None else 0.0)
        async with self._database.transaction() as session:
            await self._deliveries.dead(session, delivery, error, self._clock())
            if attempt is not None:
                await self._deliveries.attempted(session, delivery, attempt)
            await self._dispatcher.done(session, claim)
            self._passed("before-dead")


def _text(error: Exception, limit: float) -> str:
    if isinstance(error, TimeoutError):
        return f"it took longer than {limit:g} s"
    if isinstance(error, storage.StorageError):
        return f"the database refused a statement ({error.code})"
    return str(error) or type(error).__name__
