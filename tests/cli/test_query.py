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
    "an unknown parameter": (["count(Book where price > params.min)", "--param", "max=1"], 1, "SemanticError: unknown parameter 'min'"),
}


@pytest.mark.parametrize(("arguments", "code", "text"), MISTAKES.values(), ids=MISTAKES)
def test_mistakes(program: Path, arguments: list[str], code: int, text: str) -> None:
    done = run(program, *arguments)
    assert (done.exit_code, text in done.stderr) == (code, True), done.output
