"""The protocol as pygls speaks it, with what it leaves out: our own buffers, and answers to what is malformed or too early."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

IGNORED: Final = "$/codeai/ignored"
_NOT_INITIALIZED: Final = lsp.ErrorCodes.ServerNotInitialized.value
_INVALID_REQUEST: Final = lsp.ErrorCodes.InvalidRequest.value


class Protocol(LanguageServerProtocol):
    """Documents are kept by ``Documents``: line ends and positions of pygls differ from the specification at the edges."""

    begun = False

    @property
    def ended(self) -> bool:
        """Whether ``shutdown`` was asked for."""
        return self._shutdown

    def structure_message(self, data: dict[str, Any]) -> Any:
        """A message as data of the protocol; a request whose parameters are malformed is answered, not only logged."""
        try:
            return super().structure_message(data)
        except JsonRpcException as error:
            if "id" in data and "method" in data:
                self._send_response(data["id"], None, error.to_response_error())
            return super().structure_message({"jsonrpc": "2.0", "method": IGNORED, "params": None})

    def handle_message(self, message: Any) -> None:
        """Delegates to the handlers; refuses requests before ``initialize`` and behind ``shutdown``."""
        method, id_ = getattr(message, "method", ""), getattr(message, "id", None)
        if method == IGNORED:
            return
        if method == lsp.INITIALIZE and not self.begun:
            self.begun = True
        elif not self.begun and method != lsp.EXIT:
            self._refuse(id_, _NOT_INITIALIZED, "the server is not initialized")
            return
        elif self.ended and method and method != lsp.EXIT:
            self._refuse(id_, _INVALID_REQUEST, "the server is shutting down")
            return
        elif method == lsp.INITIALIZE:
            self._refuse(id_, _INVALID_REQUEST, "the server is initialized already")
            return
        super().handle_message(message)

    def _refuse(self, id_: Any, code: int, said: str) -> None:
        if id_ is not None:
            self._send_response(id_, None, lsp.ResponseError(code, said))

    # -- documents are ours -----------------------------------------------------------------------------------------

    @lsp_method(lsp.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: lsp.DidOpenTextDocumentParams) -> Generator[Any, Any, None]:
        """Hands an opened document on."""
        yield self.fm.features[lsp.TEXT_DOCUMENT_DID_OPEN], (params,), None

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: lsp.DidChangeTextDocumentParams) -> Generator[Any, Any, None]:
        """Hands changes on."""
        yield self.fm.features[lsp.TEXT_DOCUMENT_DID_CHANGE], (params,), None

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: lsp.DidCloseTextDocumentParams) -> Generator[Any, Any, None]:
        """Hands a closed document on."""
        yield self.fm.features[lsp.TEXT_DOCUMENT_DID_CLOSE], (params,), None
