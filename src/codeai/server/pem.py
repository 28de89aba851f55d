"""What is wrong with the files of a certificate and its key, in words: the TLS library says ``PEM lib`` to most of it."""

from __future__ import annotations

import ssl
from pathlib import Path


def pem_fault(certificate: str, key: str, error: OSError) -> str:
    """Why a certificate cannot be used, beginning with the setting that names the file at fault.

    :param error: what the TLS library said to both files
    """
    for setting, name, begins, holds in (
        ("CODEAI_TLS_CERT", certificate, "-----BEGIN CERTIFICATE-----", "no certificate"),
        ("CODEAI_TLS_KEY", key, "PRIVATE KEY-----", "no private key"),
    ):
        try:
            text = Path(name).read_text(encoding="latin-1")
        except OSError as unreadable:
            return f"{setting}: cannot read {name}: {unreadable.strerror or unreadable}"
        if begins not in text:
            return f"{setting}: {name} holds {holds} in PEM form (a text with '{begins}' in it)"
        if setting == "CODEAI_TLS_KEY" and "ENCRYPTED" in text:
            remedy = f"'openssl pkey -in {name} -out FILE' writes it without"
            return f"{setting}: {name} is encrypted, and nobody is there to type its pass phrase: {remedy}"
    reason = error.reason if isinstance(error, ssl.SSLError) else None
    if reason == "KEY_VALUES_MISMATCH":
        return f"CODEAI_TLS_KEY: {key} is not the key of {certificate}; the server's own certificate must come first in its file"
    said = reason.replace("_", " ").lower() if reason else error.strerror or str(error)
    return f"CODEAI_TLS_CERT: cannot use {certificate} with {key}: {said}"
