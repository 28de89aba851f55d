"""Events of one process: the outbox, the relay, the targets, and what they need of the settings."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from codeai.durable.dispatch.protocol import Dispatcher
from codeai.evaluate.context import Log, Services
from codeai.evaluate.effects import Effects
from codeai.evaluate.program import Evaluator
from codeai.events.control import EventsControl
from codeai.events.deliverer import Deliverer, Inside, Outside, Sent
from codeai.events.deliveries import KIND, Deliveries, Delivery
from codeai.events.handlers import Handlers, Starter, Workflows
from codeai.events.kafka import KafkaTarget, available
from codeai.events.outbox import DataTriggers, Outbox
from codeai.events.relay import RELAY, Doorbell, Relay, nothing, ring
from codeai.events.retention import Retention
from codeai.events.routes import routes_of
from codeai.events.schedule import HANDLERS, Schedule
from codeai.events.sending import EmailTarget, Sending, SlackTarget
from codeai.events.signatures import HmacVerifier, StandardVerifier, secret_keys
from codeai.events.versions import Versions
from codeai.events.webhooks import Endpoint, Webhooks, endpoint_of
from codeai.events.wiring import wiring_of
from codeai.integrations.addresses import AddressPolicy
from codeai.integrations.outbound import Outbound, host_of
from codeai.jobs.schedules import definitions
from codeai.messages.email import MailServer, MessageRefused, addresses
from codeai.messages.templates import TemplateFailed, Templates
from codeai.model import expression as ir
from codeai.model.application import Application
from codeai.model.endpoint import Verification
from codeai.model.event import Webhook
from codeai.model.statement import Send
from codeai.observability.metrics.instruments import Metrics
from codeai.server.errors import StartError
from codeai.server.settings import Settings
from codeai.storage.interface import Database

_Node = TypeVar("_Node")
_SECURITY: Final = {465: "tls", 25: "none", 1025: "none"}


class Recorded:
    """Stands for all targets outside while the program's tests run: it takes everything and sends nothing."""

    def __init__(self) -> None:
        self.taken: list[Delivery] = []

    def schedule(self, delivery: Delivery) -> Schedule:
        """See ``deliverer.Outside``."""
        return Schedule(HANDLERS)

    async def send(self, delivery: Delivery) -> Sent:
        """See ``deliverer.Outside``."""
        self.taken.append(delivery)
        return Sent()


