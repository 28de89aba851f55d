"""The text of ``exec { … }``: where it names variables of the script, and how the shell gets their values.

A value never becomes part of the text that the shell reads. ``$name`` is replaced by a quoted reference to an environment
variable, so whatever the value is, it is one argument and no syntax (POSIX, shell command language, 2.6).
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

VARIABLE: Final = "CODEAI_ARGUMENT_{}"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Argument(msgspec.Struct, frozen=True):
    """A ``$name`` in the text: the name, and its offsets there."""

    name: str
    start: int
    end: int


class Command(msgspec.Struct, frozen=True):
    """What is handed to the shell; the variable ``VARIABLE.format(n)`` carries the value of the n-th argument.

    ``arithmetic`` are the arguments that stand in ``$(( … ))``, where some shells run what a value says.
    """

    text: str
    arguments: tuple[Argument, ...]
    arithmetic: tuple[Argument, ...]


def command_of(text: str) -> Command:
    """Finds the variables in a shell text. ``'…'``, comments and what follows a backslash are the shell's own, as are ``${…}``."""
    scanner = _Scanner(text)
    scanner.run()
    return Command("".join(scanner.written), tuple(scanner.arguments), tuple(scanner.arithmetic))


class _Scanner:
    """Walks through the text; ``open`` holds the quotes and brackets that are open, the innermost last."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.open: list[str] = []
        self.written: list[str] = []
        self.arguments: list[Argument] = []
        self.arithmetic: list[Argument] = []

    def run(self) -> None:
        while self.at < len(self.text):
            self._next()

    @property
    def _quoted(self) -> bool:
        """Whether the shell would not split a value here."""
        return next((mark == '"' for mark in reversed(self.open) if mark != "}"), False)

    def _take(self, length: int) -> None:
        self.written.append(self.text[self.at : self.at + length])
        self.at += length

    def _next(self) -> None:
        character = self.text[self.at]
        if character == "\\":
            self._take(2)
        elif character == "$":
            self._dollar()
        elif self.open and self.text.startswith(self.open[-1], self.at):
            self._take(len(self.open.pop()))
        elif character in '"`':
            self.open.append(character)
            self._take(1)
        elif self._quoted:
            self._take(1)
        elif character == "'":
            self._until("'", self.at + 1)
        elif character == "#" and (not self.at or self.text[self.at - 1] in " \t\n;&|("):
            self._until("\n", self.at)
        else:
            if character == "(":
                self.open.append(")")
            self._take(1)

    def _until(self, mark: str, start: int) -> None:
        end = self.text.find(mark, start)
        self._take((end + 1 if end >= 0 else len(self.text)) - self.at)

    def _dollar(self) -> None:
        name = _NAME.match(self.text, self.at + 1)
        if name is not None:
            self._argument(Argument(name.group(), self.at, name.end()))
        elif self.text.startswith("$((", self.at):
            self.open.append("))")
            self._take(3)
        elif self.text[self.at + 1 : self.at + 2] in ("(", "{"):
            self.open.append(")" if self.text[self.at + 1] == "(" else "}")
            self._take(2)
        else:
            self._take(2 if self.text[self.at + 1 : self.at + 2] not in ("", "'", '"', "`", "\\") else 1)

    def _argument(self, argument: Argument) -> None:
        reference = f"${{{VARIABLE.format(len(self.arguments))}}}"
        self.written.append(reference if self._quoted else f'"{reference}"')
        self.arguments.append(argument)
        if "))" in self.open:
            self.arithmetic.append(argument)
        self.at = argument.end
