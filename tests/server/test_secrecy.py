"""What is kept on disk belongs to its owner, and what is secret in the settings is masked in the log, wherever it comes from."""

import os
import stat
from pathlib import Path

import pytest

from codeai.http.middleware.cors import BadCors, CorsPolicy
from codeai.model.application import Application
from codeai.observability.bundle import Bundle, write_bundle
from codeai.observability.logs.redaction import MASK
from codeai.server.database import synchronise_here
from codeai.server.errors import StartError
from codeai.server.loading import load_program
from codeai.server.secrets import close_to_others, development_secret
from codeai.server.settings import read_settings
from codeai.server.wiring.operators import operator_routes
from codeai.server.wiring.secrecy import redaction
from codeai.storage.settings import from_url


@pytest.fixture
def usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def program(folder: Path) -> Application:
    (folder / "app.cai").write_text('config { name: "x" }\nentity A { id: uuid, primary, auto }\n')
    return load_program(folder / "app.cai").application


@pytest.mark.usefixtures("usual_umask")
def test_the_folder_of_data_is_its_owners_alone(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    development_secret(folder)
    database = tmp_path / "b" / ".codeai" / "app.db"
    synchronise_here(from_url(f"sqlite:///{database}"), program(tmp_path), development=True)
    assert (mode(folder / ".codeai"), mode(folder / ".codeai" / "dev-secret")) == (0o700, 0o600)
    assert mode(database.parent) == 0o700


@pytest.mark.usefixtures("usual_umask")
def test_a_bundle_is_its_owners_alone(tmp_path):
    wanted = Bundle(url="http://127.0.0.1:1", token=None, logs=tmp_path / "none.log", lines=10, texts={})
    path, missing = write_bundle(wanted, tmp_path / "bundle.tar.gz")
    assert mode(path) == 0o600
    assert missing


def test_secrets_of_the_settings_are_masked_also_when_they_come_from_files(tmp_path):
    url = tmp_path / "url"
    url.write_text("postgresql://ada:p%40ssw0rd-of-ada@db/x\n")
    environment = {
        "DATABASE_URL_FILE": str(url),
        "REDIS_URL": "redis://:redis-passphrase@cache:6379",
        "SMTP_PASSWORD": "mail-passphrase",
        "SLACK_WEBHOOK_URL": "ops=https://hooks.example/T0/B0/XYZ",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20collector-token,x-org=1",
    }
    found = redaction(program(tmp_path), read_settings(environment, {}), environment)
    for secret in (
        "collector-token",
        "p@ssw0rd-of-ada",
        "p%40ssw0rd-of-ada",
        "redis-passphrase",
        "mail-passphrase",
        "https://hooks.example/T0/B0/XYZ",
    ):
        assert found.text(f"says {secret} aloud") == f"says {MASK} aloud"


@pytest.mark.parametrize(("name", "least"), [("JWT_SECRET", 32), ("CODEAI_OPERATOR_TOKEN", 16)])
def test_production_takes_no_secret_that_can_be_guessed(name, least):
    environment = {"CODEAI_ENV": "production", name: "x" * (least - 1)}
    with pytest.raises(StartError, match=f"{name} is shorter than {least} bytes"):
        operator_routes(read_settings(environment, {}), ())
    operator_routes(read_settings({**environment, name: "x" * least}, {}), ())
    operator_routes(read_settings({**environment, "CODEAI_ENV": "development"}, {}), ())


def test_no_sandbox_gets_answers_with_credentials():
    with pytest.raises(BadCors):
        CorsPolicy(["https://app.example", "null"], credentials=True)
    CorsPolicy(["null"])


@pytest.mark.parametrize(("before", "after"), [(0o755, 0o750), (0o777, 0o770), (0o750, 0o750), (0o700, 0o700)])
def test_a_folder_that_others_may_enter_is_closed_to_them(tmp_path, before, after):
    folder = tmp_path / ".codeai"
    close_to_others(folder)  # there is none
    folder.mkdir()
    folder.chmod(before)
    close_to_others(folder)
    assert mode(folder) == after
