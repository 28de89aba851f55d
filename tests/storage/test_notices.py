"""Notices between processes at one PostgreSQL: what happens when the connection ends at an awkward moment."""

import asyncio

import pytest

from codeai.storage.notices import Notices
from codeai.storage.opening import open_database
from codeai.storage.postgresql import listening
from codeai.storage.settings import from_url
from services.network import Network

_END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.mark.parametrize("steps", range(5))
async def test_listening_ends_when_it_is_asked_to_at_the_moment_the_connection_is_lost(postgres, steps):
    """It went on for ever, and the server that waited for its end with it, when both came within the same turns of the event loop."""
    database = open_database(from_url(postgres.create_database()))
    notices, gone = Notices(database), asyncio.Event()
    loop = asyncio.get_running_loop()
    stopping: list[asyncio.Task[None]] = []

    def later(left: int) -> None:
        if left:
            loop.call_soon(later, left - 1)
        else:
            stopping.append(loop.create_task(notices.stop()))
            gone.set()

    started = []
    notices.on("news", lambda text: None)
    notices.on_gap(lambda: started or (started.append(True), later(steps)))
    await notices.start()
    try:
        ending = asyncio.ensure_future(database.writing().fetch(_END, ()))
        async with asyncio.timeout(60):
            await gone.wait()
        assert (await asyncio.wait(stopping, timeout=60))[0], "still listening"
        await ending
    finally:
        await database.close()


async def test_a_notice_is_heard_when_its_transaction_commits_and_only_then(postgres):
    url = postgres.create_database()
    here, there = open_database(from_url(url)), open_database(from_url(url))
    teller, listener, heard = Notices(here), Notices(there), []
    last = asyncio.Event()
    listener.on("news", heard.append)
    listener.on("end", lambda _: last.set())
    await listener.start()
    awkward = """it's "so"; ROLLBACK; -- \\'; $$ ü"""
    try:
        with pytest.raises(ZeroDivisionError):
            async with here.transaction() as session:
                await teller.write(session, "news", "never")
                raise ZeroDivisionError
        async with here.transaction() as session:
            await session.execute("CREATE TABLE kept (n int)", ())
            await teller.write(session, "news", awkward)
            await teller.write(session, "news", "second")
            assert not heard
        await teller.write(here.writing(), "end", "")
        async with asyncio.timeout(60):
            await last.wait()
        assert heard == [awkward, "second"]
        assert await here.reading().fetch("SELECT n FROM kept", ()) == []  # the transaction is there, too
    finally:
        await listener.stop()
        await here.close()
        await there.close()


async def test_a_network_that_falls_silent_is_noticed_and_hearing_comes_back(postgres, monkeypatch):
    """docs/guides/caching.md promises 4 s; the two times of which they are made are shortened here."""
    assert listening._CHECK_EVERY + listening._ANSWER == 4.0
    monkeypatch.setattr(listening, "_CHECK_EVERY", 0.3)
    monkeypatch.setattr(listening, "_ANSWER", 1.5)
    url = postgres.create_database()
    lost, heard = asyncio.Event(), asyncio.Queue[str]()
    with Network(postgres.port) as network:
        settings = from_url(url.replace(str(postgres.port), str(network.port)), connect_timeout=2.0)
        task = asyncio.ensure_future(listening.listen(settings, {"news": heard.put_nowait}, lost.set))
        async with asyncio.timeout(60):
            assert await heard.get() == ""
            assert not lost.is_set()
            await asyncio.to_thread(network.silent)
            await lost.wait()
            assert heard.empty()
            await asyncio.to_thread(network.whole)
            assert await heard.get() == ""  # something may have been missed
            await asyncio.to_thread(postgres.sql, "NOTIFY news, 'x'", url.rpartition("/")[2])
            assert await heard.get() == "x"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_an_outage_is_tried_often_and_said_once_for_each_cause(postgres, monkeypatch, caplog):
    monkeypatch.setattr(listening, "_FIRST_PAUSE", 0.001)
    monkeypatch.setattr(listening, "_LONGEST_PAUSE", 0.001)
    tries, many, heard = [], asyncio.Event(), asyncio.Queue[str]()
    opened = listening.opened

    async def failing(settings, application):
        tries.append(application)
        if len(tries) <= 30:
            raise ConnectionRefusedError(111, "Connection refused")
        if len(tries) <= 60:
            raise OSError(113, "No route to host")
        many.set()
        return await opened(settings, application)

    monkeypatch.setattr(listening, "opened", failing)
    task = asyncio.ensure_future(listening.listen(from_url(postgres.create_database()), {"news": heard.put_nowait}))
    async with asyncio.timeout(60):
        await many.wait()
        assert await heard.get() == ""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    said = [record.__dict__["cause"] for record in caplog.records if record.msg == "the connection for notices was lost, trying again"]
    assert said == ["connection refused", "no route to host"]
