"""What the checker lets through in ``config`` the start can read, for each setting of the server and values of every kind."""

from pathlib import Path

import pytest

from codeai.analysis.configured import SETTINGS
from codeai.language.diagnostics import Severity
from codeai.server.composition import Composition
from codeai.server.errors import StartError
from codeai.server.loading import load_source
from codeai.server.settings import SettingError, read_settings
from codeai.server.variables import VARIABLES
from codeai.server.wiring.program_settings import program_settings
from codeai.storage.opening import open_database
from codeai.storage.settings import DatabaseSettings

CONFIGURED = [variable for variable in VARIABLES.values() if variable.config]
VALUES = (
    *("5", "0", "-1", "1.5", "70000", "1_000_000_000", "5s", "0s", "2d", "5mb", "0mb", "true", "null", "[1]", "[]", "{ a: 1 }", "word"),
    *(
        '"5"',
        '"0"',
        '"-1"',
        '"1.5"',
        '"70000"',
        '"5s"',
        '"0s"',
        '"5 s"',
        '"1h30m"',
        '"5mb"',
        '"5 MB"',
        '"yes"',
        '"true"',
        '"debug"',
        '"text"',
        '""',
    ),
    *('"json"', '"127.0.0.1"', '"٣"', "json", "debug", "warn", 'env(NOT_SET, "5")', 'env(NOT_SET, "5s")', 'env(NOT_SET, "debug")', '"{a}"'),
)


def written(path: tuple[str, ...], value: str) -> bytes:
    *sections, key = ("config", *path)
    return "".join([*(f"{section} {{ " for section in sections), f"{key}: {value}", " }" * len(sections)]).encode()


@pytest.mark.parametrize("variable", CONFIGURED, ids=lambda variable: variable.name)
def test_what_is_valid_is_read(variable) -> None:
    assert variable.config in SETTINGS
    passing, refused, unread = [], [], []
    for value in VALUES:
        program = load_source(written(variable.config, value))
        if any(found.severity is Severity.ERROR for found in program.diagnostics):
            refused.append(value)
            continue
        passing.append(value)
        said = program_settings(program.application, program.sources, {})
        try:
            read_settings({}, {}, said)
        except SettingError as error:
            unread.append(f"{value}: {error}")
    assert unread == []
    assert passing
    assert refused


@pytest.mark.parametrize("path", ["jobs.concurrency", "jobs.queues.low", "cache.ttl", "cache.items", "cache.size"])
def test_what_is_valid_of_caches_and_queues_is_understood(path: str, tmp_path: Path) -> None:
    database = open_database(DatabaseSettings(dialect="sqlite", path=tmp_path / "app.db"))
    keys = tuple(path.split("."))
    for value in VALUES:
        program = load_source(written(keys, value))
        if program.valid:
            Composition(program.application, read_settings({}, {}), database, {})
    program = load_source(written(keys, "env(GIVEN)"))
    with pytest.raises(StartError, match="'many', expected"):
        Composition(program.application, read_settings({}, {}), database, {"GIVEN": "many"})
