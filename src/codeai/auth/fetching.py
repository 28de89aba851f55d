"""Fetches key sets over HTTP."""

from __future__ import annotations

import re
from typing import Final

from codeai.auth.keys import FetchedDocument

_LIMIT: Final = 1_000_000
_TIMEOUT: Final = 5.0


async def fetch_document(url: str) -> FetchedDocument:
    """Gets a document of at most 1 MB within 5 s; follows no redirect.

    :raises OSError: it cannot be had
    """
    import httpx  # imported late: only programs with a key set need it

    try:
        async with (
            httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False) as client,
            client.stream("GET", url, headers={"Accept": "application/json"}) as response,
        ):
            if response.status_code != 200:
                raise OSError(f"status {response.status_code}")
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _LIMIT:
                    raise OSError("the document is larger than 1 MB")
            found = re.search(r"max-age=(\d+)", response.headers.get("cache-control", ""))
            return FetchedDocument(bytes(body), float(found.group(1)) if found else None)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
