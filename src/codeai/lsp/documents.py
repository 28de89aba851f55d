"""The buffers of an editor: what is open stands before what is on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from lsprotocol import types as lsp
from pygls.uris import from_fs_path, to_fs_path

from codeai.lsp.lines import Lines

_FILE: Final = "file:"


def path_of(uri: str) -> Path:
    """The path of a document; one that is no file has its address for a name."""
    path = to_fs_path(uri) if uri.startswith(_FILE) else None
    return Path(os.path.normpath(path)) if path else Path(uri)


def uri_of(path: Path) -> str:
    """The address of a file as this server writes it."""
    return from_fs_path(str(path)) or path.as_uri()


class Document(msgspec.Struct):
    """An open document: its text as the editor has it."""

    uri: str
    version: int | None
    text: str
    file: bool = True


class Documents:
    """All open documents, by path; ``encoding`` is that of the agreed units of positions."""

    def __init__(self) -> None:
        self.encoding = lsp.PositionEncodingKind.Utf16.value
        self._open: dict[Path, Document] = {}

    def __contains__(self, path: object) -> bool:
        return path in self._open

    def paths(self) -> list[Path]:
        """The paths of all of them."""
        return list(self._open)

    def get(self, path: Path) -> Document | None:
        """The open document of a path."""
        return self._open.get(path)

    def open(self, item: lsp.TextDocumentItem) -> Path:
        """Takes a document that was opened."""
        path = path_of(item.uri)
        self._open[path] = Document(item.uri, item.version, item.text, item.uri.startswith(_FILE))
        return path

    def change(self, document: lsp.VersionedTextDocumentIdentifier, changes: Iterable[lsp.TextDocumentContentChangeEvent]) -> Path:
        """Applies changes to a document, each to what the one before left; one that is not open begins empty."""
        path = path_of(document.uri)
        found = self._open.setdefault(path, Document(document.uri, None, "", document.uri.startswith(_FILE)))
        for change in changes:
            found.text = changed(found.text, change, self.encoding)
        found.version = document.version
        return path

    def close(self, uri: str) -> Path:
        """Forgets a document that was closed."""
        path = path_of(uri)
        self._open.pop(path, None)
        return path

    def uri(self, path: Path) -> str:
        """The address of a path as its editor writes it."""
        found = self._open.get(path)
        return found.uri if found is not None else uri_of(path)

    def snapshot(self) -> dict[Path, Document]:
        """What is open now, for work beside the loop."""
        return {path: msgspec.structs.replace(document) for path, document in self._open.items()}


def changed(text: str, change: lsp.TextDocumentContentChangeEvent, encoding: str) -> str:
    """The text after a change, of a range or of the whole."""
    if not isinstance(change, lsp.TextDocumentContentChangePartial):
        return change.text
    lines = Lines(text, encoding)
    start, end = lines.offset(change.range.start), lines.offset(change.range.end)
    return text[: min(start, end)] + change.text + text[max(start, end) :]
