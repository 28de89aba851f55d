"""The certificates of a process: used by its listeners, and read again when SIGHUP says that they have been renewed."""

from __future__ import annotations

import logging
import ssl
from typing import Final

from codeai.server.listening import Tls, tls_context
from codeai.server.pem import pem_fault

_LOG: Final = logging.getLogger("codeai.server")


class Certificates:
    """One TLS context per certificate. New connections get the certificate of the last reading, those that are open keep theirs."""

    def __init__(self) -> None:
        self._contexts: dict[Tls, ssl.SSLContext] = {}

    def context(self, tls: Tls | None) -> ssl.SSLContext | None:
        """The context for a listener; None where it speaks no TLS.

        :raises OSError: the files cannot be used
        """
        if tls is None:
            return None
        if tls not in self._contexts:
            self._contexts[tls] = tls_context(tls)
        return self._contexts[tls]

    def renew(self) -> None:
        """Reads all files again. What cannot be used is said, and the certificate of before goes on being used."""
        for tls, context in self._contexts.items():
            try:
                tls_context(tls)  # a certificate without its key must not get into the context that is in use
                context.load_cert_chain(tls.certificate, tls.key, password="")
            except OSError as error:
                cause = pem_fault(str(tls.certificate), str(tls.key), error)
                _LOG.error("certificate not renewed", extra={"certificate": str(tls.certificate), "cause": cause})
            else:
                _LOG.info("certificate renewed", extra={"certificate": str(tls.certificate)})
