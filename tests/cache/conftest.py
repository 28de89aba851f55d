"""What the tests of caches share."""

from collections.abc import Iterator

import pytest

from services.redis import RedisServer


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that the test may end."""
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()
