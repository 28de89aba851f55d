"""Program files: found, read, parsed and analysed. Reading is here, everything else is pure."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from codeai.analysis.program import Program, analyse
from codeai.analysis.reporter import Reporter
from codeai.analysis.routes import APART
from codeai.analysis.symbols import Symbols
from codeai.functions.checking import FunctionProblem, problems
from codeai.language.diagnostics import Diagnostic, DiagnosticClass, Severity, Span
from codeai.language.echoes import first_of_each_gap, without_echoes
from codeai.language.parser import Parsed, completed, parse_module
from codeai.language.source import SourceFile, Sources
from codeai.language.spellings.outline import Outline
from codeai.language.tree.declarations import ImportDeclaration
from codeai.language.tree.module import Module
from codeai.model.application import Application
from codeai.server.beside import missing_files

_NAMED: Final = re.compile(r"[\w.]+|\"[^\"\n]*\"")
_LARGEST: Final = 10_000_000


class LoadError(Exception):
    """A program that cannot even be read."""


class Loaded(msgspec.Struct, frozen=True):
    """A program with its texts and findings. ``application`` may be used only when ``valid``."""

    application: Application
    symbols: Symbols
    sources: Sources
    diagnostics: list[Diagnostic]
    folder: Path
    modules: list[Module]

    @property
    def valid(self) -> bool:
        """Whether there is no error."""
        return not any(found.severity is Severity.ERROR for found in self.diagnostics)


class Files:
    """Where the files of programs come from: the disk. An editor's buffers stand before it (``lsp``)."""

    def content(self, file: Path) -> bytes:
        """What the file holds.

        :raises OSError: it cannot be read
        """
        return file.read_bytes()

    def matching(self, folder: Path, pattern: str) -> list[Path]:
        """The files under a folder that a pattern of ``import`` names, in order."""
        return sorted(folder.glob(pattern))

    def sources(self) -> Sources:
        """Where the texts of a program are put."""
        return Sources()

    def parse(self, file: SourceFile, outline: Outline | None = None) -> Parsed:
        """The tree of a text (``parse_module``)."""
        return parse_module(file, outline)


DISK: Final = Files()


def apart(program: Loaded) -> Loaded:
    """The program where operators have a listener of their own, so that their routes are free for it."""
    return msgspec.structs.replace(program, diagnostics=[found for found in program.diagnostics if found.note != APART])


def find_program(path: Path | Sequence[Path] | None) -> tuple[list[Path], Path]:
    """The files of a program and its folder (acceptance T10).

    A folder stands for all its ``.cai`` files, a file for itself, several for one program of all of them. Without a path: the folder, if it
    has an ``app.cai``; else the only ``.cai`` file; else nothing, an empty program.

    :raises LoadError: the path is missing, or leads to no program
    """
    if isinstance(path, Sequence):
        parts = [find_program(part) for part in path]
        found = {file.resolve(): file for files, _ in parts for file in files}
        folders = {folder.resolve(): folder for _, folder in parts}
        return list(found.values()), next(iter(folders.values())) if len(folders) == 1 else Path(os.path.commonpath(folders))
    if path is None:
        here = Path.cwd()
        files = sorted(here.glob("*.cai"))
        if (here / "app.cai").exists() or len(files) == 1:
            return files, here
        if files:
            raise LoadError(f"there are {len(files)} programs here and no app.cai; name one, as in 'codeai server {files[0].name}'")
        return [], here
    if path.is_dir():
        files = sorted(path.glob("*.cai"))
        if not files:
            raise LoadError(f"no .cai files in '{path}'")
        return files, path
    if not path.exists():
        raise LoadError(f"no such file: '{path}'")
    return [path], path.parent


def load_program(path: Path | Sequence[Path] | None) -> Loaded:
    """Reads and analyses a program; what is wrong with it is in the diagnostics.

    :raises LoadError: a file cannot be read
    """
    files, folder = find_program(path)
    return _loaded(files, folder, Sources(), [], [])


def load_files(files: list[Path], folder: Path, reading: Files, elaborator: Callable[[Symbols, Reporter], Program] | None = None) -> Loaded:
    """Analyses the program of these files and of what they import.

    :param elaborator: makes what elaborates the program, for those who look on
    :raises LoadError: a file cannot be read
    """
    return _loaded(files, folder, reading.sources(), [], [], reading=reading, elaborator=elaborator)


def load_source(content: bytes, name: str = "<stdin>", folder: Path | None = None) -> Loaded:
    """Analyses a program given as the content of one file.

    :param folder: where what it imports is looked for; the current one by default
    """
    sources = Sources()
    diagnostics: list[Diagnostic] = []
    source = _source(name, content, sources, diagnostics)
    return _loaded([], folder or Path.cwd(), sources, diagnostics, [source] if source is not None else [])


