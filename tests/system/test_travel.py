"""The example of a saga passes its own tests."""

import subprocess
import sys
from pathlib import Path

TRAVEL = Path(__file__).parents[2] / "examples" / "travel"


def test_the_travel_example_passes_its_tests() -> None:
    done = subprocess.run([sys.executable, "-m", "codeai", "test", str(TRAVEL)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "4 passed, 0 failed"
