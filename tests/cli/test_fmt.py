"""``codeai fmt`` as a process."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UGLY = "entity A{id uuid primary}"
PRETTY = "entity A { id: uuid, primary }\n"


def fmt(*arguments: str, text: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "codeai", "fmt", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, cwd=cwd)


def test_a_file_is_written_in_canonical_form(tmp_path: Path) -> None:
    (tmp_path / "app.cai").write_text(UGLY)
    done = fmt(cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "formatted app.cai\n")
    assert (tmp_path / "app.cai").read_text() == PRETTY
    again = fmt(cwd=tmp_path)
    assert (again.returncode, again.stdout) == (0, "")


def test_check_and_diff_write_nothing(tmp_path: Path) -> None:
    file = tmp_path / "app.cai"
    file.write_text(UGLY)
    checked, shown = fmt("--check", str(file)), fmt("--diff", str(file))
    assert (checked.returncode, checked.stdout) == (1, f"would change {file}\n")
    assert shown.returncode == 1
    assert f"+{PRETTY}" in shown.stdout
    assert file.read_text() == UGLY
    file.write_text(PRETTY)
    assert fmt("--check", str(file)).returncode == 0


def test_standard_input_goes_to_standard_output() -> None:
    done = fmt("-", text=UGLY)
    assert (done.returncode, done.stdout) == (0, PRETTY)


def test_a_broken_file_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "app.cai"
    file.write_text("entity A { id: uuid")
    done = fmt(str(file))
    assert done.returncode == 1
    assert "unexpected end of input" in done.stderr
    assert file.read_text() == "entity A { id: uuid"


def test_a_missing_file_is_named() -> None:
    done = fmt("nowhere.cai")
    assert done.returncode == 2
    assert "nowhere.cai" in done.stderr


def test_the_examples_are_in_canonical_form() -> None:
    folders = [str(path) for path in sorted((ROOT / "examples").iterdir()) if path.is_dir()]
    assert fmt("--check", *folders).stdout == ""


EVENTS = "event order.paid { payload { id: int } }\n"
HANDLER = 'on "order.paid" { log info "paid" }\n'
PLAIN = 'on order.paid { log info "paid" }\n'


@pytest.mark.parametrize(
    ("declaring", "arguments", "result"),
    [
        ("app.cai", ["handlers.cai"], PLAIN),
        ("events.cai", [], PLAIN),
        ("events.cai", ["."], PLAIN),
        ("events.cai", ["handlers.cai"], HANDLER),  # files of a folder without app.cai are programs of their own
    ],
)
def test_names_that_another_file_of_the_program_declares_lose_their_quotes(
    tmp_path: Path, declaring: str, arguments: list[str], result: str
) -> None:
    (tmp_path / declaring).write_text(EVENTS)
    (tmp_path / "handlers.cai").write_text(HANDLER)
    done = fmt(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "handlers.cai").read_text() == result
    assert (tmp_path / declaring).read_text() == EVENTS
