"""Files and folders that this user may not write: one line that names them, and what is needed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Root may write everything; without this capability it is as anybody else.
AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
PROGRAM = "entity Item {\n    id: uuid, primary, auto\n    name: string\n}\n"


def codeai(*arguments: str, prefix: list[str] = AS_ANYBODY) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*prefix, sys.executable, "-m", "codeai", *arguments], capture_output=True, text=True, timeout=280)


@pytest.fixture
def program(tmp_path):
    (tmp_path / "app.cai").write_text(PROGRAM)
    yield tmp_path
    for path in (tmp_path, *tmp_path.rglob("*")):
        path.chmod(0o700)


def test_a_database_that_may_not_be_written_is_said_with_what_is_needed(program: Path) -> None:
    assert codeai("db", "reset", str(program), prefix=[]).returncode == 0
    (program / ".codeai" / "app.db").chmod(0o400)
    (program / ".codeai").chmod(0o500)
    done = codeai("query", "count(Item)", "--program", str(program))
    assert done.returncode != 0
    assert f"{program}/.codeai/app.db: attempt to write a readonly database; the file and its folder must be writable" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_folder_in_which_no_server_may_write_is_said_with_what_is_needed(program: Path) -> None:
    assert codeai("db", "reset", str(program), prefix=[]).returncode == 0
    (program / ".codeai").chmod(0o500)
    done = codeai("server", str(program))
    assert done.returncode == 3
    assert f"cannot write {program}/.codeai/app.db.lock: Permission denied; the file and its folder must be writable" in done.stderr


def test_a_file_that_cannot_be_formatted_stays_and_is_named(program: Path) -> None:
    file = program / "app.cai"
    file.write_text("  " + PROGRAM)
    program.chmod(0o500)
    done = codeai("fmt", str(file))
    assert (done.returncode, done.stderr) == (2, f"cannot write '{file}': Permission denied\n")
    assert file.read_text() == "  " + PROGRAM


def test_a_file_that_may_not_be_written_is_not_formatted(program: Path) -> None:
    file = program / "app.cai"
    file.write_text("enum A{b}\n")
    file.chmod(0o400)
    done = codeai("fmt", str(file))
    assert (done.returncode, done.stderr) == (2, f"cannot write '{file}': Permission denied\n")
    assert file.read_text() == "enum A{b}\n"
