"""What is open, and what changes."""

from __future__ import annotations

from lsprotocol import types as lsp

from codeai.lsp.documents import path_of
from codeai.lsp.server import Server


def register(server: Server) -> None:
    """Registers what notes changes and publishes findings."""
    programs, publishing = server.programs, server.publishing

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        path = programs.documents.open(params.text_document)
        if not path.exists():
            programs.rearranged()  # a new file of a folder
        publishing.soon(programs.touched(path), 0)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        path = programs.documents.change(params.text_document, params.content_changes)
        publishing.soon(programs.touched(path))

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        again()

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        programs.documents.close(params.text_document.uri)
        publishing.closed(path_of(params.text_document.uri), params.text_document.uri)
        again()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def changed_on_disk(params: lsp.DidChangeWatchedFilesParams) -> None:
        again()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def folders(params: lsp.DidChangeWorkspaceFoldersParams) -> None:
        gone = [path_of(folder.uri) for folder in params.event.removed]
        programs.roots = [root for root in programs.roots if root not in gone]
        programs.roots += [path_of(folder.uri) for folder in params.event.added if folder.uri.startswith("file:")]
        again()

    def again() -> None:
        programs.rearranged()
        publishing.everything()
