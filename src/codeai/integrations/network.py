"""Connections that go to checked addresses only.

The guard sits where the socket is opened: the name is resolved once, the addresses are checked, and the socket connects to the
checked address itself. A second look-up, which a hostile name server could answer differently (rebinding), never happens. TLS still
verifies the name of the URL.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import httpcore

from codeai.integrations.addresses import AddressPolicy, IPAddress
from codeai.integrations.errors import AddressForbidden, ConnectTimedOut, Unreachable
from codeai.storage.causes import cause_of

Resolve = Callable[[str, int], Awaitable[list[IPAddress]]]
_LEAST: Final = 0.05


async def resolve(host: str, port: int) -> list[IPAddress]:
    """The addresses of a host, as the system resolves it.

    :raises OSError: it has none
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # The zone of a link-local address says nothing that the check needs.
    return list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Opens TCP connections for a pool.

    :param policy: decides on addresses
    :param resolve: how names become addresses
    """

    def __init__(self, policy: AddressPolicy, resolve: Resolve = resolve) -> None:
        self._policy = policy
        self._resolve = resolve
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolves, checks and connects; tries each permitted address within the time-out.

        :raises AddressForbidden: no address of the host is permitted
        :raises Unreachable: none of them answers
        """
        deadline = time.monotonic() + (timeout if timeout is not None else 60.0)
        addresses = await self._addresses(host, port, deadline)
        for position, address in enumerate(addresses):
            # Whoever is left shares the rest of the time, so that one silent address does not use all of it.
            share = max(_LEAST, (deadline - time.monotonic()) / (len(addresses) - position))
            try:
                return await self._inner.connect_tcp(str(address), port, share, local_address, socket_options)
            except httpcore.ConnectTimeout as error:
                if position + 1 == len(addresses):
                    raise ConnectTimedOut(f"'{host}' did not accept a connection in time") from error
            except httpcore.ConnectError as error:
                if position + 1 == len(addresses):
                    raise Unreachable(f"'{host}' cannot be reached: {cause_of(error)}") from error
        raise AssertionError("unreachable")

    async def _addresses(self, host: str, port: int, deadline: float) -> list[IPAddress]:
        try:
            async with asyncio.timeout(max(_LEAST, deadline - time.monotonic())):
                found = await self._resolve(host, port)
        except TimeoutError as error:
            raise ConnectTimedOut(f"the name '{host}' was not resolved in time") from error
        except (OSError, ValueError) as error:  # UnicodeError of a label that is too long is a ValueError
            raise Unreachable(f"the name '{host}' cannot be resolved") from error
        permitted = self._policy.permitted(host, found)
        if not permitted:
            raise AddressForbidden(f"'{host}' leads to an address that is not public; CODEAI_OUTBOUND_ALLOW may allow it")
        return permitted

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Never used."""
        raise AddressForbidden("sockets of the file system are not called")

    async def sleep(self, seconds: float) -> None:
        """Waits between the pool's own attempts."""
        await asyncio.sleep(seconds)
