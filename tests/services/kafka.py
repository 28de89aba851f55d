"""A Kafka broker of the tests' own: the one that librdkafka brings for tests, which speaks the protocol on a port."""

import time
from typing import Any

from confluent_kafka import Consumer, Producer


class KafkaBroker:
    """Runs in this process until ``close``; ``records`` reads a topic with another client than the one under test."""

    def __init__(self) -> None:
        self._cluster: Any = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 3})
        brokers = self._cluster.list_topics(timeout=60).brokers.values()
        self.address = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)

    def records(self, topic: str, number: int, seconds: float = 60.0) -> list[tuple[bytes, bytes, dict[str, bytes]]]:
        """Key, value and headers of the first so many records."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": "tests", "auto.offset.reset": "earliest", "log_level": 0})
        consumer.subscribe([topic])
        found: list[tuple[bytes, bytes, dict[str, bytes]]] = []
        deadline = time.monotonic() + seconds
        while len(found) < number:
            assert time.monotonic() < deadline, f"{len(found)} of {number} records came"
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                found.append((message.key(), message.value(), dict(message.headers() or [])))
        consumer.close()
        return found

    def close(self) -> None:
        """Ends the broker."""
        self._cluster = None
