"""Tree and comments back to text in the one canonical style. Pure: text in, text out.

The text that comes out is read again, and where it would say anything else than the tree, it stays as it was written: formatting
never changes what a program says, whatever the printer does.
"""

from __future__ import annotations

import msgspec

from codeai.language.diagnostics import Severity
from codeai.language.formatter.declarations import Declarations
from codeai.language.parser import parse_module
from codeai.language.source import SourceFile
from codeai.language.spellings.outline import Outline
from codeai.language.tree.declarations import Declaration
from codeai.language.tree.equality import same
from codeai.language.tree.module import Module


class Formatted(msgspec.Struct, frozen=True):
    """A text in canonical form, and the declarations that stand in it as they were written."""

    text: str
    kept: tuple[Declaration, ...] = ()


def format_module(
    module: Module, file: SourceFile, known: Outline | None = None, *, printer: type[Declarations] = Declarations
) -> Formatted:
    """The text of a module in canonical form; formatting that again changes nothing.

    :param module: a tree without syntax errors
    :param file: the text it was parsed from, for comments, blank lines and the spelling of literals
    :param known: what the whole program declares, where the module was parsed with it
    :param printer: what makes text of trees
    :returns: a text that says what the module says; declarations whose canonical form would not are kept as they are
    """
    printing = printer(module, file)
    text = printing.module()
    if text == file.text or _says(text, module, known):
        return Formatted(text)
    kept = tuple(one for one, alone in zip(module.declarations, printing.alone, strict=True) if not _declares(alone, one, known))
    text = printer(module, file, kept).module()
    return Formatted(text, kept) if kept and _says(text, module, known) else Formatted(file.text, module.declarations)


def _says(text: str, module: Module, known: Outline | None) -> bool:
    parsed = parse_module(SourceFile(module.path, text), known)
    broken = any(found.severity is Severity.ERROR for found in parsed.diagnostics)
    return not broken and same(parsed.module.declarations, module.declarations)


def _declares(text: str, declaration: Declaration, known: Outline | None) -> bool:
    """Whether the text of one declaration says that and nothing else."""
    return _says(text, Module(declaration.start, declaration.end, "", (declaration,)), known)
