"""What is read of a program: declarations, uses, symbols, stretches."""

from __future__ import annotations

from lsprotocol import types as lsp

from codeai.lsp import locating, outlining
from codeai.lsp.hovering import hover
from codeai.lsp.server import Server


def register(server: Server) -> None:
    """Registers what looks and changes nothing."""

    @server.feature(lsp.TEXT_DOCUMENT_HOVER)
    async def hovered(params: lsp.HoverParams) -> lsp.Hover | None:
        checked, path = await server.named(params.text_document.uri)
        return hover(checked, path, checked.offset(path, params.position))

    @server.feature(lsp.TEXT_DOCUMENT_DEFINITION)
    async def defined(params: lsp.DefinitionParams) -> list[lsp.Location]:
        checked, path = await server.named(params.text_document.uri)
        return locating.definition(checked, path, checked.offset(path, params.position), server.address)

    @server.feature(lsp.TEXT_DOCUMENT_TYPE_DEFINITION)
    async def typed(params: lsp.TypeDefinitionParams) -> lsp.Location | None:
        checked, path = await server.named(params.text_document.uri)
        return locating.type_definition(checked, path, checked.offset(path, params.position), server.address)

    @server.feature(lsp.TEXT_DOCUMENT_REFERENCES)
    async def referred(params: lsp.ReferenceParams) -> list[lsp.Location]:
        checked, path = await server.named(params.text_document.uri)
        declared = params.context.include_declaration
        return locating.references(checked, checked.offset(path, params.position), server.address, declaration=declared)

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    async def highlighted(params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
        checked, path = await server.named(params.text_document.uri)
        return locating.highlights(checked, path, checked.offset(path, params.position))

    @server.feature(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def symbols(params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        return outlining.document_symbols(*await server.at(params.text_document.uri))

    @server.feature(lsp.WORKSPACE_SYMBOL)
    async def everywhere(params: lsp.WorkspaceSymbolParams) -> list[lsp.WorkspaceSymbol]:
        programs = [await server.programs.checked(home) for home in server.programs.everywhere()]
        return outlining.workspace_symbols(programs, params.query, server.address)

    @server.feature(lsp.TEXT_DOCUMENT_FOLDING_RANGE)
    async def folded(params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
        return outlining.folding(*await server.at(params.text_document.uri))

    @server.feature(lsp.TEXT_DOCUMENT_SELECTION_RANGE)
    async def selected(params: lsp.SelectionRangeParams) -> list[lsp.SelectionRange]:
        checked, path = await server.at(params.text_document.uri)
        return [outlining.selections(checked, path, checked.offset(path, position)) for position in params.positions]
