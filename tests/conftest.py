"""Fixtures that all tests share."""

import functools
import logging
import os
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling

sys.path.insert(0, str(Path(__file__).parent))

from services.postgres import PostgresServer
from services.process import ServerProcess
from services.redis import RedisServer
from services.service import Service

ROOT = Path(__file__).parent.parent

# Many processes are started here; without kept bytecode each would compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# What a shell starts in the background ignores Ctrl-C, and so would everything that is started here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# ``httpx.get`` and its like read the certificates of all authorities at each call, 40 ms of the processor; nobody changes them here.
httpx._transports.default.create_ssl_context = functools.cache(httpx._transports.default.create_ssl_context)

# A busy machine may let a server stand for longer than the five seconds that clients wait otherwise.
for _kind in ("connect", "read", "write", "pool"):
    setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, _kind, 60.0)

# Nor is a connection another one because more than five seconds went by: some tests speak with one process of several by theirs.
httpx._config.DEFAULT_LIMITS.keepalive_expiry = None

# A run of the tests repeats itself; EXPLORE=1 looks for new examples. How long an example takes says only how busy the machine is.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("repeatable", hypothesis.settings.get_profile("patient"), derandomize=True, database=None)
hypothesis.settings.load_profile("patient" if os.environ.get("EXPLORE") else "repeatable")


class _Together(LoadGroupScheduling):
    """The tests of a file run in one process: what they share (a server, a composed program, an engine) is begun once and not in each.

    The groups of pytest-xdist 3.8 do not reach its scheduler with pytest 9.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        folder = path.rpartition("/")[0]
        if path in _APART or (folder in _LONG and path not in _SHARING):
            return nodeid
        return folder if folder == "tests/control" else path


# Where single tests take long and share nothing, or little.
_LONG = ("tests/faults", "tests/system")
_APART = ("tests/evaluate/test_any_operands.py", "tests/server/test_supervisor.py", "tests/cli/test_db_upgrade.py")
_SHARING = (
    "tests/faults/test_bad_peers.py",
    "tests/faults/test_faults.py",
    "tests/system/test_packaging.py",
    "tests/system/test_sharing_over_postgresql.py",
)

# What takes long comes first: at the end short files keep all processes busy alike. The fuzzer is the longest, and wants a processor.
_FIRST = (
    *("tests/fuzz/test_fuzz.py", "tests/system", "tests/faults", "tests/acceptance", "tests/control", "tests/docs", "tests/jobs"),
    *("tests/server", "tests/cli", "tests/evaluate/test_any_operands.py", "tests/storage/test_synchronise.py"),
    *("tests/query/test_selections.py", "tests/durable", "tests/language/test_recovery.py", "tests/analysis/test_wrong_programs.py"),
    "tests/fuzz",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order in which processes are given tests: the files that are named above, then the others by how many tests they have."""
    paths = [item.nodeid.partition("::")[0] for item in items]
    counts = Counter(paths)

    def rank(path: str) -> tuple[int, int, str]:
        named = next((at for at, name in enumerate(_FIRST) if path.startswith(name)), None)
        return (len(_FIRST), -counts[path], path) if named is None else (named, 0, "")

    ranks = {path: rank(path) for path in counts}
    order = sorted(range(len(items)), key=lambda at: ranks[paths[at]])
    items[:] = [items[at] for at in order]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadGroupScheduling:
    """See ``_Together``; asked by ``pytest -n``."""
    config.option.loadscopereorder = False  # the order is that of the items
    return _Together(config, log)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """What a test sets up for the log of this process ends with it."""
    loggers = [logging.getLogger(), logging.getLogger("codeai")]
    before = [(logger.level, logger.propagate, list(logger.handlers)) for logger in loggers]
    yield
    for logger, (level, propagate, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.propagate = propagate
        logger.handlers[:] = handlers


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, once on each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/data/app.db"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.create_database()


def _services(request: pytest.FixtureRequest, folders: pytest.TempPathFactory, kind: str) -> Iterator[Callable[..., Service]]:
    opened: dict[tuple[object, ...], Service] = {}

    def open_(program: str | Path, **options: object) -> Service:
        key = (program, *sorted((name, repr(value)) for name, value in options.items()))
        if key not in opened:
            folder = folders.mktemp("service")
            path = program if isinstance(program, Path) else folder / "app.cai"
            if isinstance(program, str):
                path.write_text(program, encoding="utf-8")
            if kind == "sqlite":
                url = f"sqlite:///{folder}/data/app.db"
            else:
                url = request.getfixturevalue("postgres").create_database()
            opened[key] = Service(path, url, **options)
        return opened[key]

    yield open_
    for service in opened.values():
        service.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def service_of(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Service]]:
    """A function that composes a program (its text or its path) on a database; once per module, program and kind of database."""
    yield from _services(request, tmp_path_factory, request.param)


@pytest.fixture(scope="module")
def sqlite_service_of(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Service]]:
    """As ``service_of``, for what has nothing to do with the database."""
    yield from _services(request, tmp_path_factory, "sqlite")


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[object]:
    """A function that starts a server process; all are ended after the test."""
    started: list[ServerProcess] = []

    def start(program: Path, *, wait: bool = True, env: dict[str, str] | None = None, arguments: tuple[str, ...] = ()) -> ServerProcess:
        folder = tmp_path / f"server{len(started)}"
        folder.mkdir()
        server = ServerProcess(program, folder, env=env, arguments=arguments)
        started.append(server)
        server.start(wait=wait)
        return server

    yield start
    for server in started:
        server.remove()
