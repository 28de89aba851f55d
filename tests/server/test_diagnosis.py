"""What a bug report must not tell."""

from codeai.server.diagnosis import secrets


def test_secrets_are_masked_wherever_they_were_given(tmp_path):
    for name, text in (("jwt", "signed-with-this\n"), ("operators", "open-sesame"), ("url", "postgresql://desk:pa%20ss@db/desk\n")):
        (tmp_path / name).write_text(text)
    found = secrets(
        {
            "JWT_SECRET_FILE": str(tmp_path / "jwt"),
            "CODEAI_OPERATOR_TOKEN_FILE": str(tmp_path / "operators"),
            "DATABASE_URL_FILE": str(tmp_path / "url"),
            "DB_PASSWORD_FILE": str(tmp_path / "missing"),
            "REDIS_URL": "redis://:hidden@cache/0",
            "SMTP_PASSWORD": "by-mail",
            "LOG_LEVEL": "info",
        }
    )
    assert set(found) == {"signed-with-this", "open-sesame", "pa%20ss", "pa ss", "hidden", "by-mail"}
