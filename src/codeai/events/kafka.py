"""Events as records of Kafka topics, with the extra ``codeai[kafka]``.

The value is the JSON of the event, the key is the event's key (else its identifier), headers carry the identifier. The producer
is idempotent, so that a retry of the client itself writes no record twice; a repeated delivery does, and consumers know it by
its identifier.
"""

from __future__ import annotations

import asyncio
import importlib.util
from typing import Any, Final

from codeai.events.deliverer import DeliveryFailed, Sent
from codeai.events.deliveries import Delivery
from codeai.events.schedule import HANDLERS, Schedule
from codeai.events.webhooks import body_of

TIMEOUT: Final = 15.0  # seconds for a connection and for an answer


def available() -> bool:
    """Whether the extra is installed."""
    return importlib.util.find_spec("aiokafka") is not None


class KafkaTarget:
    """Writes to topics (see ``deliverer.Outside``).

    :param brokers: ``host:port`` with commas between them
    """

    def __init__(self, brokers: str, *, client: str = "codeai", timeout: float | None = None) -> None:
        self._brokers = brokers
        self._client = client
        self._timeout = TIMEOUT if timeout is None else timeout
        self._producer: Any = None
        self._starting = asyncio.Lock()

    def schedule(self, delivery: Delivery) -> Schedule:
        """See ``deliverer.Outside``."""
        return Schedule(HANDLERS)

    async def send(self, delivery: Delivery) -> Sent:
        """See ``deliverer.Outside``."""
        from aiokafka.errors import KafkaError

        event = delivery.event
        assert event is not None
        headers = [("event-id", str(event.id).encode()), ("event-type", event.name.encode())]
        try:
            producer = await self._started()
            written = await producer.send_and_wait(
                delivery.target,
                body_of(event),
                key=(event.key or str(event.id)).encode(),
                headers=headers,
                timestamp_ms=int(event.at.timestamp() * 1000),
            )
        except (KafkaError, OSError, TimeoutError) as error:
            raise DeliveryFailed(f"the brokers did not take it: {error or type(error).__name__}"[:500]) from error
        return Sent(answer=f"{written.topic}/{written.partition}@{written.offset}")

    async def _started(self) -> Any:
        async with self._starting:
            if self._producer is None:
                self._producer = await self._connected()
        return self._producer

    async def _connected(self) -> Any:
        from aiokafka import AIOKafkaProducer

        producer = AIOKafkaProducer(
            bootstrap_servers=self._brokers.split(","),
            client_id=self._client,
            enable_idempotence=True,
            acks="all",
            request_timeout_ms=int(self._timeout * 1000),
        )
        try:
            async with asyncio.timeout(self._timeout):
                await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def close(self) -> None:
        """Flushes and ends the connections."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None
