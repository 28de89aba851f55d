"""Wrong values of variables, each named with what was expected."""

import pytest

from codeai.server.settings import SettingError, read_settings


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CODEAI_PORT", "0"),
        ("CODEAI_PORT", "65536"),
        ("CODEAI_PORT", "http"),
        ("CODEAI_PORT", "8080 "),
        ("CODEAI_WORKERS", "0"),
        ("CODEAI_WORKERS", "-1"),
        ("CODEAI_WORKERS", "many"),
        ("DB_MAX_OPEN_CONNS", "0"),
        ("DB_MAX_OPEN_CONNS", "-5"),
        ("DB_MAX_OPEN_CONNS", "9" * 5000),
        ("CODEAI_REQUEST_TIMEOUT", "60"),
        ("CODEAI_REQUEST_TIMEOUT", "-1s"),
        ("CODEAI_REQUEST_TIMEOUT", "0s"),
        ("CODEAI_MAX_BODY", "1.5mb"),
        ("CODEAI_MAX_BODY", "-1"),
        ("CODEAI_ENV", "prod"),
        ("LOG_LEVEL", "verbose"),
        ("LOG_LEVEL", "INFO"),
        ("LOG_FORMAT", "xml"),
        ("LOG_ADD_SOURCE", "yes"),
        ("DB_SSL_MODE", "maybe"),
        ("DB_POOLER", "session"),
        ("CODEAI_NOTHING", "1"),
        ("CODEAI_", "1"),
        ("DB_PASWORD", "x"),
        ("JWT_SECRT", "x"),
        ("LOG_LEVEL_FILE", "/nowhere"),
    ],
)
def test_a_wrong_value_is_named(name, text):
    with pytest.raises(SettingError) as found:
        read_settings({name: text}, {})
    assert name in str(found.value)
    assert len(str(found.value)) < 300


@pytest.mark.parametrize(
    ("text", "meant"), [("INFO", "info"), ("warning", "warn"), ("Debug", "debug"), ("eror", "error"), ("verbose", None), ("5", None)]
)
def test_the_word_that_was_meant_is_named(text, meant):
    with pytest.raises(SettingError) as found:
        read_settings({"LOG_LEVEL": text}, {})
    expected = f"LOG_LEVEL is '{text}', expected debug or info or warn or error"
    assert str(found.value) == expected + (f"; did you mean {meant}?" if meant else "")


def test_an_empty_variable_is_not_set_but_an_empty_secret_is(tmp_path):
    empty = {"LOG_LEVEL": "", "CODEAI_PORT": "", "DB_NAME": "", "REDIS_URL": "", "LOG_LEVEL_FILE": ""}
    assert read_settings(empty, {}) == read_settings({}, {})
    assert read_settings({"JWT_SECRET": ""}, {}).jwt_secret == ""
    (tmp_path / "secret").write_text("from a file\n")
    for environment in ({"JWT_SECRET": "", "JWT_SECRET_FILE": str(tmp_path / "secret")}, {"JWT_SECRET_FILE": str(tmp_path / "secret")}):
        assert read_settings(environment, {}).jwt_secret == "from a file"


def test_files_that_give_nothing_are_named(tmp_path):
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "good").write_text("x")
    for environment, said in (
        ({"JWT_SECRET_FILE": f"{tmp_path}/none"}, f"JWT_SECRET_FILE: cannot read {tmp_path}/none: No such file or directory"),
        ({"JWT_SECRET_FILE": f"{tmp_path}/binary"}, f"JWT_SECRET_FILE: cannot read {tmp_path}/binary: it is no UTF-8 text"),
        ({"JWT_SECRET_FILE": f"{tmp_path}/empty"}, f"JWT_SECRET_FILE: {tmp_path}/empty is empty"),
        ({"JWT_SECRET_FILE": f"{tmp_path}/good", "JWT_SECRET": "y"}, "JWT_SECRET and JWT_SECRET_FILE are both set; keep one of them"),
    ):
        with pytest.raises(SettingError) as found:
            read_settings(environment, {})
        assert str(found.value) == said
