"""What the HTTP side has to know of the settings. Times in seconds, sizes in bytes."""

from __future__ import annotations

import msgspec

from codeai.http.middleware.cors import CorsPolicy


class HttpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits and switches; see the table of the environment for the variables behind them."""

    request_timeout: float = 60.0
    body_timeout: float = 30.0
    max_body: int = 1_048_576
    compress_from: int = 1_024
    cors: CorsPolicy | None = None
