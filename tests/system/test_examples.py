"""The programs of examples/ are valid without a warning, and their tests pass."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codeai.language.diagnostics import Severity
from codeai.language.rendering.concise import concise
from codeai.server.loading import load_program

EXAMPLES = Path(__file__).parents[2] / "examples"
FROM_THE_REFERENCE = ("billing", "chat", "clinic", "library", "parcels")


@pytest.mark.parametrize("name", FROM_THE_REFERENCE)
def test_a_program_written_from_the_reference_holds(name: str) -> None:
    program = load_program(EXAMPLES / name)
    assert [concise(found, program.sources) for found in program.diagnostics if found.severity is not Severity.INFO] == []
    assert 100 <= sum(file.text.count("\n") for file in program.sources.files) <= 300
    command = [sys.executable, "-m", "codeai", "test", str(EXAMPLES / name)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LOG_LEVEL": "error"}, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(" 0 failed\n")
    assert not done.stdout.startswith("0 passed")
