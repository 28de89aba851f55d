"""Who sends a request, by address. Forwarding headers count only when a proxy of the operator's wrote them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

from codeai.http.messages import Request

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_LOCAL: Final = "local"
_HOPS: Final = 32


def parse_proxies(text: str) -> tuple[Network, ...]:
    """Reads ``10.0.0.0/8, 127.0.0.1``.

    :raises ValueError: an item is no address and no network
    """
    try:
        return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"addresses and networks, as in 10.0.0.0/8, 127.0.0.1 ({error})") from None


class ClientAddresses:
    """Finds the address of a client.

    The chain of ``X-Forwarded-For`` is walked from the end, as far as each hop is a trusted proxy: what stands before the first
    stranger was written by that stranger and proves nothing.

    :param proxies: networks of proxies whose headers are believed
    """

    def __init__(self, proxies: Iterable[Network] = ()) -> None:
        self._proxies = tuple(proxies)

    def of(self, request: Request) -> str:
        """The address as text; ``local`` for a Unix socket without a proxy's header."""
        given = request.peer
        peer = _address(given) if given is not None else None
        if not self._proxies or (given is not None and (peer is None or not self._trusted(peer))):
            return str(peer) if peer is not None else _LOCAL
        found = peer
        for text in reversed(_chain(request)[-_HOPS:]):
            hop = _address(text)
            if hop is None:
                break
            found = hop
            if not self._trusted(hop):
                break
        return str(found) if found is not None else _LOCAL

    def key(self, request: Request) -> str:
        """What counts as one client: the address, of IPv6 the network of a household (/64), which one client can use up freely."""
        text = self.of(request)
        address = _address(text)
        if isinstance(address, ipaddress.IPv6Address):
            return str(ipaddress.ip_network((address, 64), strict=False))
        return text

    def _trusted(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def _address(text: str) -> Address | None:
    bare = text.strip().strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _chain(request: Request) -> list[str]:
    """The hops of all ``X-Forwarded-For`` headers, in order; of ``Forwarded`` (RFC 7239) where there is none."""
    values = [value.decode("latin-1") for name, value in request.pairs if name == b"x-forwarded-for"]
    if values:
        return ",".join(values).split(",")
    found: list[str] = []
    for name, value in request.pairs:
        if name == b"forwarded":
            for element in value.decode("latin-1").split(","):
                found.extend(part.partition("=")[2] for part in element.split(";") if part.strip().lower().startswith("for="))
    return found
