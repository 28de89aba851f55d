"""Renaming a declaration with all of its uses, in all files and spellings.

The renamed program is checked before anybody sees it: a name that is taken, that would hide another or be hidden, is refused with the
reason, and so is everything of which not all uses are known by name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from lsprotocol import types as lsp

from codeai.analysis.configured import KNOWN
from codeai.analysis.payloads import wire_name
from codeai.language.diagnostics import Severity
from codeai.language.naming import relation_name
from codeai.lsp.changes import applied
from codeai.lsp.checked import Checked, check
from codeai.lsp.documents import Document
from codeai.lsp.locating import declared_place, same_uses
from codeai.lsp.names.finding import Use

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_DOTTED: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*", re.ASCII)

Address = Callable[[Path], str]


class RenameRefused(Exception):
    """What stands there cannot be called so; the message says why."""


def renameable(checked: Checked, path: Path, offset: int) -> tuple[lsp.Range, str]:
    """The stretch of the name at an offset, and the name.

    :raises RenameRefused: it is no name of the program, or one that others know it by
    """
    use = checked.use_at(offset)
    if use is None:
        raise RenameRefused("there is no name here that the program declares")
    if use.key[0] == "member":
        raise RenameRefused("the words of an enum stand in rows: change them together with the data")
    if use.key[0] == "argument" and len(use.key) == 4:
        raise RenameRefused("the other system knows the argument by this name")
    if use.key[0] == "setting" and use.key[1] in KNOWN:
        raise RenameRefused("this setting has a meaning of its own")
    start, end = _inside(use, checked)
    return checked.place(start, end)[1], checked.loaded.sources.text(start, end)


def rename(checked: Checked, path: Path, offset: int, new: str, documents: Mapping[Path, Document], uri: Address) -> lsp.WorkspaceEdit:
    """The edits that give the name at an offset another one.

    :param documents: what is open, before the disk
    :raises RenameRefused: it cannot be called so
    """
    renameable(checked, path, offset)
    use = checked.use_at(offset)
    assert use is not None
    event = use.key[0] == "event"
    if not (_DOTTED if event else _NAME).fullmatch(new):
        raise RenameRefused(f"'{new}' is no name: letters, digits and '_', and no digit first")
    old = _old_name(checked, use)
    edits: dict[Path, list[lsp.TextEdit]] = {}
    for one in same_uses(checked, offset):
        start, end = _inside(one, checked)
        text = checked.loaded.sources.text(start, end)
        file, place = checked.place(start, end)
        edits.setdefault(file, []).append(lsp.TextEdit(place, _named(text, old, new, event=event)))
    _verify(checked, edits, documents)
    return lsp.WorkspaceEdit({uri(file): found for file, found in edits.items()})


def _old_name(checked: Checked, use: Use) -> str:
    place = declared_place(checked, use.key)
    assert place is not None
    return checked.loaded.sources.text(place.start, place.end).strip("\"'")


def _inside(use: Use, checked: Checked) -> tuple[int, int]:
    """The stretch of the name without quotes around it."""
    text = checked.loaded.sources.text(use.start, use.end)
    quoted = len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]
    return use.start + quoted, use.end - quoted


def _named(text: str, old: str, new: str, *, event: bool) -> str:
    """The new name as it is written where the old one was written so."""
    if text == old:
        return new
    if event:
        words = wire_name(new).split(".")
        if "." in text:
            return ".".join(words)
        return "".join(word.capitalize() for word in words) if text[:1].isupper() else "_".join(words)
    if text == relation_name(old):
        return relation_name(new)
    raise RenameRefused(f"'{text}' names it in an older spelling: bring the program into the canonical form first ('codeai fmt')")


def _verify(checked: Checked, edits: Mapping[Path, list[lsp.TextEdit]], documents: Mapping[Path, Document]) -> None:
    """Whether the renamed program has no new errors, and each of its names refers to the same as before."""
    changed = dict(documents)
    for file, found in edits.items():
        lines = checked.lines[file]
        changed[file] = Document(str(file), None, applied(found, lines))
    after = check(checked.home, changed, next(iter(checked.lines.values())).encoding)
    new = _errors(after) - _errors(checked)
    if new:
        raise RenameRefused(f"that would be an error: {next(iter(new))[1]}")
    if _pattern(after) != _pattern(checked):
        raise RenameRefused("a name would then refer to something else, or to nothing")


def _errors(checked: Checked) -> Counter[tuple[str, str]]:
    return Counter((found.code, found.message) for found in checked.loaded.diagnostics if found.severity is Severity.ERROR)


def _pattern(checked: Checked) -> list[int]:
    """Which uses refer to the same, whatever it is called."""
    numbers: dict[object, int] = {}
    return [numbers.setdefault(use.key, len(numbers)) for use in checked.uses]
