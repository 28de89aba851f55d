"""``codeai run`` as a process: scripts beside a program and alone, commands of the shell, exit codes and places."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codeai.language.rendering.concise import concise
from codeai.server.loading import load_script

PROGRAM = """config { default_auth: public }
entity Note { id: uuid, primary, auto  text: string, required, min_length(1)  done: bool, default(false)  allow read: public }
event NoteMade { payload { note_id: uuid } }
on NoteMade { create Note { text: "handled" } }
resource Note at /notes { auth: public }
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "app.cai").write_text(PROGRAM)
    (tmp_path / "scripts").mkdir()
    return tmp_path


def run(folder: Path, text: str, *flags: str, name: str = "-", **environment: str) -> subprocess.CompletedProcess[str]:
    if name != "-":
        (folder / name).write_text(text)
    command = [sys.executable, "-m", "codeai", "run", name, *flags]
    return subprocess.run(
        command, input=text if name == "-" else None, capture_output=True, text=True, cwd=folder, env={**os.environ, **environment}
    )


def test_a_script_works_with_the_database_of_the_program_beside_it(shop: Path, database_url: str) -> None:
    where = {"DATABASE_URL": database_url} if database_url.startswith("postgres") else {}
    text = """function shout(text: string) -> string { return upper(text) + "!" }

for text in ["a", "b", "c"] { create Note { text: shout(text) } }
var changed = 0
for note in select Note order by text limit 2 {
    update note { done: true }
    changed = changed + 1
}

type Unused { a: int }

print(changed, count(Note where done))
emit NoteMade { note_id: (first Note order by text).id }
log warn "left behind" { changed: changed }
as user { id: "u1" } {
    print(count(Note))
}
return 7
"""
    done = run(shop, text, name="scripts/fill.cai", **where)
    assert (done.returncode, done.stdout) == (7, "2 2\n3\n"), done.stderr
    assert '"msg":"left behind"' in done.stderr
    again = run(shop, "print(select text from Note order by text)", **where)
    assert again.returncode == 0, again.stderr
    assert again.stdout.count("!") == 3  # what the script had done was committed, and the event waits for a server
    assert "handled" not in again.stdout


def test_a_failure_ends_the_script_at_its_place_and_undoes_that_statement_alone(shop: Path) -> None:
    text = """function both() { create Note { text: "first" }  create Note { text: "second" }  fail 409 "both at once" }

create Note { text: "kept" }
if true {
    both()
}
print("never")
"""
    done = run(shop, text, name="scripts/broken.cai")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "scripts/broken.cai:5:5: both at once\n")
    assert run(shop, "print(count(Note))").stdout == "1\n"


@pytest.mark.parametrize(
    ("text", "flags", "code", "said"),
    [
        ("let n = 0\nprint(1 / n)", [], 1, "<stdin>:2:1: division by zero"),
        ('create Note { text: trim(" ") }', [], 1, "<stdin>:1:1: text: "),
        ("return 300", [], 1, "<stdin>:1:1: an exit code is 0 to 255, not 300"),
        ("let r = exec { true }", [], 2, "<stdin>:1:9: the script runs commands of the shell, which needs --allow-exec; nothing was run"),
        ('print("before")\nexec { echo "is" >&2; exit 4 }', ["--allow-exec"], 1, "<stdin>:2:1: the command ended with exit code 4"),
        ("let x = null\nexec { rm -rf $x/ }", ["--allow-exec"], 1, "<stdin>:2:1: an argument of a command is null"),
        ("", ["--exec-timeout", "soon"], 2, "'soon' is no duration"),
        ("", ["--program", "nowhere"], 2, "no such file: 'nowhere'"),
    ],
)
def test_what_goes_wrong_is_said_with_its_place(shop: Path, text: str, flags: list[str], code: int, said: str) -> None:
    done = run(shop, text, *flags)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("print(nothing)", "1:7: ScopeError: undefined variable 'nothing'"),
        ("print(1", "1:8: SyntaxError: unexpected end of input"),
        ("entity More { id: uuid, primary }", "1:1: SemanticError: a script beside a program declares functions and types only"),
        ("print(user.id)", "1:7: ScopeError: undefined variable 'user'"),
        ("exec { echo $nobody }", "1:13: ScopeError: undefined variable 'nobody'"),
        ("let a = [1]\nexec { echo $a }", "2:13: SemanticError: 'array' is no argument of a command"),
        ("let a = 1\nexec { echo $(( $a )) }", "2:17: SemanticError: a value cannot stand in the shell's arithmetic"),
        ("function f() { exec { true } }\nf()", "1:16: SemanticError: 'exec' belongs to the statements of scripts"),
        ('return "text"', "1:8: SemanticError: type mismatch for the result: expected int, got string"),
        ('import "../*.cai"', "1:1: SemanticError: '../*.cai' leads out of the folder"),
    ],
)
def test_a_script_is_checked_as_a_whole_before_it_runs(shop: Path, text: str, said: str) -> None:
    loaded = load_script(text.encode(), shop / "scripts/check.cai", shop)
    found = [concise(finding, loaded.sources).removeprefix(f"{shop}/scripts/check.cai:") for finding in loaded.diagnostics]
    assert [line.startswith(said) for line in found if "never used" not in line] == [True], found


