"""The pages of the manual on jobs and on the control API: their programs are served, their commands run as they stand."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGES = ("guides/jobs.md", "operations/control-api.md")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, kind: str) -> list[str]:
    return [text for found, text in _BLOCK.findall((DOCS / page).read_text()) if found == kind]


@pytest.mark.parametrize("page", PAGES)
def test_the_samples_of_a_page_do_what_it_says(start_server: Any, tmp_path: Path, page: str) -> None:
    program = tmp_path / "app.cai"
    program.write_text("\n".join(blocks(page, "codeai")))
    if "\ntest " in program.read_text():
        tested = subprocess.run([sys.executable, "-m", "codeai", "test", str(program)], capture_output=True, text=True, timeout=280)
        assert tested.returncode == 0, tested.stdout + tested.stderr
    server = start_server(program, env={"DATABASE_URL": f"sqlite:///{tmp_path}/app.db"}, wait=False)
    server.wait_until_ready()
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for block in blocks(page, "sh"):
        lines = block.replace("http://localhost:8080", server.base_url).splitlines()
        commands = "\n".join(line for line in lines if not line.startswith("# "))
        done = subprocess.run(["bash", "-c", commands], capture_output=True, text=True, timeout=280, env=environment)
        assert done.stderr == "", commands
        assert done.stdout.splitlines() == [line[2:] for line in lines if line.startswith("# ")], commands
