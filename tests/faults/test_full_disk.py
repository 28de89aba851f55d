"""The disk of the embedded database is full: writes are refused by name, nothing is lost, and all goes on by itself when there is room."""

import itertools
import os
import resource
import subprocess
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from extent import ALL
from faultpage import Observed
from faultshop import PROGRAM, Books, environment, until

from services.peer import Peer, Reply
from services.postgres import PostgresServer
from services.process import ServerProcess

Start = Callable[..., ServerProcess]
ORDERS = 30


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system; the limit on the size of files is tested instead")
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def no_room(folder: Path) -> Iterator[None]:
    """Fills a file system to its last byte."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            pass
    yield
    filler.unlink()


@contextmanager
def no_growth(process: int, folder: Path) -> Iterator[None]:
    """Lets files of a process grow no further than the database is: as a quota does."""
    before = resource.prlimit(process, resource.RLIMIT_FSIZE)
    size = (folder / "app.db").stat().st_size
    resource.prlimit(process, resource.RLIMIT_FSIZE, (size, before[1]))
    yield
    resource.prlimit(process, resource.RLIMIT_FSIZE, before)


def ordered(observed: Observed, numbers: Iterable[int]) -> tuple[set[int], set[tuple[int, str]]]:
    """Many orders at once; those that were taken, and what the others were told."""

    def order(number: int) -> tuple[int, int, str]:
        answer = observed.ask("POST", "/orders", json={"number": number})
        return number, answer.status_code, answer.json().get("code", "")

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(order, numbers))
    return {number for number, status, _ in found if status == 201}, {(status, code) for _, status, code in found if status != 201}


@pytest.mark.parametrize("kind", ["disk", "quota"])
def test_a_full_disk_refuses_writes_loses_nothing_and_heals(
    start_server: Start, tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    folder = request.getfixturevalue("small_disk") if kind == "disk" else tmp_path / "data"
    folder.mkdir(exist_ok=True)
    (tmp_path / "app.cai").write_text(PROGRAM)
    url = f"sqlite:///{folder}/app.db"
    with Peer(lambda seen: Reply(200)) as partner:
        server = start_server(tmp_path / "app.cai", env=environment(url, partner.url))
        observed, books = Observed(server), Books(url)
        assert server.process is not None
        accepted, refused = ordered(observed, range(ORDERS))
        assert refused == set()
        # What follows from these orders is under way while the disk becomes full.
        with no_room(folder) if kind == "disk" else no_growth(server.process.pid, folder):
            numbers = itertools.count(ORDERS)
            while not refused:
                more, refused = ordered(observed, itertools.islice(numbers, ORDERS))
                accepted |= more
            assert refused == {(507, "disk_full") if kind == "disk" else (503, "database_unavailable")}
            assert observed.ask("GET", f"/orders/{min(accepted)}").status_code == 200
            assert observed.look().json()["checks"]["database"]["status"] == "degraded"
        more, refused = ordered(observed, itertools.islice(numbers, ORDERS))
        assert refused == set()
        accepted |= more
        assert until(books.settled), server.output[-3000:]
        assert until(lambda: observed.look().json()["status"] == "healthy")
        books.agree(accepted, partner.seen)
        observed.shows("disk of SQLite full" if kind == "disk" else "disk of SQLite fails")
        assert books.rows("PRAGMA integrity_check") == [("ok",)]
        assert server.process.poll() is None
        assert server.terminate() == 0


@pytest.fixture
def small_postgres() -> Iterator[tuple[PostgresServer, Path]]:
    """A PostgreSQL server with a tablespace on a file system of 24 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    server = PostgresServer()
    folder = server.folder / "small"
    folder.mkdir()
    owner = server.folder.stat()
    options = f"size=24m,mode=700,uid={owner.st_uid},gid={owner.st_gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        server.start()
        server.sql(f"CREATE TABLESPACE small LOCATION '{folder}'")
        yield server, folder
    finally:
        server.kill()
        subprocess.run(["umount", "-l", str(folder)], check=True)
        server.remove()


@pytest.mark.skipif(not ALL, reason="eight seconds of a processor: with `make faults`")
def test_a_full_disk_of_postgresql_refuses_writes_loses_nothing_and_heals(
    start_server: Start, tmp_path: Path, small_postgres: tuple[PostgresServer, Path]
) -> None:
    postgres, folder = small_postgres
    (tmp_path / "app.cai").write_text(PROGRAM)
    postgres.sql("CREATE DATABASE shop TABLESPACE small STRATEGY file_copy")
    url = postgres.dsn("shop")
    with Peer(lambda seen: Reply(200)) as partner:
        server = start_server(tmp_path / "app.cai", env=environment(url, partner.url))
        observed, books = Observed(server), Books(url, postgres)
        accepted, refused = ordered(observed, range(ORDERS))
        assert refused == set()
        with no_room(folder):
            numbers = itertools.count(ORDERS)
            while not refused:
                more, refused = ordered(observed, itertools.islice(numbers, ORDERS))
                accepted |= more
            assert refused == {(507, "disk_full")}
            assert observed.ask("GET", f"/orders/{min(accepted)}").status_code == 200
            observed.look()
        more, refused = ordered(observed, itertools.islice(numbers, ORDERS))
        assert refused == set()
        accepted |= more
        assert until(books.settled), server.output[-3000:]
        books.agree(accepted, partner.seen)
        observed.shows("disk of PostgreSQL full")
        assert server.terminate() == 0


def test_a_disk_that_is_full_for_logs_fails_no_request(start_server: Start, tmp_path: Path, small_disk: Path) -> None:
    (tmp_path / "app.cai").write_text('endpoint GET /nothing { auth: public  returns: string  do { return "nothing" } }')
    log = small_disk / "app.log"
    server = start_server(tmp_path / "app.cai", env={"DATABASE_URL": f"sqlite:///{tmp_path}/app.db", "LOG_OUTPUT": str(log)})
    observed = Observed(server, log=log)
    with no_room(small_disk):
        for _ in range(200):  # more than fits into the rest of the last page
            assert observed.ask("GET", "/nothing").status_code == 200
        assert until(lambda: "log_lines_lost 0" not in observed.ask("GET", "/metrics").text)
        assert observed.look().json()["status"] == "healthy"
    assert observed.ask("GET", "/nothing").status_code == 200
    observed.shows("disk full for logs")
