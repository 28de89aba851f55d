"""What an editor adds to the text on the screen: colours, types, signatures."""

from __future__ import annotations

from lsprotocol import types as lsp

from codeai.lsp import colouring
from codeai.lsp.documents import path_of
from codeai.lsp.hinting import hints
from codeai.lsp.lines import Normal
from codeai.lsp.server import Server
from codeai.lsp.signing import signature


def register(server: Server) -> None:
    """Registers semantic tokens, inlay hints and signatures."""

    @server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, colouring.LEGEND)
    async def coloured(params: lsp.SemanticTokensParams) -> lsp.SemanticTokens:
        return colouring.tokens(*await server.named(params.text_document.uri))

    @server.feature(lsp.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, colouring.LEGEND)
    async def coloured_part(params: lsp.SemanticTokensRangeParams) -> lsp.SemanticTokens:
        checked, path = await server.named(params.text_document.uri)
        return colouring.tokens(checked, path, checked.stretch(path, params.range))

    @server.feature(lsp.TEXT_DOCUMENT_INLAY_HINT)
    async def hinted(params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        checked, path = await server.at(params.text_document.uri)
        return list(hints(checked, path, *checked.stretch(path, params.range)))

    @server.feature(lsp.TEXT_DOCUMENT_SIGNATURE_HELP, lsp.SignatureHelpOptions(["(", ",", "{"], [":"]))
    async def signed(params: lsp.SignatureHelpParams) -> lsp.SignatureHelp | None:
        path = path_of(params.text_document.uri)
        home = server.programs.home(path)
        checked = server.programs.known(home) or await server.programs.checked(home)
        document = server.programs.documents.get(path)
        if document is None:
            return None
        lines = Normal(document.text, server.programs.documents.encoding)
        return signature(lines.text, lines.offset(params.position), checked.loaded.symbols)
