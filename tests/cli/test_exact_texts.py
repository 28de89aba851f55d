"""What the guide quotes of validation and queries, byte by byte as ``validate``, ``run`` and ``query`` print it (S28, S33, S86 to S98)."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from codeai.cli.main import cli

PROGRAM = """config { name: "guide"  default_auth: public }
entity User { id: uuid, primary, auto  name: string  count: int }
function sum2(a: int, b: int) -> int { return a + b }
endpoint GET /sum { do { return sum2(1, 2) } }
"""

# What is wrong with a statement: the class, the text, and the statement with its column.
STATEMENTS = {
    "s86": ("ScopeError: undefined variable 'count'", "print(count)", 7),
    "s87": ("ScopeError: duplicate declaration 'i'", "let i = 1\nlet i = 2\nprint(i)", 5),
    "s88": ("ScopeError: duplicate parameter 'name'", "function f(name: int, name: int) { return name }", 23),
    "s89 an int": ("TypeError: cannot iterate over non-array type 'int'", "for i in 5 { print(i) }", 10),
    "s89 a string": ("TypeError: cannot iterate over non-array type 'string'", 'for i in "text" { print(i) }', 10),
    "s90": ("FunctionError: undefined function 'process'", "process(1)", 1),
    "s91": ("FunctionError: wrong number of arguments for 'sum2': expected 2, got 1", "print(sum2(1))", 7),
    "s92": ("FunctionError: 'data' is not a function", "let data = 1\nprint(data(1))", 7),
}

# What is wrong with a query: the class, the text, and the query.
QUERIES = {
    "s93": ("LexerError: unexpected character '@'", "select User where name @ 'x'"),
    "s33": ("LexerError: unterminated string", "select User where name == 'x"),
    "s94": ("ParserError: expected identifier, got '123'", "select 123"),
    "s95": ("ParserError: unexpected end of input", "select User where"),
    "s96": ("SemanticError: unknown entity 'users'", "select users"),
    "s97": ("CompilerError: unknown field 'email' on entity 'workflow'", "select workflow where email == 1"),
    "s98": ("CompilerError: type mismatch for field 'count': expected int, got string", "select User where count == 'many'"),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "app.cai").write_text(PROGRAM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return tmp_path


def command(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(cli, list(arguments), input=text)


def plain(line: str) -> str:
    """A finding without its help."""
    return line.partition(" (")[0]


@pytest.mark.parametrize(("said", "statement", "column"), STATEMENTS.values(), ids=STATEMENTS)
def test_a_script_that_is_run_is_told_so(folder: Path, said: str, statement: str, column: int) -> None:
    done = command("run", "-", text=statement + "\n")
    line = statement.partition("let i = 2")[0].count("\n") if "let i" in statement else statement.count("\n")
    assert done.exit_code == 1
    first, place, *_ = done.stderr.splitlines()
    assert (first.partition(" ")[2], place) == (said, f" --> <stdin>:{line + 1}:{column}")


@pytest.mark.parametrize(("said", "statement", "column"), STATEMENTS.values(), ids=STATEMENTS)
def test_a_program_that_is_validated_is_told_so(folder: Path, said: str, statement: str, column: int) -> None:
    declared = statement if statement.startswith("function") else f"function f() {{\n{statement}\n}}"
    used = "endpoint GET /f { do { return f(1, 2) } }" if statement.startswith("function") else "endpoint GET /f { do { return f() } }"
    (folder / "app.cai").write_text(f"{PROGRAM}{declared}\n{used}\n")
    done = command("validate", "app.cai", "--format", "concise")
    assert done.exit_code == 1
    [found] = [plain(line) for line in done.stdout.splitlines() if "Error: " in line]
    assert found.endswith(f":{column}: {said}")


@pytest.mark.parametrize(("said", "query"), QUERIES.values(), ids=QUERIES)
def test_a_query_is_told_so(folder: Path, said: str, query: str) -> None:
    assert command("db", "seed", "app.cai").exit_code == 0
    done = command("query", query, "--program", "app.cai")
    assert (done.exit_code, plain(done.stderr.splitlines()[0]).removeprefix("codeai: ")) == (1, said)


def test_an_entity_by_another_name_has_a_hint(folder: Path) -> None:
    assert command("db", "seed", "app.cai").exit_code == 0
    assert "unknown entity 'user' (did you mean 'User'?)" in command("query", "select user", "--program", "app.cai").stderr


def test_a_function_of_ones_own_is_no_object_of_another_language(folder: Path) -> None:
    assert "= help: declare it: 'function process(…) { … }'" in command("run", "-", text="process(1)\n").stderr
