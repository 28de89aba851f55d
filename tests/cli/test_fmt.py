"""``codeai fmt`` as a process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from codeai.cli.fmt import command
from codeai.server.replacing import write_atomically

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


def side(patch: str, sign: str) -> str:
    """The text before or after a patch of a file that is shorter than what a patch shows around its changes."""
    lines = patch.replace("\n\\ No newline at end of file\n", "\0\n").split("\n")[3:-1]
    return "".join(f"{line[1:]}\n" for line in lines if line[0] in f" {sign}").replace("\0\n", "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("entity A{id uuid primary}", "entity A { id: uuid, primary }\n", id="without line end"),
        pytest.param("entity A{id uuid primary}\r\n// b", "entity A { id: uuid, primary }\r\n// b\r\n", id="CRLF"),
        pytest.param("\ufeffentity A{id uuid primary}", "\ufeffentity A { id: uuid, primary }\n", id="byte order mark"),
        pytest.param("entity A { id: uuid, primary }\n// b\r\n", "entity A { id: uuid, primary }\n// b\n", id="mixed line ends"),
        pytest.param("\tentity A\t{ id:\tuuid, primary } \t", "entity A { id: uuid, primary }\n", id="tabs"),
        pytest.param("\n\n", "", id="nothing"),
        pytest.param("", "", id="empty"),
    ],
)
def test_line_ends_and_the_byte_order_mark_stay_as_the_first_line_has_them(before: str, after: str, tmp_path: Path) -> None:
    file = tmp_path / "app.cai"
    file.write_bytes(before.encode())
    assert CliRunner().invoke(command, ["--check", str(file)]).exit_code == (before != after)
    patch = CliRunner().invoke(command, ["--diff", str(file)]).stdout_bytes
    assert CliRunner().invoke(command, [str(file)]).exit_code == 0
    assert file.read_bytes() == after.encode()
    assert CliRunner().invoke(command, ["--check", str(file)]).exit_code == 0
    assert not patch or (side(patch.decode(), "-"), side(patch.decode(), "+")) == (before, after)
    assert bool(patch) == (before != after)
    assert CliRunner().invoke(command, ["-"], input=before.encode()).stdout_bytes == after.encode()


def test_what_cannot_be_read_does_not_keep_the_others_from_being_formatted(tmp_path: Path) -> None:
    for name, content in (("a.cai", b"\xff\xfe"), ("b.cai", UGLY.encode()), ("c.cai", b"entity"), ("d.cai", UGLY.encode())):
        (tmp_path / name).write_bytes(content)
    done = CliRunner().invoke(command, [str(tmp_path)])
    assert done.exit_code == 2
    assert f"cannot read '{tmp_path / 'a.cai'}'" in done.stderr
    assert "unexpected end of input" in done.stderr
    assert [(tmp_path / name).read_text() for name in ("b.cai", "c.cai", "d.cai")] == [PRETTY, "entity", PRETTY]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.cai", "b.cai", "c.cai", "d.cai"]


def test_mode_owner_and_symbolic_links_stay(tmp_path: Path) -> None:
    file, link = tmp_path / "real.cai", tmp_path / "link.cai"
    file.write_text(UGLY)
    file.chmod(0o640)
    link.symlink_to(file.name)
    if os.geteuid() == 0:
        os.chown(file, 1234, 2345)
    before = file.stat()
    assert CliRunner().invoke(command, [str(link)]).exit_code == 0
    after = file.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert link.is_symlink()
    assert file.read_text() == PRETTY


def test_a_write_that_breaks_off_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    file = tmp_path / "app.cai"
    file.write_text(UGLY)
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(file, b"half of")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("app.cai", UGLY)]


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
