"""Activations: "this subject has something to do". Kinds of work, and what a dispatcher of any make does for them.

An activation is offered inside the transaction that gives it its reason. A worker claims it under a lease with a fencing
token, and whatever it writes for it is guarded by that token: ``hold``, ``done`` or ``later`` in the very transaction of the
writes. So two workers may both believe that an activation is theirs, and only one can commit.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from codeai.storage.interface import Session

PRIORITY = 5


class LeaseLost(Exception):
    """The activation is somebody else's by now: roll back and forget it."""


class Claim(msgspec.Struct, frozen=True):
    """An activation that this process works on. ``attempts`` counts failures so far, crashed workers included.

    ``restricted`` are those that have an order or a lane.
    """

    id: int
    kind: str
    subject: str
    queue: str
    fence: int
    attempts: int
    restricted: int = 0


class Offer(msgspec.Struct, frozen=True):
    """One of many that are offered at once; see ``Dispatcher.offer``."""

    subject: str
    order_key: str | None = None
    lane: str | None = None
    lane_limit: int | None = None


class Handler(Protocol):
    """Works on activations of one kind, and settles each by ``done`` or ``later``.

    One that raises, or returns without settling, is tried again with growing delays.
    """

    async def __call__(self, claim: Claim) -> None:
        """Does what there is to do for ``claim.subject``."""


class Queues(msgspec.Struct, frozen=True):
    """Queues by weight, and how many activations a process works on at a time."""

    weights: Mapping[str, int] = msgspec.field(default_factory=lambda: {"default": 1})
    concurrency: int = 50


class Dispatcher(Protocol):
    """Offers and settles activations; runs handlers between ``start`` and ``stop``."""

    def register(self, kind: str, handler: Handler) -> None:
        """Says who works on a kind; once per kind, while the process is composed."""

    async def offer(
        self,
        session: Session,
        kind: str,
        subject: str,
        *,
        queue: str = "default",
        priority: int = PRIORITY,
        delay_ms: int = 0,
        due_at: datetime.datetime | None = None,
        order_key: str | None = None,
        lane: str | None = None,
        lane_limit: int | None = None,
    ) -> None:
        """Makes sure that somebody works on a subject, once the transaction of the session has committed.

        A subject that waits already is brought forward; one that is being worked on is worked on once more afterwards.

        :param priority: lower runs first
        :param delay_ms: not before so many milliseconds from now, by the database's clock; or ``due_at``, an instant
        :param order_key: activations of one key run one at a time, in the order in which they were offered
        :param lane: at most ``lane_limit`` activations of one lane run at a time
        """

    async def offer_all(self, session: Session, kind: str, offers: Sequence[Offer]) -> None:
        """Offers many subjects of one kind that may all run at once, on the way of one."""

    async def insert_and_offer(
        self,
        session: Session,
        insert: str,
        values: Sequence[Any],
        kind: str,
        subject: str,
        *,
        queue: str,
        priority: int,
        delay_ms: int = 0,
        lane: str | None = None,
        lane_limit: int | None = None,
    ) -> bool:
        """Inserts a row and, if that was inserted, offers its subject, on one way where the database is far; whether it was.

        :param insert: a statement of few texts, in the form of the database; nobody has offered the subject before
        """

    async def withdraw(self, session: Session, kind: str, subject: str) -> bool:
        """Takes an offer back unless somebody works on it; whether there was one."""

    async def hold(self, session: Session, claim: Claim) -> bool:
        """Guards the writes of the session's transaction: the claim stays ours until it commits.

        :returns: whether the subject was offered again meanwhile
        :raises LeaseLost: it is not ours any more
        """

    async def done(self, session: Session, claim: Claim) -> None:
        """The work is done (or goes on later, when it was offered again); raises LeaseLost."""

    async def later(self, session: Session, claim: Claim, delay_ms: int, *, failed: bool = False, cause: str | None = None) -> None:
        """The work goes on after a delay; ``failed`` counts an attempt, and operators see the ``cause``. Raises LeaseLost."""

    async def put_off(self, session: Session, claim: Claim, delay_ms: int, cause: str) -> int:
        """The database has refused the work, which counts no attempt: it begins again after a delay, longer each time.

        :returns: how many times in a row it was refused by now; raises LeaseLost
        """

    def wake(self) -> None:
        """There may be something to claim."""

    def wake_restricted(self) -> None:
        """There may be something to claim that has an order or a lane."""

    async def start(self) -> None:
        """Begins to claim and to run handlers."""

    async def stop(self, timeout: float) -> None:
        """Claims nothing any more, lets handlers finish for ``timeout`` seconds, and gives back what they have not finished."""

    async def run_due(self) -> int:
        """Runs everything that is due until nothing is, and returns how many activations that were (tests, scripts)."""

    def may_begin(self) -> bool:
        """Whether leases were renewed recently enough to begin something new."""
