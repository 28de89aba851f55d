"""How long an exchange with Redis may take: the time in which this process stood still does not count."""

import asyncio
import socket
import time

import pytest
import uvloop

from codeai.storage.redis import Redis, RedisUnavailable
from services.redis import RedisServer


async def _stalled(redis: Redis) -> object:
    async def stall() -> None:
        time.sleep(1.2)  # noqa: ASYNC251  # the loop stands still, as when a full collection or another process takes the processor

    await redis.start()
    try:
        answer, _ = await asyncio.gather(redis.command("PING"), stall())
        return answer
    finally:
        await redis.close()


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_a_process_that_stood_still_does_not_take_that_for_an_outage(redis_server: RedisServer, loop) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(_stalled(Redis(redis_server.url, timeout=0.5))) is True


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_one_that_is_silent_is_given_up_all_the_same(loop) -> None:
    with socket.socket() as silent, asyncio.Runner(loop_factory=loop) as runner:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        redis = Redis(f"redis://127.0.0.1:{silent.getsockname()[1]}")

        async def asked() -> None:
            with pytest.raises(RedisUnavailable):
                await redis.command("PING")
            assert not redis.available
            await redis.close()

        runner.run(asked())
