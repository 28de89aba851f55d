"""``codeai completion``."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

_VARIABLE: Final = "_CODEAI_COMPLETE"  # what click looks at in every process of ours
_HELP: Final = """Print what lets a shell complete commands, options and files.

For good: 'codeai completion bash >> ~/.bashrc', the same with zsh and ~/.zshrc,
and 'codeai completion fish > ~/.config/fish/completions/codeai.fish'.
"""


@click.command("completion", help=_HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Prints the script of a shell."""
    found = get_completion_class(shell)
    assert found is not None, "click knows these shells"
    click.echo(found(click.get_current_context().find_root().command, {}, "codeai", _VARIABLE).source())
