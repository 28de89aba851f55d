"""Programs as agents name them: a text, or a file or folder in the folder that is served."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from codeai.language.diagnostics import Severity
from codeai.language.formatter import format_module
from codeai.language.parser import parse_module
from codeai.language.rendering.text import rich
from codeai.language.source import Sources
from codeai.server.fixing import fixed_text
from codeai.server.loading import Loaded, LoadError, load_program, load_source

_NAMED: Final = 20


class Unusable(Exception):
    """What was asked for cannot be done; the message says what to ask instead."""


class Programs:
    """The programs of a folder.

    :param folder: what paths are relative to; nothing outside of it is read
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def path(self, name: str) -> Path:
        """The file or folder of a name.

        :raises Unusable: it leads out of the folder, or there is none
        """
        try:
            found = (self.folder / name).resolve()
            there = found.exists()
        except (OSError, ValueError) as error:  # too long, a NUL in it
            raise Unusable(f"this is no path: {error}") from error
        if not found.is_relative_to(self.folder):
            raise Unusable(f"'{name}' leads out of the folder that is served; name a file in it, or give the program as text")
        if not there:
            raise Unusable(f"there is no '{name}' in the folder that is served; it has {self._names()}")
        if not found.is_dir() and found.suffix != ".cai":
            raise Unusable(f"'{name}' is no program; it has {self._names()}")
        return found.relative_to(self.folder) if Path.cwd() == self.folder else found

    def _names(self) -> str:
        found = [path for pattern in ("*.cai", "*/*.cai") for path in sorted(self.folder.glob(pattern))]
        names = [str(path.relative_to(self.folder)) for path in found if path.resolve().is_relative_to(self.folder)]
        more = len(names) - _NAMED
        return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "") if names else "no programs"

    def loaded(self, program: str | None, path: str | None) -> Loaded:
        """The checked program, given as text or by its path.

        :raises Unusable: both are given, or neither, or it cannot be read
        """
        if (program is None) == (path is None):
            raise Unusable("give the program as text in 'program', or its file or folder in 'path'")
        if program is not None:
            return load_source(program.encode("utf-8", "surrogatepass"), "program.cai", self.folder)
        assert path is not None
        try:
            return load_program(self.path(path))
        except LoadError as error:
            raise Unusable(str(error)) from error

    def mended(self, program: str) -> tuple[str, int]:
        """A program with its safe edits applied, and how many those were."""
        content, count = fixed_text(program.encode("utf-8", "surrogatepass"), self.folder)
        return content.decode("utf-8", "surrogatepass"), count


def formatted(program: str) -> str:
    """The canonical form of a program.

    :raises Unusable: it cannot be parsed; the message shows what is wrong
    """
    sources = Sources()
    file = sources.add("program.cai", program.replace("\r\n", "\n"))
    parsed = parse_module(file)
    errors = [rich(found, sources) for found in parsed.diagnostics if found.severity is Severity.ERROR]
    if errors:
        raise Unusable("\n\n".join(errors))
    return format_module(parsed.module, file).text
