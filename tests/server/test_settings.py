"""Settings: where they come from, what beats what, what is wrong with them."""

import datetime

import msgspec
import pytest

from codeai.server.readers import DURATION, SIZE
from codeai.server.settings import Given, SettingError, Settings, read_settings, read_with_origins
from codeai.server.shown import MASK, shown_settings
from codeai.server.variables import VARIABLES

PORT = {("server", "port"): Given(9001, "app.cai:3:5")}


def test_a_flag_beats_the_environment_which_beats_the_program_which_beats_the_default():
    found = [
        read_with_origins({}, {}, {}),
        read_with_origins({}, {"port": None}, PORT),
        read_with_origins({"CODEAI_PORT": "9002"}, {}, PORT),
        read_with_origins({"CODEAI_PORT": "9002"}, {"port": 9003}, PORT),
    ]
    assert [settings.port for settings, _ in found] == [8080, 9001, 9002, 9003]
    assert [origins.get("port") for _, origins in found] == [None, "config server.port (app.cai:3:5)", "CODEAI_PORT", "--port"]


@pytest.mark.parametrize(
    ("path", "value", "field", "wanted"),
    [
        (("server", "request_timeout"), datetime.timedelta(seconds=5), "request_timeout", 5.0),
        (("server", "max_body"), "2mb", "max_body", 2 * 1024 * 1024),
        (("server", "max_body"), 500, "max_body", 500),
        (("logging", "add_source"), True, "log_add_source", True),
        (("database", "pool_size"), 40, "db_max_open_conns", 40),
    ],
)
def test_values_of_the_program_are_read_like_texts(path, value, field, wanted):
    assert getattr(read_settings({}, {}, {path: Given(value, "app.cai:1:1")}), field) == wanted


def test_a_wrong_value_of_the_program_names_its_place():
    with pytest.raises(SettingError, match=r"^app.cai:3:5: config server.port is '99999', expected a port from 1 to 65535$"):
        read_settings({}, {}, {("server", "port"): Given(99999, "app.cai:3:5")})


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("CODEAI_PORT", "eighty", "CODEAI_PORT is 'eighty', expected a whole number"),
        ("CODEAI_PORT", "0", "CODEAI_PORT is '0', expected a port from 1 to 65535"),
        ("CODEAI_WORKERS", "0", "CODEAI_WORKERS is '0', expected a whole number of at least 1"),
        ("CODEAI_WORKERS", "-3", "CODEAI_WORKERS is '-3', expected a whole number of at least 1"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL is 'loud', expected debug or info or warn or error"),
        ("LOG_ADD_SOURCE", "yes", "LOG_ADD_SOURCE is 'yes', expected true or false"),
        ("CODEAI_REQUEST_TIMEOUT", "30", "CODEAI_REQUEST_TIMEOUT is '30', expected a duration, as in 30s"),
        ("CODEAI_MAX_BODY", "big", "CODEAI_MAX_BODY is 'big', expected a size, as in 1mb"),
        ("CODEAI_HEAP_TRACING", "ever", "CODEAI_HEAP_TRACING is 'ever', expected a duration, as in 10m, or always or off"),
        ("REDIS_URL", "pass:word", "REDIS_URL is wrong, expected an address, as in redis://localhost:6379/0"),
        ("CODEAI_PROT", "1", "unknown variable CODEAI_PROT, did you mean CODEAI_PORT?"),
        ("CODEAI_COMPLETELY_DIFFERENT", "1", "unknown variable CODEAI_COMPLETELY_DIFFERENT"),
        ("LOG_LEVLE", "debug", "unknown variable LOG_LEVLE, did you mean LOG_LEVEL?"),
        ("DB_PASSWORT", "x", "unknown variable DB_PASSWORT, did you mean DB_PASSWORD?"),
        ("JWT_SECRET_FILE", "/nowhere", "JWT_SECRET_FILE: cannot read /nowhere: "),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(variable, text, message):
    with pytest.raises(SettingError) as raised:
        read_settings({variable: text}, {})
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    "name",
    ["CODEAI_URL", "CODEAI_TOKEN", "LOG_DIR_OF_SOMEBODY", "DBUS_SESSION_BUS_ADDRESS", "JWT_ANYTHING_ELSE_ENTIRELY", "PATH", "HOSTNAME"],
)
def test_variables_of_others_are_let_alone(name):
    assert read_settings({name: "x"}, {}) == Settings()


def test_secrets_come_from_files(tmp_path):
    (tmp_path / "secret").write_text("from a file\n")
    settings, origins = read_with_origins({"JWT_SECRET_FILE": str(tmp_path / "secret")}, {}, {})
    assert settings.jwt_secret == "from a file"
    assert origins["jwt_secret"] == f"JWT_SECRET_FILE ({tmp_path / 'secret'})"


def test_every_setting_has_its_variable():
    fields = {field.name for field in msgspec.structs.fields(Settings)}
    assert {variable.field for variable in VARIABLES.values()} == fields - {"db"}


def test_what_is_shown_can_be_read_again():
    for name, (field, text) in shown_settings(Settings()).items():
        if text is not None:
            assert VARIABLES[name].reader.read(text) == getattr(Settings(), field), name


def test_secrets_are_masked():
    given = {"DATABASE_URL": "postgresql://ada:hunter2@db/x", "JWT_SECRET": "s3cret", "REDIS_URL": "redis://:hunter2@r:1"}
    shown = shown_settings(read_settings(given, {}))
    assert shown["DATABASE_URL"][1] == f"postgresql://ada:{MASK}@db/x"
    assert shown["REDIS_URL"][1] == f"redis://:{MASK}@r:1"
    assert shown["JWT_SECRET"][1] == MASK
    assert "hunter2" not in str(shown)
    odd = shown_settings(read_settings({"REDIS_URL": "redis://:hun@ter2@r:1/0"}, {}))
    assert odd["REDIS_URL"][1] == f"redis://:{MASK}@r:1/0"


@pytest.mark.parametrize(
    ("seconds", "text"), [(30.0, "30s"), (60.0, "1m"), (5400.0, "90m"), (7200.0, "2h"), (0.25, "250ms"), (0.0, "0s"), (90.5, "90500ms")]
)
def test_durations_are_shown_as_they_are_given(seconds, text):
    assert DURATION.show(seconds) == text
    assert DURATION.read(text) == seconds


@pytest.mark.parametrize(("size", "text"), [(1024, "1kb"), (1048576, "1mb"), (3 * 1024**3, "3gb"), (1500, "1500b"), (0, "0b")])
def test_sizes_are_shown_as_they_are_given(size, text):
    assert SIZE.show(size) == text
    assert SIZE.read(text) == size
