"""``--help`` says something of every command and every option, in whole sentences, and docs/guides/commands.md says the same."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from codeai.cli.main import cli

PAGE = (Path(__file__).parents[2] / "docs" / "guides" / "commands.md").read_text(encoding="utf-8")
# What these print is no record: a text of its own form, a file, or what the program itself prints.
WITHOUT_RECORDS = {
    *("codeai completion", "codeai db reset", "codeai db seed", "codeai diagnostics", "codeai fmt", "codeai grammar", "codeai new"),
    *("codeai lsp", "codeai mcp", "codeai run", "codeai server", "codeai token", "codeai workflow graph"),
    "codeai query",  # is always JSON
}


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, f"{path} {name}")


ALL = dict(commands(cli, "codeai"))


def run(*words: str) -> str:
    return CliRunner().invoke(cli, words, terminal_width=80).output


def test_every_command_and_option_is_explained() -> None:
    silent: list[str] = []
    for path, command in ALL.items():
        silent += [path] if not command.help else []
        silent += [f"{path} {option.opts[0]}" for option in command.params if isinstance(option, click.Option) and not option.help]
    assert silent == []


@pytest.mark.parametrize("path", ALL)
def test_help_is_in_whole_sentences_and_fits_the_screen(path: str) -> None:
    text = run(*path.split()[1:], "--help")
    assert text.startswith(f"Usage: {path} ")
    assert re.search(r"(?<!\])\.\.\.|…(?! \})", text) is None, text
    assert max(map(len, text.splitlines())) <= 80
    command = ALL[path]
    help = re.sub(r"\s+", " ", command.help or "").strip()
    assert help.endswith((".", ")", '".')) and help[0].isupper(), help
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help and option.help.rstrip().endswith((".", ".)")), f"{path} {option.opts[0]}"


@pytest.mark.parametrize("path", [path for path, command in ALL.items() if not isinstance(command, click.Group)])
def test_the_page_of_commands_names_it_with_its_sentence(path: str) -> None:
    command = ALL[path]
    sentence = " ".join((command.help or "").partition("\n\n")[0].split())
    assert re.search(rf"^\| `{path}[^`]*` \| {re.escape(sentence)} \|$", PAGE, re.MULTILINE), f"{path}: {sentence}"
    assert len(re.findall(r"^\| `codeai ", PAGE, re.MULTILINE)) == sum(not isinstance(each, click.Group) for each in ALL.values())


def test_exit_codes_stand_in_the_help_and_on_the_page() -> None:
    told = dict(re.findall(r"^\s+(\d)  (.+)$", run("--help"), re.MULTILINE))
    assert told == dict(re.findall(r"^\| (\d) \| (.+) \|$", PAGE, re.MULTILINE))
    assert list(told) == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("path", [path for path, command in ALL.items() if not isinstance(command, click.Group)])
def test_programs_can_read_what_it_prints(path: str) -> None:
    kinds = [
        list(option.type.choices) for option in ALL[path].params if "--output" in option.opts and isinstance(option.type, click.Choice)
    ]
    assert (not any("json" in kind for kind in kinds)) == (path in WITHOUT_RECORDS)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("sever", "codeai server"),
        ("val", "codeai validate"),
        ("jobs lst", "codeai jobs list"),
        ("jobs enque", "codeai jobs enqueue"),
        ("executions shwo 1", "codeai executions show"),
        ("db sed", "codeai db seed"),
        ("workflow grph W", "codeai workflow graph"),
    ],
)
def test_a_misspelt_command_is_answered_with_what_was_meant(words: str, meant: str) -> None:
    said = run(*words.split())
    assert f"Did you mean '{meant}'?" in said
    assert f"No such command '{words.split()[-2 if words[-1] in '1W' else -1]}'." in said


@pytest.mark.parametrize("words", ["poem", "jobs poem", "db --poem", "--poem"])
def test_a_word_that_is_like_no_other_is_named(words: str) -> None:
    said = run(*words.split())
    assert "No such" in said and "poem" in said and "Did you mean" not in said
