"""The one HTTP client for everything that leaves the server: integrations, webhooks, token requests.

Each client is a pool with one address policy. Requests have time-outs to connect, to read and in total; answers are limited in
size while they stream; redirects are never followed; proxies and cookies do not exist.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import msgspec

from codeai.integrations.addresses import AddressPolicy
from codeai.integrations.decompression import ACCEPTED, collector
from codeai.integrations.errors import BadAddress, ConnectTimedOut, Disconnected, OutboundError, TimedOut, TlsFailed, Unreachable
from codeai.observability.spans import SPANS
from codeai.storage.causes import cause_of

if TYPE_CHECKING:  # the libraries are loaded with the first request: most programs and all commands do without
    import httpcore
    import httpx

    from codeai.integrations.network import Resolve

AGENT: Final = "codeai"
# What the client itself writes; the same header of a caller is not sent a second time.
OURS: Final = frozenset(["host", "content-length", "transfer-encoding", "connection", "accept-encoding", "te", "upgrade"])
_KEPT: Final = 30.0


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds, sizes in bytes. ``read`` is the longest silence, ``total`` the whole exchange."""

    connect: float = 5.0
    read: float = 30.0
    total: float = 30.0
    answer: int = 10 * 1024 * 1024


class Answer(msgspec.Struct, frozen=True):
    """What a peer said, whatever its status; ``headers`` in lower case, in order."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The value of a header (lower case), '' when it is absent."""
        return next((value for known, value in self.headers if known == name), "")


def host_of(url: str) -> str:
    """The host of an address.

    :raises BadAddress: it is no http or https address
    """
    return _parsed(url).host


def _parsed(url: str) -> httpx.URL:
    import httpx

    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise BadAddress("the address is malformed") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise BadAddress("the address does not begin with http:// or https:// and a host")
    if parsed.port is not None and not 0 < parsed.port < 65536:
        raise BadAddress(f"the address of '{parsed.host}' has no valid port")
    if parsed.userinfo:
        raise BadAddress(f"the address of '{parsed.host}' contains credentials")
    return parsed


class Outbound:
    """A pooled client.

    :param policy: decides which addresses it may connect to
    :param connections: at most so many at a time
    :param tls: verifies peers; by default the usual authorities and ``SSL_CERT_FILE``
    :param resolve: how names become addresses, as the system does it by default
    """

    def __init__(
        self, policy: AddressPolicy, *, connections: int = 100, tls: ssl.SSLContext | None = None, resolve: Resolve | None = None
    ) -> None:
        self._policy = policy
        self._resolve = resolve
        self._connections = connections
        self._tls = tls
        self._pool: httpcore.AsyncConnectionPool | None = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes | None = None,
        limits: Limits = Limits(),  # noqa: B008  # frozen
    ) -> Answer:
        """Sends a request and reads the whole answer.

        :raises OutboundError: there is no answer; the class says why, ``sent`` whether the peer may have acted
        """
        spans = SPANS.get()
        if spans is None:
            return await self._sent(method, _parsed(url), headers, body, limits)
        parsed = _parsed(url)
        about = {"http.request.method": method, "server.address": parsed.host, "url.path": parsed.path}
        with spans.span(method, about, "client"):
            return await self._sent(method, parsed, (*headers, *spans.headers()), body, limits)

    async def _sent(self, method: str, parsed: httpx.URL, headers: Iterable[tuple[str, str]], body: bytes | None, limits: Limits) -> Answer:
        request, progress = _request(method, parsed, headers, body, limits), _Progress()
        request.extensions["trace"] = progress
        try:
            async with asyncio.timeout(limits.total):
                return await self._exchange(request, limits)
        except OutboundError:
            raise
        except TimeoutError as error:
            if not progress.sent:
                raise ConnectTimedOut(f"no connection to '{parsed.host}' came about within {limits.total:g} s") from error
            raise TimedOut(f"'{parsed.host}' did not answer within {limits.total:g} s") from error
        except Exception as error:
            raise _failure(error, parsed.host) from error

    async def _exchange(self, request: httpcore.Request, limits: Limits) -> Answer:
        response = await self._opened().handle_async_request(request)
        try:
            headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers)
            answer = Answer(response.status, headers, b"")
            collected = collector(answer.header("content-encoding"), limits.answer)
            async for chunk in response.aiter_stream():
                collected.feed(chunk)
            await _drop_surplus(response)
            bodiless = request.method == b"HEAD" or response.status in (204, 304)
            return Answer(response.status, headers, b"" if bodiless else collected.finish())
        finally:
            await response.aclose()

    def _opened(self) -> httpcore.AsyncConnectionPool:
        if self._pool is None:
            import httpcore
            import httpx

            from codeai.integrations.network import GuardedNetwork, resolve

            self._pool = httpcore.AsyncConnectionPool(
                ssl_context=self._tls or httpx.create_ssl_context(),
                max_connections=self._connections,
                max_keepalive_connections=self._connections,
                keepalive_expiry=_KEPT,
                network_backend=GuardedNetwork(self._policy, self._resolve or resolve),
            )
        return self._pool

    async def close(self) -> None:
        """Closes all connections."""
        if self._pool is not None:
            await self._pool.aclose()
            self._pool = None


