"""The classes and exact texts of findings that operators rely on (acceptance S28 to S33 and S86 to S98)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from codeai.query.errors import CompilerError, ExecutionError, LexerError, ParserError, QueryError, SemanticError
from codeai.query.text import FilterText, parse_query_text
from language.samples import analysed, findings

PROGRAM = """config { default_auth: public }
entity User { id: uuid, primary, auto  name: string  count: int  active: bool }
"""


def said(text: str) -> list[tuple[str, str]]:
    return [(str(found.kind), found.message) for found in findings(analysed(text))]


def in_function(body: str, parameters: str = "") -> list[tuple[str, str]]:
    call = ", ".join("1" for part in parameters.split(",") if part)
    return said(f"function f({parameters}) {{\n{body}\n}}\nendpoint GET /f {{ auth: public  do {{ return f({call}) }} }}\n")


def asked(text: str) -> tuple[str, str]:
    with pytest.raises(QueryError) as caught:
        parse_query_text(text, analysed(PROGRAM).symbols)
    return type(caught.value).__name__, str(caught.value)


def filtered(text: str) -> tuple[str, str]:
    with pytest.raises(QueryError) as caught:
        FilterText(analysed(PROGRAM).application).condition("User", text)
    return type(caught.value).__name__, str(caught.value)


def test_s28_the_classes_are_named_in_every_rendering(tmp_path: Path) -> None:
    file = tmp_path / "workflow.cai"
    file.write_text("function f(a: int) { for x in a { g(y) }  return a }\nendpoint GET /f { auth: public  do { return f(1) } }\n")
    for style in ("text", "concise", "json", "sarif", "github"):
        command = [sys.executable, "-m", "codeai", "validate", str(file), "--format", style]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1
        assert all(name in done.stdout for name in ("TypeError", "ScopeError", "FunctionError")), (style, done.stdout)


def test_s29_a_workflow_file_is_validated(tmp_path: Path) -> None:
    (tmp_path / "workflow.cai").write_text("workflow Greet { trigger: manual  steps { greet { check: true } } }\n")
    done = subprocess.run([sys.executable, "-m", "codeai", "validate", "workflow.cai"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0
    (tmp_path / "workflow.cai").write_text("workflow Greet { trigger: manual  steps { greet { check: tru } } }\n")
    done = subprocess.run([sys.executable, "-m", "codeai", "validate", "workflow.cai"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert "ScopeError: undefined variable 'tru'" in done.stdout


def test_s30_the_tree_is_json_with_the_flag_behind_the_file(tmp_path: Path) -> None:
    (tmp_path / "workflow.cai").write_text("workflow Greet { trigger: manual  steps { greet { check: true } } }\n")
    command = [sys.executable, "-m", "codeai", "parse", "workflow.cai", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0
    assert json.loads(done.stdout)["declarations"][0]["name"]["text"] == "Greet"


def test_s31_there_are_five_classes_of_query_errors() -> None:
    classes = (LexerError, ParserError, SemanticError, CompilerError, ExecutionError)
    assert [kind.__name__ for kind in classes] == ["LexerError", "ParserError", "SemanticError", "CompilerError", "ExecutionError"]
    assert all(issubclass(kind, QueryError) for kind in classes)


@pytest.mark.parametrize("text", ["select Usr", "select User where nmae == 'x'", "count(User where nmae == 'x')", "select nmae from User"])
def test_s32_an_unknown_entity_or_field_in_a_query_is_an_error(text: str) -> None:
    kind, message = asked(text)
    assert (kind, message.split(" '")[0]) in (("SemanticError", "unknown entity"), ("CompilerError", "unknown field"))


def test_s33_texts_need_quotes() -> None:
    assert asked("select User where name == alice") == ("CompilerError", "unknown field 'alice' on entity 'User'")
    parse_query_text("select User where name == 'alice'", analysed(PROGRAM).symbols)
    parse_query_text('select User where name == "alice"', analysed(PROGRAM).symbols)


def test_s86_undefined_variable() -> None:
    assert in_function("return missing") == [("ScopeError", "undefined variable 'missing'")]


def test_s87_duplicate_declaration() -> None:
    assert in_function("let i = 1\nlet i = 2\nreturn i") == [("ScopeError", "duplicate declaration 'i'")]
    assert said("entity A { id: uuid, primary, auto }\nentity A { id: uuid, primary, auto }\n") == [
        ("ScopeError", "duplicate declaration 'A'")
    ]


def test_s88_duplicate_parameter() -> None:
    assert said("function f(name: string, name: int) { return name }\nendpoint GET /f { auth: public  do { return f('a', 1) } }\n") == [
        ("ScopeError", "duplicate parameter 'name'")
    ]


@pytest.mark.parametrize(("literal", "type_"), [("5", "int"), ('"text"', "string"), ("true", "bool"), ("1.5", "decimal")])
def test_s89_cannot_iterate(literal: str, type_: str) -> None:
    assert in_function(f"for x in {literal} {{ log info x }}\nreturn 1") == [("TypeError", f"cannot iterate over non-array type '{type_}'")]


def test_s90_undefined_function() -> None:
    assert in_function("return missing(1)") == [("FunctionError", "undefined function 'missing'")]


@pytest.mark.parametrize(("arguments", "got"), [("", 0), ("1", 1), ("1, 2, 3", 3)])
def test_s91_wrong_number_of_arguments(arguments: str, got: int) -> None:
    text = (
        f"function sum2(a: int, b: int) -> int {{ return a + b }}\nendpoint GET /f {{ auth: public  do {{ return sum2({arguments}) }} }}\n"
    )
    assert said(text) == [("FunctionError", f"wrong number of arguments for 'sum2': expected 2, got {got}")]


def test_s92_not_a_function() -> None:
    assert in_function("let data = 1\nreturn data(2)") == [("FunctionError", "'data' is not a function")]


def test_s93_unexpected_character() -> None:
    assert asked("select User where name @ 'x'") == ("LexerError", "unexpected character '@'")


def test_s93_unterminated_string() -> None:
    assert asked("select User where name == 'x") == ("LexerError", "unterminated string")


def test_s94_expected_something_else() -> None:
    assert asked("select 123") == ("ParserError", "expected identifier, got '123'")
    assert asked("select User limit limit")[0] in ("ParserError", "CompilerError")
    assert asked("select User where (name == 'x'")[0] == "ParserError"


@pytest.mark.parametrize("text", ["select", "select User where", "select User where name ==", "", "count("])
def test_s95_unexpected_end_of_input(text: str) -> None:
    assert asked(text) == ("ParserError", "unexpected end of input")


def test_s96_unknown_entity() -> None:
    assert asked("select users") == ("SemanticError", "unknown entity 'users'")


def test_s97_unknown_field() -> None:
    assert asked("select User where email == 'x'") == ("CompilerError", "unknown field 'email' on entity 'User'")
    assert filtered("email == 'x'") == ("CompilerError", "unknown field 'email' on entity 'User'")


def test_s98_type_mismatch() -> None:
    assert asked("select User where count == 'many'") == (
        "CompilerError",
        "type mismatch for field 'count': expected int, got string",
    )
