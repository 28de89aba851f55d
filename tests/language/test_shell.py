"""The text of ``exec``: which variables it names, and that the real shell takes each value as one argument."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeai.language.shell import VARIABLE, command_of

HOSTILE = [
    *("", " ", "a b", "it's", 'say "hi"', "$(touch pwned)", "`touch pwned`", "; touch pwned", "| touch pwned", "&& touch pwned"),
    *(
        "* ? [a-z] ~",
        "-rf /",
        "\n touch pwned\n",
        "\\",
        "\\'",
        "'; touch pwned; '",
        "$HOME ${HOME}",
        "#no",
        "é\u202e\U0001f600",
        "x" * 100_000,
    ),
]
WAYS = [
    "printf '%s\\0' $v",
    "printf '%s\\0' \"$v\"",
    "printf '%s\\0' x$v | cut -b 2- | tr -d '\\n'",
    'printf "%s\\0" "$(printf %s $v)"',
    'printf "%s\\0" "$(printf %s "$v")"',
    "printf '%s\\0' ${missing:-$v}",
    "printf '%s\\0' `printf one`$v | tail -c +4",
    "(printf '%s\\0' $v)",
    "# $v is only said here: it's\nprintf '%s\\0' $v",
]


def shell(text: str, value: str, cwd: Path) -> bytes:
    command = command_of(text)
    values = {VARIABLE.format(at): value for at, _ in enumerate(command.arguments)}
    return subprocess.run(["/bin/sh", "-c", command.text], env={**os.environ, **values}, cwd=cwd, capture_output=True, check=True).stdout


@pytest.mark.parametrize("text", WAYS)
def test_a_value_is_one_argument_and_no_syntax(text: str, tmp_path: Path) -> None:
    exact = [
        value for value in HOSTILE if ("$(" not in text and "cut" not in text) or not value.endswith("\n")
    ]  # $( … ) drops the last line ends
    for value in exact if "cut" not in text else [value for value in exact if "\n" not in value]:
        assert shell(text, value, tmp_path) == value.encode() + b"\0", (text, value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "names", "arithmetic"),
    [
        ("ls $a $b", ["a", "b"], []),
        ("awk '{ print $name }'", [], []),
        (r"echo \$name \\$other", ["other"], []),
        ("echo $1 $? $$ $# $@ ${HOME} $", [], []),
        ("echo # $name", [], []),
        ("echo a#$name", ["name"], []),
        ('echo "it\'s $name"', ["name"], []),
        ("echo $(( $a + (2 * $b) )) $c", ["a", "b", "c"], ["a", "b"]),
        ("echo '$a", [], []),
        ('echo "$a', ["a"], []),
        ("", [], []),
    ],
)
def test_the_variables_of_a_text_are_found(text: str, names: list[str], arithmetic: list[str]) -> None:
    command = command_of(text)
    assert [argument.name for argument in command.arguments] == names
    assert [argument.name for argument in command.arithmetic] == arithmetic
    assert all(text[argument.start : argument.end] == f"${argument.name}" for argument in command.arguments)


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="ab$'\"`\\(){}#; \n1", max_size=40))
def test_no_text_makes_the_scanner_fail_or_lose_a_character(text: str) -> None:
    command = command_of(text)
    back = command.text
    for at, argument in enumerate(command.arguments):
        reference = f"${{{VARIABLE.format(at)}}}"
        back = back.replace(f'"{reference}"', f"${argument.name}", 1) if f'"{reference}"' in back and '"$' not in text else back
        back = back.replace(reference, f"${argument.name}", 1)
    assert back.replace('"', "") == text.replace('"', "")
