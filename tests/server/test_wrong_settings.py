"""Wrong values of variables, each named with what was expected."""

import pytest

from codeai.server.settings import SettingError, read_settings


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CODEAI_PORT", "0"),
        ("CODEAI_PORT", "65536"),
        ("CODEAI_PORT", "http"),
        ("CODEAI_PORT", ""),
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
