"""Groups of commands: their lists have whole sentences, and who misspells a command is told which was probably meant."""

from __future__ import annotations

from collections.abc import Mapping

import click
from click.shell_completion import CompletionItem


class Commands(click.Group):
    """A group of commands."""

    group_class = type  # groups within it, too

    def sentences(self, context: click.Context) -> Mapping[str, str]:
        """What each command does, by its name: the first paragraph of its help."""
        found = {name: self.get_command(context, name) for name in self.list_commands(context)}
        return {name: " ".join((each.help or "").partition("\n\n")[0].split()) for name, each in found.items() if each is not None}

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of commands; click would cut the sentences at the end of the line."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(self.sentences(ctx).items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """What a word may become. No command is imported for it."""
        found = [CompletionItem(name, help=text) for name, text in sorted(self.sentences(ctx).items()) if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the first word; a word that names none, and is no option, is answered with the nearest name."""
        if not ctx.resilient_parsing and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            from codeai.language.suggestions import suggest  # only who mistypes pays for it

            names = self.list_commands(ctx)
            begun = [name for name in names if name.startswith(args[0])]
            near = suggest(args[0], names) or (begun[0] if len(begun) == 1 else None)
            meant = f"\nDid you mean '{ctx.command_path} {near}'?" if near is not None else ""
            raise click.UsageError(f"No such command '{args[0]}'.{meant}", ctx)
        return super().resolve_command(ctx, args)
