"""What a running block knows: caller, transaction, clock, request."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Protocol

import msgspec

from codeai.evaluate.effects import Effects
from codeai.evaluate.errors import EvaluationError
from codeai.storage.interface import Session

STEP_LIMIT: Final = 5_000_000
DEPTH_LIMIT: Final = 200
_BREATH: Final = 512
_NO_EFFECTS: Final = Effects()
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Caller(Protocol):
    """The principal for which a block runs."""

    @property
    def id(self) -> str | None:
        """The subject, None when anonymous."""

    @property
    def is_system(self) -> bool:
        """Whether row policies are passed."""

    def has_role(self, name: str) -> bool:
        """Whether the caller has a role, also by inheritance."""

    def has_permission(self, name: str) -> bool:
        """Whether the caller has a permission, also by wildcard."""


class Services(Protocol):
    """What built-ins need from other rooms."""

    async def hash_password(self, password: str) -> str:
        """Argon2id in its PHC form."""

    async def verify_password(self, password: str | None, hashed: str | None) -> bool:
        """Whether the password is the one that was hashed; false for nulls and for what is no hash."""

    def issue_token(self, subject: str, roles: Sequence[str], lifetime: datetime.timedelta | None) -> str:
        """A token signed with the program's own key."""


class Outcome(msgspec.Struct, frozen=True):
    """What a block returned."""

    value: object = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()
    redirect: bool = False


class Log(Protocol):
    """Where ``log`` and ``print`` write."""

    def __call__(self, level: str, message: str, data: Mapping[str, object]) -> None:
        """Writes one record."""


class Context:
    """One run of a host. ``now`` is the same for the whole transaction; ``values`` are those that the host gives by name (``event``).

    What most hosts have not stands on the class, so that making a context costs little.
    """

    path: Mapping[str, Any] = _NOTHING
    query: Mapping[str, Any] = _NOTHING
    header: Mapping[str, Any] = _NOTHING
    cookie: Mapping[str, Any] = _NOTHING
    body: Any = None
    sent: Mapping[str, frozenset[str] | set[str]] = _NOTHING
    client: Any = None
    effects: Effects = _NO_EFFECTS
    values: Mapping[str, Any] = _NOTHING
    depth = 0
    steps = 0

    def __init__(
        self,
        user: Caller,
        session: Session,
        now: datetime.datetime,
        services: Services,
        log: Log,
        *,
        client: Any = None,
        effects: Effects | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        self.user = user
        self.session = session
        self.now = now
        self.services = services
        self.log = log
        if client is not None:
            self.client = client
        if effects is not None:
            self.effects = effects
        if values is not None:
            self.values = values

    def sent_field(self, place: str, name: str) -> bool:
        """Whether the client sent a part of the request."""
        return name in self.sent.get(place, ())

    def step(self) -> bool:
        """Counts one turn of a loop; true when the event loop should get its turn."""
        self.steps += 1
        if self.steps > STEP_LIMIT:
            raise EvaluationError("the program ran too many steps")
        return self.steps % _BREATH == 0

    async def breathe(self) -> None:
        """Lets others run; a time-out or cancellation arrives here."""
        await asyncio.sleep(0)

    def enter(self) -> None:
        """Counts the depth of calls."""
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise EvaluationError("functions call each other too deeply")
