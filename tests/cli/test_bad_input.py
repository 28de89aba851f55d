"""Commands with what nobody means: one line on standard error, the right exit code, never a traceback."""

import json

import jwt
import pytest
from click.testing import CliRunner, Result

from codeai.cli.main import cli

GOOD = """
role reader { permissions: [] }
auth main { method: jwt  secret: secret(JWT_SECRET) }
entity Item { id: uuid, primary, auto  name: string, required }
resource Item at /items { auth: public }
seed { create Item { name: "lamp" } }
test "there is none" { expect count(Item) == 0 }
test "there is one" { expect count(Item) == 1 }
"""
SECRET = "a secret for tests that is long enough"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.cai").write_text(GOOD)
    (tmp_path / "bad.cai").write_text("entity {")
    (tmp_path / "empty").mkdir()
    runner = CliRunner()

    def invoke(*arguments: str, env: dict[str, str] | None = None, text: str | None = None) -> Result:
        done = runner.invoke(cli, list(arguments), env={"JWT_SECRET": SECRET, **(env or {})}, input=text)
        assert done.exception is None or isinstance(done.exception, SystemExit), repr(done.exception)
        return done

    return invoke


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nonsense"], 2, "No such command"),
        (["sever"], 2, "Did you mean 'codeai server'?"),
        (["--nonsense"], 2, "No such option"),
        (["version", "extra"], 2, "unexpected extra argument"),
        (["version", "--output", "xml"], 2, "xml"),
        (["parse"], 2, "Missing argument"),
        (["parse", "nowhere.cai"], 2, "codeai: cannot read 'nowhere.cai': No such file or directory\n"),
        (["parse", "empty"], 2, "empty"),
        (["parse", "bad.cai", "--output", "json"], 1, ""),
        (["parse", "app.cai", "--output", "poem"], 2, "poem"),
        (["token", "nowhere.cai"], 2, "no such file: 'nowhere.cai'"),
        (["token", "app.cai", "--ttl", "soon"], 2, "'soon' is no duration"),
        (["token", "app.cai", "--ttl", "99999999999999999d"], 2, "is no duration"),
        (["token", "empty"], 2, "no .cai files in 'empty'"),
        (["query"], 2, "Missing argument"),
        (["query", "", "--program", "app.cai"], 1, "ParserError"),
        (["query", "select Items", "--program", "app.cai"], 1, "SemanticError: unknown entity 'Items'"),
        (["query", "select Item where colour == 1", "--program", "app.cai"], 1, "unknown field 'colour' on entity 'Item'"),
        (["query", "select Item where name == 'x", "--program", "app.cai"], 1, "LexerError: unterminated string"),
        (["query", "select Item @", "--program", "app.cai"], 1, "LexerError: unexpected character '@'"),
        (["query", "select Item", "--program", "bad.cai"], 1, ""),
        (["query", "select Item", "--program", "nowhere.cai"], 2, "no such file"),
        (["db"], 2, ""),
        (["db", "drop"], 2, "No such command"),
        (["db", "seed", "nowhere.cai"], 2, "no such file"),
        (["db", "seed", "bad.cai"], 1, ""),
        (["new"], 2, "Missing argument"),
        (["new", ""], 2, "is no name for a program"),
        (["new", "a b"], 2, "is no name for a program"),
        (["new", "../../etc/x;rm"], 2, "is no name for a program"),
        (["new", "empty"], 2, "exists already"),
        (["new", "app.cai/shop"], 2, "cannot create 'app.cai/shop'"),
        (["test", "nowhere.cai"], 2, "no such file"),
        (["test", "bad.cai"], 1, ""),
        (["validate", "nowhere"], 2, "nowhere"),
        (["fmt", "nowhere.cai"], 2, "nowhere.cai"),
        (["explain", "CAI9999"], 2, "CAI9999"),
        (["explain", "AUTH099"], 2, "there is no code 'AUTH099'"),
    ],
)
def test_wrong_input_is_said_and_has_its_exit_code(run, arguments, code, said):
    done = run(*arguments)
    assert done.exit_code == code, done.output
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_token_carries_what_was_asked_for(run):
    done = run("token", "app.cai", "--role", "reader", "--role", "x y", "--sub", "ünï", "--ttl", "1m", "--tenant", "t")
    claims = jwt.decode(done.stdout.strip(), SECRET, algorithms=["HS256"])
    assert (claims["sub"], claims["roles"], claims["tenant"], claims["exp"] - claims["iat"]) == ("ünï", ["reader", "x y"], "t", 60)


