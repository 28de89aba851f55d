"""S6, S9, T10, T17, T18, the table of the environment: settings of a real server."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from codeai.server.variables import VARIABLES

PROGRAM = """
config { name: "desk"  server { port: 9123  request_timeout: 5s }  database: postgres { pool_size: 40 } }
entity Ticket { id: uuid, primary, auto  title: string, required }
"""
OF_THE_GUIDE = {
    "LOG": "LEVEL FORMAT OUTPUT ADD_SOURCE",
    "DATABASE": "URL",
    "DB": "HOST PORT NAME USER PASSWORD SSL_MODE MAX_OPEN_CONNS",
    "REDIS": "URL",
    "JWT": "SECRET PUBLIC_KEY JWKS_URL ISSUER AUDIENCE ROLES_CLAIM",
    "CODEAI": "HOST PORT WORKERS ENV SHUTDOWN_TIMEOUT REQUEST_TIMEOUT MAX_BODY OPERATOR_ACCESS OPERATOR_TOKEN METRICS_ACCESS "
    "ALLOW_DEBUG_HEADER",
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "app.cai").write_text(PROGRAM)
    return tmp_path


def codeai(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DB_", "DATABASE_", "JWT_", "LOG_", "CODEAI_"))}
    command = [sys.executable, "-m", "codeai", *arguments]
    return subprocess.run(command, cwd=folder, env={**inherited, **environment}, capture_output=True, text=True, timeout=280)


def shown(folder: Path, *arguments: str, **environment: str) -> dict:
    done = codeai(folder, "config", "show", "--output", "json", *arguments, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_variables_of_the_guide_exist():
    assert {f"{prefix}_{name}" for prefix, names in OF_THE_GUIDE.items() for name in names.split()} <= set(VARIABLES)


def test_s6_t18_the_pool_limit_defaults_to_25_and_can_be_raised(tmp_path):
    (tmp_path / "app.cai").write_text("")
    assert shown(tmp_path)["DB_MAX_OPEN_CONNS"] == "25"
    assert shown(tmp_path, DB_MAX_OPEN_CONNS="60")["DB_MAX_OPEN_CONNS"] == "60"


def test_origins_tell_where_a_setting_comes_from(folder):
    (folder / "secret").write_text("a secret from a file, long enough")
    found = shown(folder, "--origins", "--log-level", "warn", CODEAI_MAX_BODY="2mb", JWT_SECRET_FILE=str(folder / "secret"))
    assert found["LOG_LEVEL"] == {"value": "warn", "origin": "--log-level"}
    assert found["CODEAI_MAX_BODY"] == {"value": "2mb", "origin": "CODEAI_MAX_BODY"}
    assert found["JWT_SECRET"] == {"value": "********", "origin": f"JWT_SECRET_FILE ({folder / 'secret'})"}
    assert found["CODEAI_PORT"]["value"] == "9123"
    assert re.fullmatch(r"config server\.port \(.*app\.cai:2:\d+\)", found["CODEAI_PORT"]["origin"])
    assert found["LOG_FORMAT"] == {"value": "json", "origin": "default"}


def test_the_text_form_has_a_line_per_variable(folder):
    done = codeai(folder, "config", "show", "--origins")
    assert len(done.stdout.splitlines()) == len(VARIABLES)
    assert re.search(r"^CODEAI_REQUEST_TIMEOUT +5s +config server.request_timeout \(.*app.cai:2:\d+\)$", done.stdout, re.MULTILINE)


def test_s9_with_db_postgres_alone_it_is_the_local_one(folder):
    done = codeai(folder, "server", "--db", "postgres", "--port", "1", PGCONNECT_TIMEOUT="1")
    assert done.returncode == 3
    assert re.search("cannot connect to postgresql://localhost:5432/codeai|cannot listen on 127.0.0.1:1", done.stderr)


def test_s9_the_parts_of_the_environment_hold_beside_it(folder, postgres):
    from services.ports import free_port

    done = codeai(folder, "server", "--db", "postgres", "--port", str(free_port()), DB_PORT="1", DB_NAME="other")
    assert "cannot connect to postgresql://localhost:1/other" in done.stderr


def test_t10_a_named_file_that_is_missing_is_an_error(folder):
    done = codeai(folder, "server", "missing.cai")
    assert (done.returncode, done.stderr) == (2, "codeai: no such file: 'missing.cai'\n")


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"CODEAI_PROT": "1"}, "codeai: unknown variable CODEAI_PROT, did you mean CODEAI_PORT?\n"),
        ({"CODEAI_PORT": "x"}, "codeai: CODEAI_PORT is 'x', expected a whole number\n"),
        (
            {"CODEAI_ENV": "production"},
            "codeai: production needs a database: set DATABASE_URL, as in postgresql://user:password@host/name\n",
        ),
        ({"CODEAI_TLS_CERT": "/x.pem"}, "codeai: CODEAI_TLS_CERT needs CODEAI_TLS_KEY, too\n"),
        (
            {"CODEAI_TLS_CERT": "/x.pem", "CODEAI_TLS_KEY": "/y.pem"},
            "codeai: CODEAI_TLS_CERT: cannot read /x.pem: No such file or directory\n",
        ),
        ({"CODEAI_OPERATOR_PORT": "9123"}, "codeai: CODEAI_OPERATOR_PORT is 9123, where the program is served; choose another\n"),
        (
            {"LOG_OUTPUT": "app.cai/app.log"},
            "codeai: LOG_OUTPUT: cannot write app.cai/app.log: Not a directory; name a file that may be written, or stdout\n",
        ),
    ],
)
def test_wrong_settings_stop_the_start(folder, environment, message):
    done = codeai(folder, "server", **environment)
    assert (done.returncode, done.stderr) == (3, message)


def test_t18_too_few_connections_stop_the_start(folder, postgres):
    url = postgres.create_database()
    done = codeai(folder, "server", "--port", "18765", "--workers", "20", DATABASE_URL=url, DB_MAX_OPEN_CONNS="25")
    assert done.returncode == 3
    assert "DB_MAX_OPEN_CONNS=25 is too few for 20 workers" in done.stderr
