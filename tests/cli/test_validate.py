"""``codeai validate`` as a process: formats, exit codes, standard input, mending, watching."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from services.files import rewrite
from services.polling import comes_to, until

GOOD = "entity Book { id: uuid, primary, auto  title: string, required }\n"
BAD = "entity Book { id: uuid, primary, auto  title: string, requird }\n"
UNUSED = "function unused() -> int { return 1 }\n"
COMMAND = [sys.executable, "-m", "codeai", "validate"]


def validate(*arguments: str, text: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], input=text, capture_output=True, text=True, cwd=cwd)


@pytest.mark.parametrize(
    ("text", "flags", "status", "said"),
    [
        (GOOD, [], 0, "valid\n"),
        (BAD, [], 1, "error[CAI0015] SyntaxError: unknown modifier 'requird'\n --> <stdin>:1:55"),
        (BAD, ["--format", "concise"], 1, "<stdin>:1:55: SyntaxError: unknown modifier 'requird' (did you mean 'required'?)\n"),
        (BAD, ["--format", "github"], 1, "::error file=<stdin>,line=1,endLine=1,col=55,endColumn=62,title=SyntaxError CAI0015::"),
        (UNUSED, [], 0, "0 errors, 1 warning\n"),
        (UNUSED, ["--strict"], 1, "1 error, 0 warnings\n"),
        ("", [], 0, "valid\n"),
    ],
)
def test_standard_input_is_checked(text: str, flags: list[str], status: int, said: str) -> None:
    done = validate("-", *flags, text=text)
    assert done.returncode == status
    assert said in done.stdout


def test_json_and_sarif_are_all_of_the_output() -> None:
    assert json.loads(validate("-", "--format", "json", text=BAD).stdout)["diagnostics"][0]["code"] == "CAI0015"
    assert json.loads(validate("-", "--format", "sarif", text=BAD).stdout)["runs"][0]["results"][0]["ruleId"] == "CAI0015"
    assert json.loads(validate("-", "--format", "json", text=GOOD).stdout) == {
        "valid": True,
        "errors": 0,
        "warnings": 0,
        "diagnostics": [],
    }


@pytest.mark.parametrize("arguments", [["nowhere.cai"], ["--format", "poem"], ["-", "--watch"], ["--fx"]])
def test_wrong_usage_and_missing_files_exit_2(arguments: list[str], tmp_path: Path) -> None:
    assert validate(*arguments, cwd=tmp_path).returncode == 2


def test_several_files_are_one_program(tmp_path: Path) -> None:
    (tmp_path / "a.cai").write_text(GOOD)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/b.cai").write_text("entity Copy { id: uuid, primary, auto  book: ref(Book) }\n")
    done = validate("a.cai", "other/b.cai", "other", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "valid\n")
    assert validate("other/b.cai", cwd=tmp_path).returncode == 1
    assert validate("a.cai", "nowhere.cai", cwd=tmp_path).returncode == 2
    assert "'-' is a program by itself" in validate("-", "a.cai", cwd=tmp_path).stderr


def test_who_reads_only_the_beginning_is_left_alone() -> None:
    process = subprocess.Popen(
        [*COMMAND, "-", "--format", "concise"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    process.stdin.write(b"".join(b"endpoint GET /x%d { auth: public  do { return x%d } }\n" % (at, at) for at in range(3_000)))
    process.stdin.close()
    assert process.stdout.readline().startswith(b"<stdin>:1:46: ScopeError")
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(60) == 1


def test_fix_writes_the_safe_edits_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "app.cai"
    file.write_bytes(b"\xef\xbb\xbf" + BAD.replace("\n", "\r\n").encode() + b"// 100 \xe2\x82\xac\r\n")
    file.chmod(0o640)
    done = validate("--fix", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "1 fix applied; valid\n")
    assert file.read_bytes() == b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode() + b"// 100 \xe2\x82\xac\r\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["app.cai"]


def test_fix_leaves_a_valid_program_untouched(tmp_path: Path) -> None:
    file = tmp_path / "app.cai"
    file.write_text(GOOD)
    before = file.stat().st_mtime_ns, file.stat().st_ino
    assert validate("--fix", cwd=tmp_path).returncode == 0
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before


def test_fix_never_guesses_a_guard(tmp_path: Path) -> None:
    text = """role editor { permissions: ["*:*"] }
endpoint GET /a { roles: [edtor]  do { return 1 } }
auth main { method: jwt  secret: secret(S) }
"""
    (tmp_path / "app.cai").write_text(text)
    assert validate("--fix", cwd=tmp_path).returncode == 1
    assert (tmp_path / "app.cai").read_text() == text


def test_fix_goes_on_until_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "app.cai").write_text(
        "entitty Book { id: uuid, primary, auto }\nendpoint GET /b { auth: public  do { return select Bok } }"
    )
    assert validate("--fix", cwd=tmp_path).stdout == "2 fixes applied; valid\n"


def test_fix_doubles_a_backslash_that_escapes_nothing() -> None:
    assert validate("-", "--fix", text='config { folder: "C:\\shop" }\n').stdout == 'config { folder: "C:\\\\shop" }\n'


def test_fix_of_standard_input_prints_the_mended_text() -> None:
    done = validate("-", "--fix", text=BAD)
    assert (done.returncode, done.stdout) == (0, GOOD)
    assert "1 fix applied; valid" in done.stderr


def test_watch_checks_again_when_a_file_changes(tmp_path: Path) -> None:
    file, output = tmp_path / "app.cai", tmp_path / "output"
    file.write_text(GOOD)
    environment = {**os.environ, "WATCHFILES_FORCE_POLLING": "true"}
    with output.open("w") as stdout:
        process = subprocess.Popen([*COMMAND, "--watch"], cwd=tmp_path, stdout=stdout, stderr=stdout, env=environment)
    try:
        comes_to(output.read_text, "valid\n")
        rewrite(file, BAD)
        until(lambda: "unknown modifier 'requird'" in output.read_text(), explain=output.read_text)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
