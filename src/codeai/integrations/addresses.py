"""Which addresses an outbound connection may lead to (the guard against server-side request forgery).

Names prove nothing, so the decision is made on the addresses that a name resolves to, and the connection goes to exactly those
(see ``network``). What is allowed besides the public internet is said by operators: host names, ``*.suffix`` and networks.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

import msgspec

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")  # all that is public of IPv6 (RFC 4291); site-local fec0::/10 once was of a site
# Not public, whatever versions of Python say: special uses (RFC 6890), relays of 6to4 (RFC 7526), documentation (RFC 9637), and the host
# agent of Azure, which is public by registration and hands out credentials inside.
_INSIDE: Final = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "3fff::/20")))


def embedded(address: IPAddress) -> IPAddress:
    """The IPv4 address that an IPv6 address stands for (mapped, compatible, 6to4, Teredo, NAT64), else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    low = int(address) & 0xFFFF_FFFF
    if address in _NAT64:  # that of local use, 64:ff9b:1::/48, may hold the address anywhere, and leads where its operator says
        return ipaddress.IPv4Address(low)
    # ::a.b.c.d, the deprecated compatible form; :: and ::1 have no IPv4 meaning.
    return ipaddress.IPv4Address(low) if int(address) >> 32 == 0 and low > 1 else address


def is_public(address: IPAddress) -> bool:
    """Whether an address is one of the public internet: neither loopback, private, shared, link-local (so no metadata service),
    multicast, reserved nor unspecified, also when it is wrapped in IPv6.
    """
    inner = embedded(address)
    hidden = inner.is_private or inner.is_loopback or inner.is_link_local or inner.is_multicast or inner.is_reserved or inner.is_unspecified
    foreign = isinstance(inner, ipaddress.IPv4Address) or inner in _UNICAST
    return foreign and inner.is_global and not hidden and not any(inner in network for network in _INSIDE)


class AllowList(msgspec.Struct, frozen=True):
    """Hosts and networks that operators allow although they are not public."""

    hosts: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()
    networks: tuple[IPNetwork, ...] = ()

    def host(self, name: str) -> bool:
        """Whether a host is allowed by its name, wherever it leads."""
        lowered = name.lower().rstrip(".")
        return lowered in self.hosts or lowered.endswith(self.suffixes)

    def address(self, address: IPAddress) -> bool:
        """Whether an address lies in an allowed network."""
        inner = embedded(address)
        return any(inner in network for network in self.networks)


def parse_allow_list(text: str) -> AllowList:
    """Reads ``10.1.0.0/16, hooks.internal, *.corp.example``; an address stands for its network of one.

    :raises ValueError: an item is none of these; the text names it
    """
    hosts: set[str] = set()
    suffixes: list[str] = []
    networks: list[IPNetwork] = []
    for item in (part.strip() for part in text.split(",")):
        if not item:
            continue
        network = _network(item)
        if network is not None:
            networks.append(network)
        elif item.startswith("*.") and _is_host(item[2:]):
            suffixes.append(item[1:].lower())
        elif _is_host(item):
            hosts.add(item.lower().rstrip("."))
        else:
            raise ValueError(f"hosts, *.suffixes and networks, separated by commas ('{item[:60]}' is none)")
    return AllowList(frozenset(hosts), tuple(suffixes), tuple(networks))


def _network(text: str) -> IPNetwork | None:
    try:
        return ipaddress.ip_network(text.strip("[]"), strict=False)
    except ValueError:
        return None


def _is_host(text: str) -> bool:
    labels = text.rstrip(".").split(".")
    return len(text) < 254 and all(label and label.isascii() and label.replace("-", "").replace("_", "").isalnum() for label in labels)


class AddressPolicy:
    """Decides on the addresses of one client. A client has one policy, so that no connection of a trusted host is used by others.

    :param allowed: what operators allow for addresses that data decides
    :param trusted: host names that an operator wrote into the settings or the program, for this client
    """

    def __init__(self, allowed: AllowList | None = None, trusted: Iterable[str] = ()) -> None:
        self._allowed = allowed or AllowList()
        self._trusted = frozenset(name.lower().rstrip(".") for name in trusted)

    def trusting(self, *hosts: str) -> AddressPolicy:
        """This policy, which trusts some hosts besides."""
        return AddressPolicy(self._allowed, (*self._trusted, *hosts))

    def permitted(self, host: str, addresses: Iterable[IPAddress]) -> list[IPAddress]:
        """Those of the addresses of a host that may be connected to."""
        if host.lower().rstrip(".") in self._trusted or self._allowed.host(host):
            return list(addresses)
        return [address for address in addresses if is_public(address) or self._allowed.address(address)]
