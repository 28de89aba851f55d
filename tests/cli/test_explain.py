"""``codeai explain`` as a process."""

import json
import subprocess
import sys

import pytest

from codeai.language.codes import codes


def explain(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "codeai", "explain", *arguments], capture_output=True, text=True)


@pytest.mark.parametrize("code", ["CAI0104", "cai0104", "104"])
def test_a_code_is_explained_with_samples(code: str) -> None:
    done = explain(code)
    assert done.returncode == 0
    assert done.stdout.startswith("CAI0104: Unknown entity\n\nSemanticError, error\n\n")
    assert "\nWrong:\n\n    endpoint GET /books { auth: public  do { return select Bok } }\n" in done.stdout
    assert "\nRight:\n\n" in done.stdout


def test_all_codes_are_listed() -> None:
    lines = explain("--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(codes())


def test_json_is_for_programs() -> None:
    assert json.loads(explain("CAI0104", "--output", "json").stdout)["kind"] == "SemanticError"


def test_refused_tokens_are_explained_too() -> None:
    done = explain("auth008")
    assert done.stdout.startswith("AUTH008: no secret configured for symmetric algorithm\n\nStatus 500\n")
    assert "\nWhat to do: set `JWT_SECRET`\n" in done.stdout
    assert json.loads(explain("AUTH002", "--output", "json").stdout)["remedy"] == "refresh the token, or get a new one"


def test_an_unknown_code_gets_a_suggestion() -> None:
    done = explain("CAI0149")
    assert done.returncode == 2
    assert done.stderr.startswith("codeai: there is no code 'CAI0149'; did you mean 'CAI01")


@pytest.mark.parametrize("arguments", [[], ["CAI0101", "--list"]])
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    assert explain(*arguments).returncode == 2
