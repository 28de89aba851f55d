"""Starting a server: everything that can be wrong is found out before the first request."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import msgspec

from codeai.http.wire.connection import Answerer
from codeai.language.rendering.brief import brief
from codeai.observability.logs.configuration import LogOutputError, LogSettings, configure, installed
from codeai.observability.processes import FOLDER_VARIABLE, instance_folder
from codeai.server.banner import show_banner
from codeai.server.cautions import cautions, quiet_about_secrets
from codeai.server.certificates import Certificates
from codeai.server.composition import Composition, StartError
from codeai.server.database import database_settings, synchronise
from codeai.server.listening import ALONE_VARIABLE, SOCKET_VARIABLE, AddressInUse, Place, bind, check, main_place, operator_place, unbind
from codeai.server.loading import Loaded, LoadError, apart, load_program
from codeai.server.lock import FileInUse, FileLock
from codeai.server.secrets import close_to_others, development_secret
from codeai.server.settings import SettingError, Settings, read_settings
from codeai.server.supervisor import AWAY, DURABLE, Supervisor, shares, worker_command
from codeai.server.wiring.control import program_texts
from codeai.server.wiring.program_settings import program_settings
from codeai.server.wiring.secrecy import redaction
from codeai.server.worker import Listener, run_worker
from codeai.storage.errors import DatabaseUnavailable, LockTimeout, PoolExhausted, SchemaMismatch, StatementTimeout
from codeai.storage.opening import open_database
from codeai.storage.settings import DatabaseSettings

_LOG: Final = logging.getLogger("codeai.server")
# Exit codes: the program is invalid, wrong usage, the surroundings are not as needed.
INVALID, USAGE, SURROUNDINGS = 1, 2, 3
_PASSING: Final = (DatabaseUnavailable, LockTimeout, PoolExhausted, StatementTimeout)
_FAILURES: Final = (SettingError, DatabaseUnavailable, AddressInUse, FileInUse, LogOutputError, OSError)


class Prepared(msgspec.Struct, frozen=True):
    """A program with everything that serving it needs."""

    program: Loaded
    settings: Settings
    database: DatabaseSettings
    environment: Mapping[str, str]


def prepare(path: Path | None, flags: Mapping[str, Any]) -> Prepared | int:
    """Loads the program and the settings; an exit code, after a message, when that fails."""
    try:
        program = load_program(path)
    except LoadError as error:
        return _say(str(error), USAGE)
    return make_ready(program, flags)


def make_ready(program: Loaded, flags: Mapping[str, Any], *, done: str = "served") -> Prepared | int:
    """The settings for a program that is loaded already; an exit code, after a message, when it cannot be used.

    :param done: what would be done with it, for messages
    """
    if flags.get("operator_port") or os.environ.get("CODEAI_OPERATOR_PORT"):
        program = apart(program)
    quiet_about_secrets()
    sys.stderr.write(brief(program.diagnostics, program.sources, colour=sys.stderr.isatty()))
    if not program.valid:
        return _say(f"the program has errors, nothing is {done}", INVALID)
    try:
        settings = read_settings(os.environ, flags, program_settings(program.application, program.sources, os.environ))
        settings = with_secret(settings, program.folder)
        close_to_others(program.folder / ".codeai")
        database = database_settings(settings, program.folder)
        handler = configure(
            LogSettings(
                level=settings.log_level,  # type: ignore[arg-type]  # checked when read
                format=settings.log_format,  # type: ignore[arg-type]  # as above
                output=settings.log_output,
                add_source=settings.log_add_source,
            )
        )
    except _FAILURES as error:
        return _say(str(error), SURROUNDINGS)
    handler.redaction = redaction(program.application, settings, os.environ)
    environment = {**os.environ, **({"JWT_SECRET": settings.jwt_secret} if settings.jwt_secret else {})}
    return Prepared(program, settings, database, environment)


def with_secret(settings: Settings, folder: Path) -> Settings:
    """The settings, in development with a secret in any case."""
    if settings.jwt_secret is not None or not settings.development or settings.jwt_public_key or settings.jwt_jwks_url:
        return settings
    return msgspec.structs.replace(settings, jwt_secret=development_secret(folder))


def composed(prepared: Prepared) -> Composition:
    """The parts of a serving process; raises StartError."""
    database = open_database(prepared.database)
    program = prepared.program
    return Composition(
        program.application, prepared.settings, database, prepared.environment, folder=program.folder, texts=program_texts(program)
    )


def serve(path: Path | None, flags: Mapping[str, Any]) -> int:
    """Serves a program until a signal ends it; returns the exit code."""
    prepared = prepare(path, flags)
    if isinstance(prepared, int):
        return prepared
    _title("codeai server")
    with ExitStack() as held:
        return _serve(prepared, path, flags, held)


def _serve(prepared: Prepared, path: Path | None, flags: Mapping[str, Any], held: ExitStack) -> int:
    settings = prepared.settings
    try:
        composition = composed(prepared)
        working = composition.working or settings.dispatcher == "dbos"  # which no HTTP process may start later
        _check_role(prepared)
        place = _take(prepared, held)
        outcome, changes = synchronise(prepared.database, prepared.program.application, development=settings.development)
    except StartError as error:
        return start_failed(prepared.program, error)
    except SchemaMismatch as error:
        return _say(difference(error, path, development=settings.development), SURROUNDINGS)
    except _FAILURES as error:
        return _say(str(error), SURROUNDINGS)
    show_banner(prepared.program.application, settings, prepared.database, place, path, outcome, changes)
    for caution in cautions(prepared.program.application, settings, os.environ):
        _LOG.warning(caution)
    if prepared.database.dialect == "sqlite":
        return serve_here(prepared, place, composition)
    del composition  # the workers make their own
    return _supervised(prepared, place, path, flags, working=working)


def _take(prepared: Prepared, held: ExitStack) -> Place:
    """Takes what no other server may have, before anything of it is changed or an address is named: the places and the file.

    :raises AddressInUse: somebody listens there
    :raises FileInUse: somebody serves the file
    """
    place, operators = main_place(prepared.settings, os.environ), operator_place(prepared.settings)
    check(place)
    if operators is not None:
        check(operators, "--operator-port")
    if prepared.database.dialect == "sqlite" and prepared.database.path is not None:
        lock = FileLock(prepared.database.path)
        lock.acquire()
        held.callback(lock.release)
    if place.path is not None:
        place = msgspec.structs.replace(place, descriptor=bind(place.path))
        held.callback(unbind, place)
    return place


def difference(error: SchemaMismatch, path: Path | None, *, development: bool) -> str:
    """What a database has or lacks, and what to do about it.

    :param path: how the program was named on the command line
    """
    lines = "\n".join(f"  {line}" for line in error.differences)
    named = f" {path}" if path is not None else ""
    anew = f"'codeai db reset{named}' empties it, makes the tables anew and fills them from the seed"
    added = f"'codeai db upgrade{named}' changes what loses nothing; the rest is to be changed by hand first"
    rows = "change the rows, or the program; " if any(line.endswith(error.BROKEN) for line in error.differences) else ""
    hint = f"{rows}{anew if development else added}"
    return f"the database differs from the program:\n{lines}\n{hint}"


def start_failed(program: Loaded, error: StartError) -> int:
    """Says what cannot be built, with its place in the program."""
    place = f"{program.sources.locate(error.at)}: " if error.at >= 0 and program.sources.files else ""
    return _say(f"{place}{error}", SURROUNDINGS)


def serve_here(prepared: Prepared, place: Place, embedded: Composition | None = None) -> int:
    """Serves in this process at a place.

    :param embedded: what the first process has composed to check the program, where it is the only one
    """
    settings = prepared.settings
    try:
        composition = embedded or composed(prepared)
        delay = settings.drain_delay if settings.drain_delay is not None else 0.0 if settings.development else 5.0
        certificates = Certificates()
        listeners = [_listener(composition.asgi, place, certificates, settings), *_operators(composition, certificates)]
        run_worker(
            listeners,
            composition.health,
            start=composition.start,
            stop=composition.stop,
            ready=lambda: _LOG.info("listening", extra={"address": place.shown}),
            hang_up=_hang_up(composition, certificates),
            drain_delay=delay,
            shutdown_timeout=settings.shutdown_timeout,
        )
    except StartError as error:
        return start_failed(prepared.program, error)
    except _PASSING as error:
        return _say(str(error), AWAY if embedded is None else SURROUNDINGS)
    except _FAILURES as error:
        return _say(str(error), SURROUNDINGS)
    return 0


def work_here(prepared: Prepared, place: Place | None) -> int:
    """Runs what is durable in this process.

    :param place: where health and the operators' routes are served; None where an HTTP worker of the same server does that
    """
    from codeai.server.durable_worker import run_durable

    try:
        composition = composed(prepared)
        certificates, listeners = Certificates(), []
        if place is not None:
            monitors = composition.for_monitors()
            listeners = [_listener(monitors, place, certificates, prepared.settings), *_operators(composition, certificates)]
        run_durable(composition, _hang_up(composition, certificates), listeners)
    except StartError as error:
        return start_failed(prepared.program, error)
    except _PASSING as error:
        return _say(str(error), AWAY)
    except _FAILURES as error:
        return _say(str(error), SURROUNDINGS)
    return 0


def _listener(app: Answerer, place: Place, certificates: Certificates, settings: Settings) -> Listener:
    return Listener(app, place, certificates.context(place.tls), settings.max_connections)


def _hang_up(composition: Composition, certificates: Certificates) -> Callable[[], None]:
    """What SIGHUP does in a worker: files that others have renewed or moved are opened anew."""

    def anew() -> None:
        composition.observation.reopen_log()
        certificates.renew()

    return anew


def _operators(composition: Composition, certificates: Certificates) -> list[Listener]:
    place = operator_place(composition.settings)
    if composition.operator_asgi is None or place is None:
        return []
    return [_listener(composition.operator_asgi, place, certificates, composition.settings)]


def _check_role(prepared: Prepared) -> None:
    settings = prepared.settings
    if prepared.database.dialect == "sqlite" and settings.role != "all":
        raise SettingError(f"role '{settings.role}' needs several processes on one database: use PostgreSQL, the embedded one serves one")


def _workers(settings: Settings, *, working: bool) -> list[str]:
    """The processes of a role: one per HTTP worker, and one for what is durable when there is such."""
    found = [str(number) for number in range(1, settings.workers + 1)] if settings.role != "worker" else []
    return [*found, DURABLE] if settings.role == "worker" or (settings.role == "all" and working) else found


def _supervised(prepared: Prepared, place: Place, path: Path | None, flags: Mapping[str, Any], *, working: bool) -> int:
    settings = prepared.settings
    workers = _workers(settings, working=working)
    try:
        connections = shares(settings.db_max_open_conns, workers)
    except SettingError as error:
        return _say(str(error), SURROUNDINGS)
    given = {name: value for name, value in flags.items() if value is not None and name != "role"}
    texts = [msgspec.json.encode(part).decode() for part in (given, connections)]
    command = worker_command([str(path) if path is not None else "", *texts])
    handler = installed()
    hang_up = handler.writer.reopen if handler is not None else lambda: None
    with instance_folder() as folder:
        environment = {**prepared.environment, FOLDER_VARIABLE: str(folder)}
        descriptors = () if place.descriptor is None else (place.descriptor,)
        if descriptors:
            environment[SOCKET_VARIABLE] = str(place.descriptor)
        if settings.role == "worker":
            environment[ALONE_VARIABLE] = "true"
        return Supervisor(command, workers, environment, settings.shutdown_timeout, hang_up, descriptors).run()


def _say(message: str, code: int) -> int:
    sys.stderr.write(f"codeai: {message}\n")
    return code


def _title(text: str) -> None:
    import setproctitle

    setproctitle.setproctitle(text)
