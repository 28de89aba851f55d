"""Messages: ``send`` leaves a delivery in the transaction of its block; the targets of ``publish_to`` that people read."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from codeai.durable.dispatch.protocol import Dispatcher
from codeai.evaluate.context import Context
from codeai.evaluate.errors import EvaluationError
from codeai.evaluate.operations import text, to_json
from codeai.events.deliverer import DeliveryFailed, Sent
from codeai.events.deliveries import Deliveries, Delivery, NewDelivery, offer
from codeai.events.records import EventRecord
from codeai.events.schedule import HANDLERS, Schedule
from codeai.events.webhooks import Client, retry_after
from codeai.integrations.errors import OutboundError
from codeai.integrations.outbound import Limits
from codeai.messages.email import Email, MailFailed, MailServer, MessageRefused, email_of
from codeai.messages.slack import SlackChannels, SlackMessage
from codeai.messages.templates import Rendered, TemplateFailed, Templates
from codeai.storage.codecs import decode_json

_ENCODER: Final = msgspec.json.Encoder()
_FINAL: Final = (400, 401, 403, 404, 410)  # what Slack says of a message or an address that will never do


class Sending:
    """See ``evaluate.effects.Sender``. Templates are rendered at once, so that what is wrong with them is seen where it is said."""

    def __init__(self, deliveries: Deliveries, dispatcher: Dispatcher, templates: Templates) -> None:
        self._deliveries = deliveries
        self._dispatcher = dispatcher
        self._templates = templates

    async def send(self, context: Context, channel: str, target: str | None, values: Mapping[str, Any]) -> None:
        """See ``Sender``."""
        if target is None:
            raise EvaluationError("there is nobody to send this to: the address is null")
        content = self._email(target, values) if channel == "email" else self._slack(target, values)
        made = NewDelivery(kind=channel, target=target[:200], content=_ENCODER.encode(content).decode())
        await self._deliveries.add(context.session, (made,), context.now)
        await self._deliveries.trace(context.session, made)
        await offer(context.session, self._dispatcher, (made,))

    def _rendered(self, values: Mapping[str, Any]) -> Rendered:
        name = values.get("template")
        if name is None:
            return Rendered()
        data = to_json(values.get("data") or {})
        if not isinstance(data, Mapping):
            raise EvaluationError("the data of a template is a record")
        try:
            return self._templates.render(text(name), data)
        except TemplateFailed as error:
            raise EvaluationError(str(error)) from error

    def _email(self, target: str, values: Mapping[str, Any]) -> Email:
        rendered = self._rendered(values)
        subject = text(values.get("subject")) or rendered.subject
        plain, html = text(values.get("text")) or rendered.text, text(values.get("html")) or rendered.html
        try:
            return email_of(target, values, " ".join(subject.split()), plain, html)
        except MessageRefused as error:
            raise EvaluationError(str(error)) from error

    def _slack(self, target: str, values: Mapping[str, Any]) -> SlackMessage:
        said = text(values.get("message")) or text(values.get("text"))
        return SlackMessage(text(values.get("channel")) or target, said)


def summary(event: EventRecord) -> str:
    """An event as people read it when the program has no template of its name: a line per field."""
    payload = decode_json(event.payload)
    return "\n".join([event.name, *(f"{name}: {_shown(value)}" for name, value in payload.items())])


def _shown(value: object) -> str:
    return text(value) if not isinstance(value, Mapping | list) else msgspec.json.encode(value, enc_hook=str).decode()


class EmailTarget:
    """Hands messages to the mail server (see ``deliverer.Outside``)."""

    def __init__(self, server: MailServer, templates: Templates, clock: Callable[[], datetime.datetime]) -> None:
        self._server = server
        self._templates = templates
        self._clock = clock

    def schedule(self, delivery: Delivery) -> Schedule:
        """See ``deliverer.Outside``."""
        return Schedule(HANDLERS)

    async def send(self, delivery: Delivery) -> Sent:
        """See ``deliverer.Outside``."""
        message = self._message(delivery)
        try:
            answer = await self._server.send(message, str(delivery.id), self._clock())
        except MailFailed as error:
            raise DeliveryFailed(str(error), final=error.final) from error
        except MessageRefused as error:
            raise DeliveryFailed(str(error), final=True) from error
        return Sent(answer=answer)

    def _message(self, delivery: Delivery) -> Email:
        if delivery.content is not None:
            return msgspec.json.decode(delivery.content, type=Email)
        event = delivery.event
        assert event is not None
        if not self._templates.exists(event.name):
            return Email(to=(delivery.target,), subject=event.name, text=summary(event))
        try:
            rendered = self._templates.render(
                event.name, {"event": {**decode_json(event.payload), "id": str(event.id), "name": event.name}}
            )
        except TemplateFailed as error:
            raise DeliveryFailed(str(error)) from error
        return Email(to=(delivery.target,), subject=rendered.subject or event.name, text=rendered.text, html=rendered.html)


class SlackTarget:
    """Posts to incoming webhooks of Slack (see ``deliverer.Outside``).

    :param client: trusts the hosts of the addresses
    """

    def __init__(self, channels: SlackChannels, client: Client, clock: Callable[[], datetime.datetime]) -> None:
        self._channels = channels
        self._client = client
        self._clock = clock

    def schedule(self, delivery: Delivery) -> Schedule:
        """See ``deliverer.Outside``."""
        return Schedule(HANDLERS)

    async def send(self, delivery: Delivery) -> Sent:
        """See ``deliverer.Outside``."""
        if delivery.content is not None:
            message = msgspec.json.decode(delivery.content, type=SlackMessage)
        else:
            assert delivery.event is not None
            message = SlackMessage(delivery.target, summary(delivery.event))
        url = self._channels.url(message.channel)
        if url is None:
            raise DeliveryFailed(f"no address is known for channel '{message.channel}'", final=True)
        try:
            answer = await self._client.send(
                "POST", url, headers=[("content-type", "application/json")], body=message.body(), limits=Limits(total=15.0, answer=65_536)
            )
        except OutboundError as error:
            raise DeliveryFailed(f"{error} ({error.code})") from error
        said = answer.body[:500].decode("utf-8", "replace")
        if answer.status == 200:
            return Sent(answer.status, said)
        wait = retry_after(answer.header("retry-after"), self._clock())
        final = answer.status in _FINAL
        raise DeliveryFailed(f"Slack answered {answer.status} {said}", status=answer.status, answer=said, retry_after=wait, final=final)
