"""The guides of integrations, caches and limits: each is one program, which validates and passes its own tests."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

GUIDES = Path(__file__).parents[2] / "docs" / "guides"


def _blocks(name: str, language: str) -> str:
    text = (GUIDES / f"{name}.md").read_text(encoding="utf-8")
    return "\n".join(re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL))


@pytest.mark.parametrize(("name", "tests"), [("integrations", 3), ("caching", 1), ("rate-limits", 3)])
def test_a_guide_is_a_program_that_passes_its_tests(name: str, tests: int, tmp_path: Path) -> None:
    (tmp_path / "app.cai").write_text(_blocks(name, "cai"), encoding="utf-8")
    (tmp_path / "middleware").mkdir()
    (tmp_path / "middleware" / "headers.py").write_text(_blocks(name, "python"), encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CODEAI_", "REDIS_"))}
    for command, expected in (("validate", "valid\n"), ("test", f"{tests} passed, 0 failed\n")):
        done = subprocess.run([sys.executable, "-m", "codeai", command, str(tmp_path)], capture_output=True, text=True, env=environment)
        assert done.stdout.endswith(expected), done.stdout + done.stderr