class Eventing:
    """The events of one process.

    :param folder: where the program lies, for its templates
    :param triggers: the data triggers that the plans of statements have been given
    :param recording: nothing leaves the process (tests of programs)
    :param passed: is told of the points at which tests end the process
    """

    def __init__(
        self,
        application: Application,
        database: Database,
        dispatcher: Dispatcher,
        settings: Settings,
        evaluator: Evaluator,
        plain: Callable[[Any], Any],
        triggers: Mapping[str, DataTriggers],
        clock: Callable[[], datetime.datetime],
        folder: Path,
        *,
        recording: bool = False,
        passed: Callable[[str], None] = nothing,
    ) -> None:
        self._passed = passed
        self._application = application
        self._database = database
        self._dispatcher = dispatcher
        self._settings = settings
        self._evaluator = evaluator
        self._clock = clock
        self._tasks: set[asyncio.Task[Any]] = set()
        self._doorbell = Doorbell(database, dispatcher, self._spawn, passed)
        self.outbox = Outbox(application, database.dialect, evaluator, plain, clock, self._doorbell)
        for trigger in triggers.values():
            trigger.bind(self.outbox, evaluator)
        self.deliveries = Deliveries(self.outbox.forms)
        self.templates = Templates(folder)
        self.recorded = Recorded() if recording else None
        self._channels = settings.slack_webhook_url
        self._client = Outbound(AddressPolicy(settings.outbound_allow))
        self._slack_client = Outbound(AddressPolicy(settings.outbound_allow, [host_of(url) for url in self._channels.urls]))
        self.webhooks = Webhooks(database, self.outbox.forms, self._endpoints(), self._client, clock)
        self._kafka: KafkaTarget | None = None
        self._deliverer: Deliverer | None = None
        self._handlers: Handlers | None = None
        self.retention = Retention(database, self.outbox.forms)
        self._targets = self._outside()
        routes = routes_of(application, evaluator)
        self.versions = Versions(database, wiring_of(application, routes, self._targets, definitions(application)))
        self.relay = Relay(database, dispatcher, self.outbox, self.deliveries, self.versions, routes, clock, passed)
        self.control = EventsControl(application, database, dispatcher, self.outbox, self.relay, self.deliveries, self.webhooks, clock)
        self._check_sends()
        self.active = bool(application.events) or bool(nodes_of(application, Send))

    def connect(self, effects: Effects, services: Services, log: Log, starter: Starter | None = None) -> None:
        """Gives programs what they emit and send with, and the dispatcher what works on it."""
        effects.emitter = self.outbox
        effects.sender = Sending(self.deliveries, self._dispatcher, self.templates)
        self._handlers = Handlers(self._application, self._evaluator, self.outbox, self._clock, services, log, effects)
        inside: dict[str, Inside] = {"handler": self._handlers}
        if starter is not None:
            inside["workflow"] = Workflows(self.outbox, starter)
        deliverer = Deliverer(
            self._database, self._dispatcher, self.deliveries, self._clock, inside, self._targets, self.versions, passed=self._passed
        )
        self._deliverer = deliverer
        self._dispatcher.register(RELAY, self.relay)
        self._dispatcher.register(KIND, deliverer)

    def observe(self, metrics: Metrics) -> None:
        """Counts attempts."""
        if not self.active or self._deliverer is None:
            return
        attempts = metrics.counter("event_deliveries_total", "Attempts of deliveries, by outcome.", ("kind", "target", "outcome"))
        durations = metrics.histogram("event_delivery_duration_seconds", "How long attempts took.", ("kind",))

        def observed(kind: str, target: str, outcome: str, seconds: float) -> None:
            # The addresses of messages are many, and not for everybody's eyes.
            attempts.add(kind, "" if kind == "email" else target, outcome)
            durations.observe(seconds, kind)

        self._deliverer.observer = observed

    # -- targets outside -------------------------------------------------------------------------------------------

    def _outside(self) -> dict[str, Outside]:
        if self.recorded is not None:
            return dict.fromkeys(("webhook", "email", "slack", "kafka"), self.recorded)
        found: dict[str, Outside] = {"webhook": self.webhooks}
        self._check_channels()
        server = self._mail_server()
        if server is not None:
            found["email"] = EmailTarget(server, self.templates, self._clock)
        if self._channels.urls:
            found["slack"] = SlackTarget(self._channels, self._slack_client, self._clock)
        if self._settings.kafka_brokers and available():
            self._kafka = KafkaTarget(self._settings.kafka_brokers)
            found["kafka"] = self._kafka
        return found

    def _mail_server(self) -> MailServer | None:
        settings = self._settings
        if settings.smtp_host is None:
            return None
        return MailServer(
            host=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=settings.smtp_password,
            security=settings.smtp_security or _SECURITY.get(settings.smtp_port, "starttls"),
            sender=settings.smtp_from or "",
        )

    def _check_channels(self) -> None:
        """What the program sends by must be set up (invariant 1: a program that validates starts, or says why not)."""
        for kind, name, at in self._channels_used():
            if kind == "email" and (self._settings.smtp_host is None or self._settings.smtp_from is None):
                raise StartError("e-mail is sent here: set SMTP_HOST and SMTP_FROM", at)
            if kind == "slack" and self._channels.url(name or "") is None:
                wanted = f"SLACK_WEBHOOK_URL has no address for '{name}'" if self._channels.urls else "set SLACK_WEBHOOK_URL"
                raise StartError(f"Slack is told here: {wanted}", at)
            if kind == "kafka" and not available():
                raise StartError("Kafka is written to here: install the extra, pip install 'codeai[kafka]'", at)
            if kind == "kafka" and not self._settings.kafka_brokers:
                raise StartError("Kafka is written to here: set KAFKA_BROKERS", at)
        if self._settings.smtp_from is not None:
            try:
                addresses(self._settings.smtp_from, "SMTP_FROM")
            except MessageRefused as error:
                raise StartError(str(error)) from error

    def _channels_used(self) -> Iterator[tuple[str, str | None, int]]:
        for event in self._application.events:
            for publication in event.publish:
                yield publication.kind, publication.target, event.at
        for send in nodes_of(self._application, Send):
            target = send.target.value if isinstance(send.target, ir.Constant) else None
            yield send.channel, target, send.at

    def _check_sends(self) -> None:
        """Templates that the program names must be there and be well formed."""
        for send in nodes_of(self._application, Send):
            for entry in send.values:
                if entry.name == "template" and isinstance(entry.value, ir.Constant):
                    try:
                        self.templates.check(str(entry.value.value))
                    except TemplateFailed as error:
                        raise StartError(str(error), send.at) from error

    # -- webhooks --------------------------------------------------------------------------------------------------

    def _endpoints(self) -> dict[str, Endpoint]:
        return {model.name: self._endpoint(model) for model in self._application.webhooks}

    def _endpoint(self, model: Webhook) -> Endpoint:
        constant = self._evaluator.constant
        try:
            keys = secret_keys(constant(model.secret)) if model.secret is not None else ()
        except ValueError as error:
            raise StartError(f"webhook '{model.name}': {error}", model.at) from error
        url = str(constant(model.url))
        if not url.startswith(("https://", "http://")) and self.recorded is None:
            raise StartError(f"the url of webhook '{model.name}' begins with https://", model.at)
        return endpoint_of(model, url, keys, {entry.name: str(constant(entry.value)) for entry in model.headers})

    def verifier(self, model: Verification) -> StandardVerifier | HmacVerifier:
        """What knows the sender of an inbound webhook."""
        try:
            keys = tuple(key for secret in model.secrets for key in secret_keys(self._evaluator.constant(secret)))
        except ValueError as error:
            raise StartError(f"'verify': {error}", model.at) from error
        tolerance = model.tolerance / 1000

        def now() -> float:
            return self._clock().timestamp()

        if model.scheme == "standard_webhooks":
            return StandardVerifier(keys, tolerance, now)
        return HmacVerifier(keys, model.header, model.id, model.timestamp, tolerance, now)

    # -- life ------------------------------------------------------------------------------------------------------

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def start(self) -> None:
        """Joins the versions of the program that run, and makes sure that there is a relay."""
        await self.versions.start()
        names = self.versions.own.handlers_of(self._application)
        self.relay.rename(names)
        if self._handlers is not None:
            self._handlers.rename(names)
        if self.active:
            await ring(self._database.writing(), self._dispatcher)

    async def stop(self) -> None:
        """Ends connections, after the last ring."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)
        await self.versions.stop()
        await self._client.close()
        await self._slack_client.close()
        if self._kafka is not None:
            await self._kafka.close()

    async def settle(self) -> None:
        """Runs everything that committed events lead to, to its end (tests of programs)."""
        while True:
            if self._tasks:
                await asyncio.wait(self._tasks)
            if not await self._dispatcher.run_due() and not self._tasks:
                return


def nodes_of(value: Any, kind: type[_Node]) -> list[_Node]:
    """All nodes of a kind in a tree of the model."""
    found: list[_Node] = [value] if isinstance(value, kind) else []
    if isinstance(value, tuple):
        return [node for part in value for node in nodes_of(part, kind)]
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            part = getattr(value, name)
            if isinstance(part, tuple | msgspec.Struct):
                found.extend(nodes_of(part, kind))
    return found
