"""The first messages: where the workspace is, and in which units positions are; the last ones pygls answers."""

from __future__ import annotations

import asyncio
from typing import Final

from lsprotocol import types as lsp
from pygls.capabilities import ServerCapabilitiesBuilder

from codeai.lsp.documents import path_of
from codeai.lsp.parent import watch
from codeai.lsp.server import Server

_WATCHED: Final = ("**/*.cai", "**/activities/**/*.py")


def register(server: Server) -> None:
    """Registers what happens when an editor begins."""

    @server.feature(lsp.INITIALIZE)
    def initialize(params: lsp.InitializeParams) -> None:
        folders = [folder.uri for folder in params.workspace_folders or ()] or [params.root_uri or ""]
        server.programs.roots = [path_of(uri) for uri in folders if uri.startswith("file:")]
        encoding = ServerCapabilitiesBuilder.choose_position_encoding(params.capabilities)
        server.programs.documents.encoding = encoding.value if isinstance(encoding, lsp.PositionEncodingKind) else encoding

    @server.feature(lsp.INITIALIZED)
    async def initialized(params: lsp.InitializedParams) -> None:
        if server.process_id is not None:
            server.watching = asyncio.create_task(watch(server.process_id))
        workspace = server.client_capabilities.workspace
        watches = workspace.did_change_watched_files if workspace is not None else None
        if watches is not None and watches.dynamic_registration:
            patterns = [lsp.FileSystemWatcher(pattern) for pattern in _WATCHED]
            options = lsp.DidChangeWatchedFilesRegistrationOptions(patterns)
            wanted = lsp.Registration("codeai-files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
            await server.client_register_capability_async(lsp.RegistrationParams([wanted]))
