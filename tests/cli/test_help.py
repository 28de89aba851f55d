"""``--help`` says something of every command and every option."""

from collections.abc import Iterator

import click

from codeai.cli.main import cli


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, f"{path} {name}")


def test_every_command_and_option_is_explained() -> None:
    silent: list[str] = []
    for path, command in commands(cli, "codeai"):
        silent += [path] if not command.help else []
        silent += [f"{path} {option.opts[0]}" for option in command.params if isinstance(option, click.Option) and not option.help]
    assert silent == []
