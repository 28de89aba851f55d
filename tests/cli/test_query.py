"""``codeai query`` reads, and writes when told to, past the server."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from codeai.cli.main import cli

PROGRAM = (
    'config { name: "q"  default_auth: public }\nentity Book { id: uuid, primary, auto  title: string, required  price: int, required }\n'
)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "app.cai"
    file.write_text(PROGRAM)
    for name in ("DATABASE_URL", "JWT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    done = CliRunner().invoke(cli, ["db", "seed", str(file)])
    assert done.exit_code == 0, done.output
    return file


def run(program: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["query", *arguments, "--program", str(program)])


def test_it_writes_when_told_to_and_takes_parameters(program: Path) -> None:
    done = run(
        program, "create Book { title: params.title, price: params.price }", "--param", "title=A = B", "--param", "price=7", "--write"
    )
    assert done.exit_code == 0, done.output
    found = run(program, "select title, price from Book where price == params.price", "--param", "price=7")
    assert json.loads(found.stdout) == [{"title": "A = B", "price": 7}]
    assert json.loads(run(program, "delete Book where all", "--write").stdout) == 1


def test_it_knows_the_entities_of_operators(program: Path) -> None:
    assert json.loads(run(program, "count(execution)").stdout) == 0
    assert json.loads(run(program, 'select workflow where status == "active"').stdout) == []


MISTAKES = {
    "a write that was not asked for": (["delete Book where all"], 1, "SemanticError: a query only reads"),
    "s97": (["select workflow where email == 1"], 1, "CompilerError: unknown field 'email' on entity 'workflow'"),
    "no parameter": (["count(Book)", "--param", "price"], 2, "'price' is no parameter"),
    "a missing parameter": (["count(Book where price > params.min)"], 1, "or with --param min=…"),
    "an unknown parameter": (["count(Book where price > params.min)", "--param", "max=1"], 1, "SemanticError: unknown parameter 'min'"),
}


def test_a_database_that_is_not_there_is_not_made(program: Path) -> None:
    (program.parent / ".codeai" / "app.db").unlink()
    done = run(program, "count(Book)")
    assert (done.exit_code, f"'codeai db seed {program}' makes it" in done.stderr) == (3, True), done.output
    assert not (program.parent / ".codeai" / "app.db").exists()


def test_a_table_that_is_not_there_is_said_with_the_way_to_it(program: Path) -> None:
    program.write_text(PROGRAM + "entity Later { id: uuid, primary, auto }\n")
    done = run(program, "count(Later)")
    assert (done.exit_code, "(no such table: laters); 'codeai db upgrade" in done.stderr) == (3, True), done.output


def test_a_rule_that_a_write_breaks_is_said_without_the_database(program: Path) -> None:
    program.write_text(PROGRAM + "entity Copy { id: uuid, primary, auto  book: ref(Book), required }\n")
    assert CliRunner().invoke(cli, ["db", "upgrade", str(program)]).exit_code == 0
    book = json.loads(run(program, 'create Book { title: "a", price: 1 }', "--write").stdout)["id"]
    assert run(program, "create Copy { book: params.book }", "--param", f"book={book}", "--write").exit_code == 0
    done = run(program, "delete Book where all", "--write")
    assert (done.exit_code, done.stderr) == (1, "codeai: ExecutionError: other rows refer to this one\n")


@pytest.mark.parametrize("arguments", [["query", "count(Book)", "--program"], ["db", "reset"], ["db", "seed"], ["server"]])
def test_a_file_that_is_no_database_is_said_with_the_way_out(program: Path, arguments: list[str]) -> None:
    (program.parent / ".codeai" / "app.db").write_bytes(b"garbage" * 1000)
    done = CliRunner().invoke(cli, [*arguments, str(program)], env={"CODEAI_PORT": "18999"})
    assert (done.exit_code, done.exception.__class__) == (3, SystemExit), done.output
    assert "file is not a database; move it away, or name another database with DATABASE_URL" in done.stderr


@pytest.mark.parametrize(("arguments", "code", "text"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(program: Path, arguments: list[str], code: int, text: str) -> None:
    done = run(program, *arguments)
    assert (done.exit_code, text in done.stderr) == (code, True), done.output
