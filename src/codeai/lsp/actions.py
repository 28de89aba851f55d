"""What an editor offers to do about findings: their edits, all safe ones at once, older spellings in the canonical form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from lsprotocol import types as lsp

from codeai.language.diagnostics import Diagnostic, Edit
from codeai.language.mending import by_file, safe_edits
from codeai.lsp.changes import edits_between, in_ends_of
from codeai.lsp.checked import Checked, check
from codeai.lsp.documents import Document
from codeai.lsp.findings import OLDER, finding
from codeai.lsp.formatting import formatting_range

FIX_ALL: Final = "source.fixAll.codeai"
KINDS: Final = (lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.RefactorRewrite, FIX_ALL)
_ROUNDS: Final = 10
_SHOWN: Final = 40  # characters of an edit in a title

Address = Callable[[Path], str]


def offered(checked: Checked, path: Path, start: int, end: int, uri: Address) -> Iterator[lsp.CodeAction]:
    """The edits of the findings that touch a stretch of the program, and its older spellings in the canonical form."""
    older: Diagnostic | None = None
    for found in checked.loaded.diagnostics:
        if found.primary.start > end or found.primary.end < start or Path(checked.loaded.sources.file_at(found.primary.start).path) != path:
            continue
        if found.code == OLDER:
            older = older or found
        if found.edits:
            yield lsp.CodeAction(
                title=title(found.edits, checked),
                kind=lsp.CodeActionKind.QuickFix,
                diagnostics=[finding(found, checked, uri)[1]],
                is_preferred=all(edit.safe for edit in found.edits),
                edit=workspace_edit(found.edits, checked, uri),
            )
    if older is not None:
        yield from _rewritten(checked, path, older, uri)


def asked(only: Sequence[lsp.CodeActionKind | str], kind: lsp.CodeActionKind | str) -> bool:
    """Whether a kind is among those that are asked for, each of which stands for all beneath it."""
    return any(_name(kind) == _name(one) or _name(kind).startswith(f"{_name(one)}.") for one in only)


def _name(kind: lsp.CodeActionKind | str) -> str:
    return kind.value if isinstance(kind, lsp.CodeActionKind) else kind


def _rewritten(checked: Checked, path: Path, older: Diagnostic, uri: Address) -> Iterator[lsp.CodeAction]:
    edits = formatting_range(checked, path, older.primary.start, older.primary.start)
    if edits:
        yield lsp.CodeAction(
            title="Write this declaration in the canonical form",
            kind=lsp.CodeActionKind.RefactorRewrite,
            diagnostics=[finding(older, checked, uri)[1]],
            edit=lsp.WorkspaceEdit({uri(path): edits}),
        )


def fix_all(checked: Checked, path: Path, documents: Mapping[Path, Document], uri: Address) -> lsp.CodeAction | None:
    """All safe edits of a document, round after round, since one fix may uncover the next finding."""
    lines = checked.lines.get(path)
    if lines is None:
        return None
    text, now = lines.text, checked
    for _ in range(_ROUNDS):
        file = now.file(path)
        own = [edits for one, edits in by_file(safe_edits(now.loaded.diagnostics), now.loaded.sources) if one is file]
        if not own or file is None:
            break
        text = _applied(text, own[0], file.base)
        changed = Document(uri(path), None, text)
        now = check(checked.home, {**documents, path: changed}, lines.encoding)
    edits = edits_between(lines.text, text, lines)
    if not edits:
        return None
    return lsp.CodeAction(title="Apply all safe fixes", kind=FIX_ALL, edit=lsp.WorkspaceEdit({uri(path): edits}))


def _applied(text: str, edits: Sequence[Edit], base: int) -> str:
    found: list[str] = []
    at = 0
    for edit in edits:
        found += [text[at : edit.start - base], edit.replacement]
        at = edit.end - base
    return "".join(found) + text[at:]


def workspace_edit(edits: Iterable[Edit], checked: Checked, uri: Address) -> lsp.WorkspaceEdit:
    """Edits of the program as those of an editor."""
    changes: dict[str, list[lsp.TextEdit]] = {}
    for edit in edits:
        path, place = checked.place(edit.start, edit.end)
        written = in_ends_of(edit.replacement, checked.lines[path].original)
        changes.setdefault(uri(path), []).append(lsp.TextEdit(place, written))
    return lsp.WorkspaceEdit(changes)


def title(edits: Sequence[Edit], checked: Checked) -> str:
    """What applying the edits does, in words."""
    if len(edits) > 1:
        return f"Apply {len(edits)} edits"
    edit = edits[0]
    old, new = _short(checked.loaded.sources.text(edit.start, edit.end)), _short(edit.replacement)
    if not new:
        return f"Remove '{old}'"
    return f"Replace '{old}' by '{new}'" if old else f"Insert '{new}'"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"
