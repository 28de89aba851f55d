"""Workflows of five trivial steps on DBOS alone: taken from its queue, fifty at a time, in one process."""

import logging
import time
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
from dbos import DBOS

CONCURRENCY = 50


def _functions(asynchronous: bool) -> Callable[..., Any]:
    if asynchronous:

        @DBOS.step()
        async def step(n: int) -> int:
            return n + 1

        @DBOS.workflow(name="plain")
        async def workflow(n: int) -> int:
            for _ in range(5):
                n = await step(n)
            return n

    else:

        @DBOS.step()
        def step(n: int) -> int:
            return n + 1

        @DBOS.workflow(name="plain")
        def workflow(n: int) -> int:
            for _ in range(5):
                n = step(n)
            return n

    return workflow


def plain(url: str, count: int, *, asynchronous: bool = False) -> tuple[float, float]:
    """Workflows per second, and milliseconds of processor time each.

    They lie in the queue before the clock starts, as do those of ours.
    """
    logging.getLogger("dbos").addHandler(logging.NullHandler())  # else it makes one for the console
    DBOS(
        config={
            "name": "plain",
            "system_database_url": url,
            "application_version": "1",
            "executor_id": str(uuid.uuid4()),
            "log_level": "ERROR",
        }
    )
    _functions(asynchronous)
    DBOS.launch()
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT dbos.enqueue_workflow(workflow_name => 'plain', queue_name => 'plain', positional_args => ARRAY[to_json(n)], "
                "app_version => '1', application_name => 'plain') FROM generate_series(1, %s) AS n",
                (count,),
            )
            began, processor = time.perf_counter(), time.process_time()
            DBOS.register_queue("plain", worker_concurrency=CONCURRENCY, polling_interval_sec=0.02)
            while _left(connection):
                time.sleep(0.05)
            return count / (time.perf_counter() - began), (time.process_time() - processor) / count * 1000
    finally:
        DBOS.destroy(destroy_registry=True)


def _left(connection: "psycopg.Connection[Any]") -> int:
    row = connection.execute("SELECT count(*) FROM dbos.workflow_status WHERE status <> 'SUCCESS'").fetchone()
    assert row is not None
    return int(row[0])


def best(url_of: Callable[[str], str], count: int) -> tuple[float, float]:
    """The better of its two ways to run: on threads, or in its event loop."""
    return max(plain(url_of("plain_threads"), count), plain(url_of("plain_loop"), count, asynchronous=True))


if __name__ == "__main__":
    import sys

    print(plain(sys.argv[1], int(sys.argv[2])))