def test_nothing_is_run_when_commands_are_not_allowed(shop: Path) -> None:
    done = run(shop, 'create Note { text: "early" }\nif false { exec { touch ran } }', name="scripts/exec.cai")
    assert (done.returncode, done.stdout) == (2, "")
    assert "scripts/exec.cai:2:12" in done.stderr
    assert not (shop / ".codeai/app.db").exists()


def test_values_reach_commands_as_arguments_and_output_and_code_come_back(shop: Path) -> None:
    text = r"""
for value in ["$(touch pwned)", "'; touch pwned; '", "a  b", "-n", "*", 'say "x"'] {
    let r = exec { printf '%s\n' $value "<$value>"; exit 3 }
    print(r.output, r.code)
}
let number = 1.50
let r = exec { echo $number && pwd -P }
print(r.output)
exec { echo "straight through" }
let loud = exec { head -c 1000000 /dev/zero | tr '\0' x }
print(length(loud.output))
let killed = exec { kill -9 $$ }
print(killed.code)
"""
    done = run(shop, text, "--allow-exec")
    assert done.returncode == 0, done.stderr
    values = ["$(touch pwned)", "'; touch pwned; '", "a  b", "-n", "*", 'say "x"']
    expected = "".join(f"{value}\n<{value}> 3\n" for value in values)
    assert done.stdout == f"{expected}1.50\n{shop.resolve()}\nstraight through\n1000000\n137\n"
    assert not (shop / "pwned").exists()


def test_a_command_ends_with_its_time_and_with_too_much_output(shop: Path) -> None:
    slow = run(shop, "exec { (sleep 30; touch late) & wait }", "--allow-exec", "--exec-timeout", "200ms")
    assert (slow.returncode, slow.stderr) == (1, "<stdin>:1:1: the command took longer than 0.2 s\n")
    loud = run(shop, "let r = exec { cat /dev/zero }\nprint(r.code)", "--allow-exec")
    assert (loud.returncode, loud.stderr) == (1, "<stdin>:1:1: the command wrote more than 16 MiB\n")


def test_a_script_alone_has_a_database_of_its_own(tmp_path: Path) -> None:
    text = 'entity Item { id: int, primary, auto  name: string }\ncreate Item { name: "x" }\nprint(count(Item))\n'
    assert run(tmp_path, text, name="one.cai").stdout == "1\n"
    assert run(tmp_path, text, name="one.cai").stdout == "2\n"
    assert run(tmp_path, text, "--check", name="one.cai").stdout == "valid\n"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, "", "--check", name="-", LOG_LEVEL="info")
    assert done.returncode == 0, done.stderr
    command = [sys.executable, "-m", "codeai", "run", "nowhere.cai"]
    missing = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (missing.returncode, missing.stderr) == (2, "codeai: cannot read 'nowhere.cai': No such file or directory\n")


def test_a_server_does_not_start_over_a_script_in_its_folder(shop: Path) -> None:
    (shop / "tidy.cai").write_text("delete Note where done\n")
    command = [sys.executable, "-m", "codeai", "server", str(shop)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=shop, timeout=280)
    assert done.returncode == 1
    assert "tidy.cai:1:1" in done.stderr
    assert "statements outside of a declaration belong to scripts" in done.stderr