def test_a_role_that_the_program_does_not_have_is_said_and_signed_all_the_same(run):
    done = run("token", "app.cai", "--role", "raeder", "--role", "admin")
    assert done.stderr == "codeai: the program has no role 'raeder'; did you mean 'reader'?\n"
    assert jwt.decode(done.stdout.strip(), SECRET, algorithms=["HS256"])["roles"] == ["raeder", "admin"]


def test_the_version_and_the_findings_answer_to_both_of_their_names(run):
    assert run("--version").stdout == run("version").stdout
    assert run("validate", "app.cai", "--output", "json").stdout == run("validate", "app.cai", "--format", "json").stdout


def test_a_token_without_a_secret_in_production(run):
    done = run("token", "app.cai", env={"CODEAI_ENV": "production", "JWT_SECRET": "", "DATABASE_URL": "sqlite:///x.db"})
    assert done.exit_code == 3 and "JWT_SECRET" in done.output, done.output


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "nonsense", "sqlite:"])
def test_a_database_that_cannot_be_had(run, url):
    for command in (("db", "seed", "app.cai"), ("query", "select Item", "--program", "app.cai")):
        done = run(*command, env={"DATABASE_URL": url})
        assert done.exit_code in (1, 3), done.output
        assert done.output.count("\n") <= 2 and "Traceback" not in done.output


def test_reset_is_for_development_only(run):
    done = run("db", "reset", "app.cai", env={"CODEAI_ENV": "production", "DATABASE_URL": "sqlite:///x.db"})
    assert (done.exit_code, "development only" in done.output) == (3, True), done.output


@pytest.mark.parametrize("command", [("validate",), ("test",), ("db", "seed"), ("db", "reset")])
def test_a_folder_without_a_program_is_no_valid_program(run, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path / "empty")
    done = run(*command)
    assert (done.exit_code, "there is no program here; name its file or folder, as in 'codeai" in done.output) == (2, True), done.output
    assert list((tmp_path / "empty").iterdir()) == []


def test_a_seed_that_was_run_before_says_how_to_begin_anew(run, tmp_path):
    (tmp_path / "app.cai").write_text(GOOD.replace("name: string, required", "name: string, required, unique"))
    assert run("db", "seed", "app.cai").exit_code == 0
    done = run("db", "seed", "app.cai")
    assert done.exit_code == 3
    assert "nothing of it was written: UNIQUE constraint failed: items.name; was it run before? 'codeai db reset app.cai'" in done.output
    assert run("query", "count(Item)", "--program", "app.cai").stdout.strip() == "1"


def test_results_of_tests_are_records_for_programs(run, tmp_path):
    (tmp_path / "app.cai").write_text(GOOD + 'test "none" { expect count(Item) == 3 }\n')
    done = run("test", "app.cai", "--filter", "none", "--output", "json")
    passed, failed = json.loads(done.stdout)
    assert done.exit_code == 1
    assert {key: passed[key] for key in ("name", "passed")} == {"name": "there is none", "passed": True}
    assert (failed["passed"], failed["path"], failed["line"], failed["column"]) == (False, "app.cai", 9, 15)
    assert "3" in failed["failure"] and failed["milliseconds"] >= 0
    done = run("test", "app.cai", "--filter", "nothing of this name", "--output", "json")
    assert (done.exit_code, done.stdout) == (0, "[]\n")


def test_tests_do_not_log_what_they_ask_for(run, tmp_path):
    guarded = 'resource Item at /items { auth: required }\ntest "nobody" { let answer = GET /items  expect answer.status == 401 }\n'
    (tmp_path / "app.cai").write_text(GOOD.replace("resource Item at /items { auth: public }\n", guarded))
    done = run("test", "app.cai", "--filter", "nobody")
    assert (done.exit_code, done.stderr) == (0, ""), done.output
