"""Outbound webhooks by Standard Webhooks 1.0 (standardwebhooks.com).

The identifier of a message is that of the event, the same in every attempt, so that receivers can drop repetitions; a replay
has it too. The address is data: the outbound client sees to it that it does not lead inside.
"""

from __future__ import annotations

import datetime
import email.utils
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from codeai.events.deliverer import DeliveryFailed, NotHere, Sent
from codeai.events.deliveries import Delivery
from codeai.events.records import EventRecord, Forms
from codeai.events.schedule import STANDARD, Schedule, of_retry
from codeai.events.signatures import sign
from codeai.integrations.errors import AddressForbidden, BadAddress, OutboundError
from codeai.integrations.outbound import Answer, Limits
from codeai.model.event import Webhook
from codeai.storage.interface import Database, Session
from codeai.storage.portable import portable

_LARGEST: Final = 262_144  # bytes of a payload; receivers expect small ones, and fetch the rest
_ANSWER: Final = 65_536  # bytes of an answer that are read
_LONGEST_WAIT: Final = 86_400.0  # seconds of Retry-After that are respected
_ENABLED: Final = "SELECT reason FROM codeai_webhooks WHERE name = $1"
_DISABLE: Final = """
INSERT INTO codeai_webhooks (name, disabled_at, reason) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING"""
_ENABLE: Final = "DELETE FROM codeai_webhooks WHERE name = $1"


class Client(Protocol):
    """The outbound HTTP client (see ``integrations.outbound.Outbound``)."""

    async def send(
        self, method: str, url: str, *, headers: Sequence[tuple[str, str]] = (), body: bytes | None = None, limits: Limits = ...
    ) -> Answer:
        """Sends a request and reads the answer; raises OutboundError."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook that is ready to be called: everything that the environment gives is known.

    :param keys: sign the message, newest first; none leaves it unsigned
    :param timeout: seconds for the whole exchange
    """

    name: str
    url: str
    keys: tuple[bytes, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    schedule: Schedule = Schedule(STANDARD)
    timeout: float = 15.0


def endpoint_of(model: Webhook, url: str, keys: tuple[bytes, ...], headers: Mapping[str, str]) -> Endpoint:
    """The endpoint of a declared webhook."""
    return Endpoint(
        name=model.name,
        url=url,
        keys=keys,
        headers=tuple(headers.items()),
        schedule=of_retry(model.retry, STANDARD),
        timeout=model.timeout / 1000,
    )


def body_of(event: EventRecord) -> bytes:
    """The payload as Standard Webhooks suggests it: type, time and data."""
    return msgspec.json.encode({"type": event.name, "timestamp": event.at, "data": msgspec.Raw(event.payload.encode())})


class Webhooks:
    """Sends events to webhooks (see ``deliverer.Outside``).

    :param endpoints: by name
    :param clock: the time of signatures
    """

    def __init__(
        self,
        database: Database,
        forms: Forms,
        endpoints: Mapping[str, Endpoint],
        client: Client,
        clock: Callable[[], datetime.datetime],
    ) -> None:
        self._database = database
        self._forms = forms
        self.endpoints = endpoints
        self._client = client
        self._clock = clock
        self._enabled, self._disable, self._enable = (portable(text, database.dialect) for text in (_ENABLED, _DISABLE, _ENABLE))

    def schedule(self, delivery: Delivery) -> Schedule:
        """See ``deliverer.Outside``."""
        endpoint = self.endpoints.get(delivery.target)
        return endpoint.schedule if endpoint is not None else Schedule(STANDARD)

    async def send(self, delivery: Delivery) -> Sent:
        """See ``deliverer.Outside``."""
        endpoint = self.endpoints.get(delivery.target)
        if endpoint is None or delivery.event is None:
            raise NotHere(f"webhook '{delivery.target}' is not declared")
        disabled = await self._database.fetch_row(self._enabled, (endpoint.name,))
        if disabled is not None:
            raise DeliveryFailed(f"the webhook is disabled: {disabled[0]}", final=True)
        body = body_of(delivery.event)
        if len(body) > _LARGEST:
            raise DeliveryFailed(f"the payload is larger than {_LARGEST:,} bytes", final=True)
        try:
            answer = await self._client.send(
                "POST",
                endpoint.url,
                headers=self._headers(endpoint, delivery.event, body),
                body=body,
                limits=Limits(connect=min(5.0, endpoint.timeout), read=endpoint.timeout, total=endpoint.timeout, answer=_ANSWER),
            )
        except (AddressForbidden, BadAddress) as error:
            raise DeliveryFailed(f"{error} ({error.code})", final=isinstance(error, BadAddress)) from error
        except OutboundError as error:
            raise DeliveryFailed(f"{error} ({error.code})") from error
        return await self._judged(endpoint, answer)

    def _headers(self, endpoint: Endpoint, event: EventRecord, body: bytes) -> list[tuple[str, str]]:
        moment = int(self._clock().timestamp())
        ours = [("content-type", "application/json"), ("webhook-id", str(event.id)), ("webhook-timestamp", str(moment))]
        if endpoint.keys:
            ours.append(("webhook-signature", sign(str(event.id), moment, body, endpoint.keys)))
        taken = {name for name, _ in ours}
        return [*ours, *((name, value) for name, value in endpoint.headers if name.lower() not in taken)]

    async def _judged(self, endpoint: Endpoint, answer: Answer) -> Sent:
        """What an answer means: 2xx is a receipt, 410 ends the subscription, anything else is a failure."""
        text = answer.body[:_ANSWER].decode("utf-8", "replace")
        status = answer.status
        if 200 <= status < 300:
            return Sent(status, text)
        if status == 410:
            await self.disable(self._database.writing(), endpoint.name, "the receiver answered 410 Gone")
            raise DeliveryFailed("the receiver answered 410, the webhook is disabled", status=status, answer=text, final=True)
        if 300 <= status < 400:
            raise DeliveryFailed(f"the receiver redirects ({status}), which is not followed", status=status, answer=text)
        wait = retry_after(answer.header("retry-after"), self._clock()) if status in (429, 503, 502, 504) else 0.0
        raise DeliveryFailed(f"the receiver answered {status}", status=status, answer=text, retry_after=wait)

    async def disable(self, session: Session, name: str, reason: str) -> bool:
        """Sends nothing to a webhook any more until it is enabled; whether it was enabled."""
        return await session.execute(self._disable, (name, self._forms.moment(self._clock()), reason)) > 0

    async def enable(self, session: Session, name: str) -> bool:
        """Sends to a webhook again; whether it was disabled."""
        return await session.execute(self._enable, (name,)) > 0


def retry_after(text: str, now: datetime.datetime) -> float:
    """The seconds that a ``Retry-After`` asks for (RFC 9110, section 10.2.3); 0 for none that can be read."""
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), _LONGEST_WAIT)
    try:
        moment = email.utils.parsedate_to_datetime(text) if text else now
    except (ValueError, TypeError):
        return 0.0
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=datetime.UTC)
    return min(max((moment - now).total_seconds(), 0.0), _LONGEST_WAIT)