class _Progress:
    """How far an exchange has come, as the pool tells: before the head is sent the peer has seen nothing of the request."""

    def __init__(self) -> None:
        self.sent = False

    async def __call__(self, event: str, _: object) -> None:
        if event.endswith("send_request_headers.started"):
            self.sent = True


async def _drop_surplus(response: httpcore.Response) -> None:
    """Ends a connection on which more has come than the answer: the surplus would be taken for the answer to the next request.

    The pool looks whether an idle connection has something to read, and knows nothing of what has been read with the answer. That
    lies in httpcore's own state of the connection; where a version of it keeps that elsewhere, no connection is used again.
    """
    try:
        surplus, _ = response.stream._stream._connection._h11_state.trailing_data  # type: ignore[union-attr]  # see above
    except AttributeError:
        surplus = b"?"
    if surplus:
        await response.extensions["network_stream"].aclose()


def _request(method: str, url: httpx.URL, headers: Iterable[tuple[str, str]], body: bytes | None, limits: Limits) -> httpcore.Request:
    import httpcore

    given = [(name, value) for name, value in headers if name.lower() not in OURS]
    lines = [("Host", url.netloc.decode("ascii")), ("Accept-Encoding", ACCEPTED), *given]
    if not any(name.lower() == "user-agent" for name, _ in given):
        lines.append(("User-Agent", AGENT))
    if body is not None or method in ("POST", "PUT", "PATCH"):
        lines.append(("Content-Length", str(len(body or b""))))
    try:
        encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in lines]
    except UnicodeEncodeError as error:
        raise BadAddress("a header contains characters that headers cannot carry") from error
    return httpcore.Request(
        method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=encoded,
        content=body or b"",
        extensions={"timeout": {"connect": limits.connect, "read": limits.read, "write": limits.read, "pool": limits.connect}},
    )


def _failure(error: Exception, host: str) -> OutboundError:
    """The class of ours for what the transport raised."""
    import httpcore

    if isinstance(error, httpcore.ConnectTimeout | httpcore.PoolTimeout):
        return ConnectTimedOut(f"no connection to '{host}' came about in time")
    if isinstance(error, httpcore.TimeoutException):
        return TimedOut(f"'{host}' was silent for too long")
    if isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError) or isinstance(error.__context__, ssl.SSLError):
        return TlsFailed(f"TLS with '{host}' failed: {error}")
    if isinstance(error, httpcore.ConnectError):
        return Unreachable(f"'{host}' cannot be reached: {cause_of(error)}")
    if isinstance(error, httpcore.LocalProtocolError):
        return BadAddress(f"the request to '{host}' cannot be written: {error}")
    if isinstance(error, httpcore.NetworkError | httpcore.ProtocolError | OSError):
        return Disconnected(f"the connection to '{host}' broke: {cause_of(error)}" if str(error) else f"the connection to '{host}' broke")
    return Disconnected(f"the exchange with '{host}' failed: {type(error).__name__}")
