"""Where an issuer keeps its keys, as it says itself (OpenID Connect Discovery 1.0, section 4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import msgspec

from codeai.auth.keys import Fetch, FetchedDocument

_WELL_KNOWN: Final = "/.well-known/openid-configuration"


class _Configuration(msgspec.Struct, frozen=True):
    issuer: str
    jwks_uri: str


def configuration_url(issuer: str) -> str:
    """The address of the document that describes an issuer."""
    return issuer.rstrip("/") + _WELL_KNOWN


class DiscoveredKeys:
    """Fetches the key set of an issuer from the address that its configuration names; a ``Fetch`` for a ``KeySet``.

    The address is kept for as long as the configuration says (at most a day, an hour where it says nothing), and looked up anew when
    the keys cannot be had from it.

    :param fetch: gets documents of the issuer's own host, which whoever runs the program has named
    :param elsewhere: gets documents of other hosts, which only the issuer names: public addresses only
    :param clock: monotonic seconds
    """

    def __init__(self, issuer: str, fetch: Fetch, elsewhere: Fetch, clock: Callable[[], float], *, lifetime: float = 3_600.0) -> None:
        self._issuer = issuer
        self._fetch = fetch
        self._elsewhere = elsewhere
        self._clock = clock
        self._lifetime = lifetime
        self._address = ""
        self._expires = float("-inf")

    async def __call__(self, url: str) -> FetchedDocument:
        """Gets the key set; ``url`` is that of the configuration.

        :raises OSError: one of the documents cannot be had
        :raises ValueError: the configuration is none, is that of another issuer, or names no address of keys
        """
        if self._clock() >= self._expires:
            await self._discover(url)
        fetch = self._fetch if _host(self._address) == _host(url) else self._elsewhere
        try:
            return await fetch(self._address)
        except OSError:
            self._expires = float("-inf")
            raise

    async def _discover(self, url: str) -> None:
        document = await self._fetch(url)
        found = msgspec.json.decode(document.text, type=_Configuration)
        if found.issuer != self._issuer:
            raise ValueError(f"the configuration is that of issuer '{found.issuer[:200]}'")
        scheme, wanted = urlsplit(found.jwks_uri).scheme, urlsplit(url).scheme
        if scheme != "https" and (scheme, wanted) != ("http", "http"):
            raise ValueError("the address of the keys is not https")
        age = document.max_age if document.max_age is not None else self._lifetime
        self._address, self._expires = found.jwks_uri, self._clock() + min(max(age, 60.0), 86_400.0)


def _host(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
