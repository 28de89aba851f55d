"""Events, what happens on them, and outbound webhooks (language page, section 8)."""

from __future__ import annotations

from typing import Literal

import msgspec

from codeai.language.types import Record
from codeai.model.endpoint import InputField
from codeai.model.expression import Entry, Expression
from codeai.model.statement import Block


class Retry(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How often and after which delays something is tried again; times in milliseconds.

    ``delays`` says each of them, the last one also for all further tries; without it they follow from the rest.
    """

    times: int = 3
    backoff: Literal["fixed", "linear", "exponential"] = "exponential"
    initial: int = 1_000
    maximum: int = 60_000
    multiplier: float = 2.0
    delays: tuple[int, ...] = ()

    def delay(self, attempt: int) -> float:
        """Milliseconds to wait after the try of that number (from 1) has failed; chance is for those who wait to add."""
        if self.delays:
            return float(self.delays[min(attempt, len(self.delays)) - 1])
        if self.backoff == "linear":
            return float(min(self.initial * attempt, self.maximum))
        if self.backoff == "exponential":
            return min(self.initial * self.multiplier ** min(attempt - 1, 64), float(self.maximum))
        return float(self.initial)


class Change(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """``trigger: when Product.quantity < 10``: the condition over the row ``self`` that a write makes true.

    ``payload`` is the record that the event then has, over the same row.
    """

    entity: str
    condition: Expression
    payload: Expression


class Publication(msgspec.Struct, frozen=True, gc=False):
    """A target of ``publish_to``: the kind and its name (a webhook, a topic, a channel, an address)."""

    kind: Literal["webhook", "kafka", "slack", "email"]
    target: str


class Event(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An event. ``wire`` is its dotted name, which all spellings share; ``key`` orders deliveries."""

    name: str
    wire: str
    payload: Record
    fields: tuple[InputField, ...] = ()
    key: Expression | None = None
    change: Change | None = None
    publish: tuple[Publication, ...] = ()
    description: str = ""
    at: int = -1


class Handler(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """``on Event where … { … }``; the forms with a target are lowered to a body. ``name`` is unique and stable."""

    name: str
    event: str
    where: Expression | None = None
    body: Block = ()
    at: int = -1


class Webhook(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An outbound webhook; ``timeout`` in milliseconds."""

    name: str
    events: tuple[str, ...]
    url: Expression
    secret: Expression | None = None
    headers: tuple[Entry, ...] = ()
    retry: Retry = Retry(times=8)
    timeout: int = 15_000
    at: int = -1
