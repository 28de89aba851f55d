"""What changes the text: what could come next, the canonical form, what mends findings, other names."""

from __future__ import annotations

from lsprotocol import types as lsp
from pygls.capabilities import get_capability
from pygls.exceptions import JsonRpcException

from codeai.lsp import actions
from codeai.lsp.completion.completing import complete
from codeai.lsp.documents import path_of
from codeai.lsp.formatting import formatting, formatting_range
from codeai.lsp.lines import Normal
from codeai.lsp.renaming import RenameRefused, rename, renameable
from codeai.lsp.server import Server


class Refused(JsonRpcException):
    """A request that is understood and cannot be fulfilled; editors show why."""

    CODE = lsp.LSPErrorCodes.RequestFailed.value


def register(server: Server) -> None:
    """Registers completion, formatting, code actions and renaming."""

    @server.feature(lsp.TEXT_DOCUMENT_FORMATTING)
    async def whole(params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        checked, path = await server.at(params.text_document.uri)
        return await server.beside(lambda: formatting(checked, path))

    @server.feature(lsp.TEXT_DOCUMENT_RANGE_FORMATTING)
    async def part(params: lsp.DocumentRangeFormattingParams) -> list[lsp.TextEdit] | None:
        checked, path = await server.at(params.text_document.uri)
        return await server.beside(lambda: formatting_range(checked, path, *checked.stretch(path, params.range)))

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(list(actions.KINDS)))
    async def act(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        checked, path = await server.at(params.text_document.uri)
        only = params.context.only
        found = list(actions.offered(checked, path, *checked.stretch(path, params.range), server.address))
        if only is not None and actions.asked(only, actions.FIX_ALL):  # which takes checks of its own
            documents = server.programs.documents.snapshot()
            everything = await server.beside(lambda: actions.fix_all(checked, path, documents, server.address))
            found += [everything] if everything is not None else []
        return [action for action in found if only is None or (action.kind is not None and actions.asked(only, action.kind))]

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(trigger_characters=[".", '"', "@"]))
    async def completed(params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
        path = path_of(params.text_document.uri)
        home = server.programs.home(path)
        checked = server.programs.known(home) or await server.programs.checked(home)  # the one before this letter will do
        document = server.programs.documents.get(path)
        if document is None:
            return []
        lines = Normal(document.text, server.programs.documents.encoding)
        return complete(lines, lines.offset(params.position), checked.loaded.modules, snippets=_snippets(server))

    @server.feature(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    async def prepare(params: lsp.PrepareRenameParams) -> lsp.PrepareRenamePlaceholder:
        checked, path = await server.named(params.text_document.uri)
        try:
            return lsp.PrepareRenamePlaceholder(*renameable(checked, path, checked.offset(path, params.position)))
        except RenameRefused as error:
            raise Refused(str(error)) from error

    @server.feature(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    async def renamed(params: lsp.RenameParams) -> lsp.WorkspaceEdit:
        checked, path = await server.at(params.text_document.uri)
        offset, documents = checked.offset(path, params.position), server.programs.documents.snapshot()
        try:
            return await server.beside(lambda: rename(checked, path, offset, params.new_name, documents, server.address))
        except RenameRefused as error:
            raise Refused(str(error)) from error


def _snippets(server: Server) -> bool:
    return bool(get_capability(server.client_capabilities, "text_document.completion.completion_item.snippet_support", False))
