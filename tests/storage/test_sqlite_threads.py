"""The threads of SQLite: what is given to them is done in turn, and nobody goes on while his work still runs."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from codeai.storage.sqlite.threads import Thread


@pytest.fixture
async def thread() -> AsyncIterator[Thread]:
    found = Thread("test")
    yield found
    await asyncio.to_thread(found.close)


def nothing() -> None:
    """Interrupts nothing."""


async def test_work_is_done_in_turn_on_one_thread(thread: Thread) -> None:
    order: list[int] = []

    def work(number: int) -> tuple[int, str]:
        order.append(number)
        return number, threading.current_thread().name

    found = await asyncio.gather(*(thread.run(lambda number=number: work(number), nothing) for number in range(20)))  # type: ignore[misc]
    assert found == [(number, "test") for number in range(20)]
    assert order == list(range(20))


async def test_errors_reach_who_asked_and_nobody_else(thread: Thread) -> None:
    with pytest.raises(ZeroDivisionError):
        await thread.run(lambda: 1 // 0, nothing)
    assert await thread.run(lambda: 1, nothing) == 1


async def test_who_leaves_interrupts_the_work_and_waits_until_it_has_stopped(thread: Thread) -> None:
    began, stop, stopped = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        stop.wait(60)
        stopped.set()
        raise RuntimeError("interrupted")

    task = asyncio.ensure_future(thread.run(work, stop.set))
    await asyncio.to_thread(began.wait, 60)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped.is_set()
    assert await thread.run(lambda: 1, nothing) == 1


def test_a_thread_serves_one_loop_after_another_and_ends_when_it_is_told() -> None:
    thread, stop = Thread("test"), threading.Event()

    async def one() -> int:
        return await thread.run(lambda: 1, nothing)

    async def left() -> None:
        asyncio.get_running_loop().call_soon(asyncio.get_running_loop().stop)
        await thread.run(lambda: stop.wait(60), nothing)

    assert asyncio.run(one()) == 1
    loop = asyncio.new_event_loop()
    task = loop.create_task(left())
    loop.run_forever()
    loop.close()  # while the work runs: there is nobody to tell
    stop.set()
    assert asyncio.run(one()) == 1
    assert not task.done()
    task.get_coro().close()  # type: ignore[union-attr]  # it never ends by itself
    thread.close()
