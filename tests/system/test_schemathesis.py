"""Schemathesis, all of its checks, against the bookshop on both databases."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from services.process import SECRET

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(900)  # most of a minute on a quiet machine
def test_the_bookshop_answers_as_its_document_says(database_url, start_server, tmp_path):
    environment = {"DATABASE_URL": database_url, "LOG_LEVEL": "error"}
    program = ROOT / "examples" / "bookshop"
    command = [sys.executable, "-m", "codeai"]
    inherited = {**os.environ, **environment, "JWT_SECRET": SECRET}
    subprocess.run([*command, "db", "seed", str(program)], check=True, env=inherited, capture_output=True)
    token = subprocess.run(
        [*command, "token", str(program), "--role", "admin"], check=True, env=inherited, capture_output=True, text=True
    ).stdout.strip()
    server = start_server(program, env=environment)

    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "schemathesis"),
            "run",
            f"{server.base_url}/openapi.json",
            "--checks=all",
            "--phases=examples,coverage,fuzzing,stateful",
            "--max-examples=20",
            "--seed=1",
            "--request-timeout=60",
            "--suppress-health-check=too_slow",  # that says how busy the machine is
            "--no-color",
            "-H",
            f"Authorization: Bearer {token}",
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(Path(__file__).parent)},
        cwd=tmp_path,
        timeout=800,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Tested: 20" in done.stdout