def load_script(content: bytes, script: Path | None, program: Path | None) -> Loaded:
    """Analyses a script together with the program that it works with; its statements become the application's ``script``.

    :param script: the file of the content, None for standard input
    :param program: a file or folder; None for the program of the current folder, if there is one beside the script
    :raises LoadError: the program cannot be read
    """
    home = script.parent if script is not None else Path.cwd()
    try:
        files, folder = find_program(program)
    except LoadError:
        if program is not None:
            raise
        files = []
    if script is not None:
        files = [file for file in files if file.resolve() != script.resolve()]
    sources = Sources()
    diagnostics: list[Diagnostic] = []
    source = _source(str(script) if script is not None else "<stdin>", content, sources, diagnostics)
    read = [source] if source is not None else []
    return _loaded(files, folder if files else home, sources, diagnostics, read, home)


def _loaded(
    files: list[Path],
    folder: Path,
    sources: Sources,
    diagnostics: list[Diagnostic],
    read: list[SourceFile],
    script: Path | None = None,
    reading: Files = DISK,
    elaborator: Callable[[Symbols, Reporter], Program] | None = None,
) -> Loaded:
    """:param script: the folder of the script, when that is what was read already"""
    trees = [reading.parse(source) for source in read]
    seen: set[Path] = set()
    waiting = [*files, *(path for tree in trees for path in _imported(tree.module, script or folder, diagnostics, reading))]
    while waiting:
        file = waiting.pop(0)
        if file.resolve() in seen:
            continue
        seen.add(file.resolve())
        source = _read(file, sources, diagnostics, reading)
        if source is None:
            continue
        read.append(source)
        trees.append(reading.parse(source))
        waiting.extend(_imported(trees[-1].module, file.parent, diagnostics, reading))
    trees = completed(read, trees, reading.parse)
    modules = [tree.module for tree in trees]
    diagnostics.extend(first_of_each_gap([found for tree in trees for found in tree.diagnostics], modules, sources))
    whose = modules[0] if script is not None and modules else None
    analysis = analyse(modules, sources, folder.resolve().name, diagnostics, whose, elaborator)
    readable = not any(found.severity is Severity.ERROR for found in diagnostics)
    diagnostics.extend(without_echoes(diagnostics, analysis.diagnostics, modules, sources))
    if readable:
        beside = (*problems(analysis.application, folder), *missing_files(analysis.application, folder))
        diagnostics.extend(_uncallable(problem, sources) for problem in beside)
    return Loaded(analysis.application, analysis.symbols, sources, diagnostics, folder, modules)


def _uncallable(problem: FunctionProblem, sources: Sources) -> Diagnostic:
    """The finding about a file beside the program, at the name by which the program has it."""
    start = max(problem.at, 0)
    source = sources.file_at(start)
    name = _NAMED.match(source.text, start - source.base) if source is not None else None
    place = Span(start, start + len(name[0])) if name is not None else Span(start, start)
    severity = Severity.WARNING if problem.missing else Severity.ERROR
    advice = "write the file; until then its use fails when it comes to it" if problem.missing else ""
    return Diagnostic("CAI0612", DiagnosticClass.SEMANTIC, problem.message, place, severity, help=advice)


def _read(file: Path, sources: Sources, diagnostics: list[Diagnostic], reading: Files) -> SourceFile | None:
    try:
        content = reading.content(file)
    except OSError as error:
        raise LoadError(f"cannot read '{file}': {error.strerror or error}") from error
    return _source(str(file), content, sources, diagnostics)


def _source(name: str, content: bytes, sources: Sources, diagnostics: list[Diagnostic]) -> SourceFile | None:
    problem = f"the file is larger than {_LARGEST:,} bytes" if len(content) > _LARGEST else None
    text = ""
    if problem is None:
        try:
            text = content.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError:
            problem = "the file is not UTF-8 text"
        if "\x00" in text:
            problem = "the file is not a text"
    source = sources.add(name, "" if problem else text)
    if problem is None:
        return source
    advice = "make several files of it" if len(content) > _LARGEST else "save it as UTF-8 text"
    diagnostics.append(Diagnostic("CAI0006", DiagnosticClass.SYNTAX, problem, Span(source.base, source.base), help=advice))
    return None


def _imported(module: Module, folder: Path, diagnostics: list[Diagnostic], reading: Files) -> list[Path]:
    found: list[Path] = []
    for declaration in module.declarations:
        if not isinstance(declaration, ImportDeclaration):
            continue
        pattern = declaration.pattern
        inside = not (pattern.startswith("/") or ".." in Path(pattern).parts)
        files = reading.matching(folder, pattern) if inside and pattern else []
        if not files:
            message = f"nothing matches '{pattern}'" if inside else f"'{pattern}' leads out of the folder"
            span = Span(declaration.start, declaration.end)
            advice = "patterns are relative to this file; files of its folder need no import" if inside else "move the files into it"
            diagnostics.append(Diagnostic("CAI0007", DiagnosticClass.SEMANTIC, message, span, help=advice))
        found.extend(files)
    return found
