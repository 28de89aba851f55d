"""Where a server listens: address and port or a Unix socket, with TLS or without; checked before anything else is begun."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import ssl
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from codeai.server.pem import pem_fault
from codeai.server.settings import SettingError, Settings

SOCKET_VARIABLE: Final = "CODEAI_SOCKET_FD"
# In a durable worker: no HTTP worker stands beside it, so that it answers monitors itself.
ALONE_VARIABLE: Final = "CODEAI_ALONE"
BACKLOG: Final = 1024
_MANY_FILES: Final = 65_536
_LOG: Final = logging.getLogger("codeai.server")


class AddressInUse(Exception):
    """Somebody listens there already, or nobody may."""


class Tls(msgspec.Struct, frozen=True):
    """The files of a certificate and its key."""

    certificate: Path
    key: Path


class Place(msgspec.Struct, frozen=True):
    """A place to listen at. ``descriptor`` is that of a Unix socket, bound by the first process for all workers."""

    host: str
    port: int
    path: str | None = None
    descriptor: int | None = None
    tls: Tls | None = None

    @property
    def shown(self) -> str:
        """The address for people."""
        scheme = "https" if self.tls else "http"
        if self.path is not None:
            return f"{scheme}+unix://{self.path}"
        return f"{scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def main_place(settings: Settings, environment: Mapping[str, str]) -> Place:
    """Where the program is served; in a worker with the socket that the first process has bound.

    :raises SettingError: the certificate cannot be used
    """
    descriptor = environment.get(SOCKET_VARIABLE)
    return Place(settings.host, settings.port, settings.socket, int(descriptor) if descriptor else None, _tls(settings))


def operator_place(settings: Settings) -> Place | None:
    """Where operators have a port of their own.

    :raises SettingError: it is the one of the program
    """
    if settings.operator_port == settings.port and settings.socket is None:
        raise SettingError(f"CODEAI_OPERATOR_PORT is {settings.port}, where the program is served; choose another")
    return Place(settings.host, settings.operator_port, tls=_tls(settings)) if settings.operator_port else None


def _tls(settings: Settings) -> Tls | None:
    if settings.tls_cert is None and settings.tls_key is None:
        return None
    if settings.tls_cert is None or settings.tls_key is None:
        given, missing = ("CODEAI_TLS_CERT", "CODEAI_TLS_KEY") if settings.tls_cert else ("CODEAI_TLS_KEY", "CODEAI_TLS_CERT")
        raise SettingError(f"{given} needs {missing}, too")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except OSError as error:
        raise SettingError(pem_fault(settings.tls_cert, settings.tls_key, error)) from None
    return Tls(Path(settings.tls_cert), Path(settings.tls_key))


def check(place: Place, option: str = "--port") -> None:
    """Whether nobody listens there.

    :param option: what its port can be changed with
    :raises AddressInUse: somebody does, or the address is not this machine's
    """
    if place.path is not None:
        return
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((place.host, place.port))
        except OSError as error:
            hint = _hint(error, option)
            raise AddressInUse(f"cannot listen on {place.host}:{place.port}: {error.strerror or error}{hint}") from error


def _hint(error: OSError, option: str) -> str:
    """What to do about it."""
    if isinstance(error, socket.gaierror):
        return "; is the host spelled right? --host or CODEAI_HOST say where"
    if error.errno == errno.EADDRNOTAVAIL:
        return "; this machine has no such address: choose another with --host or CODEAI_HOST, 0.0.0.0 is all that it has"
    port = f"choose another port with {option} or CODEAI_{option.removeprefix('--').replace('-', '_').upper()}"
    if error.errno == errno.EADDRINUSE:
        return f"; end what listens there, or {port}"
    return f"; ports below 1024 are for root and who has CAP_NET_BIND_SERVICE: {port}" if error.errno == errno.EACCES else ""


def bind(path: str) -> int:
    """A Unix socket that listens, as the descriptor that workers inherit; one that nobody listens on any more is replaced.

    :raises AddressInUse: somebody listens, or something else is there
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if Path(path).exists():
            _clear(path)
        listening.bind(path)
        # The group may connect, as a proxy in front of the server does; others may not.
        Path(path).chmod(0o660)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        hint = "; make its folder first, or choose another path with --socket or CODEAI_SOCKET" if error.errno == errno.ENOENT else ""
        raise AddressInUse(f"cannot listen on {path}: {error.strerror or error}{hint}") from error
    descriptor = listening.detach()
    os.set_inheritable(descriptor, True)
    return descriptor


def _clear(path: str) -> None:
    if not stat.S_ISSOCK(Path(path).stat().st_mode):
        raise AddressInUse(f"cannot listen on {path}: it is no socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
            return
    raise AddressInUse(f"cannot listen on {path}: somebody does already")


def unbind(place: Place) -> None:
    """Removes the Unix socket."""
    if place.path is not None:
        with contextlib.suppress(OSError):
            Path(place.path).unlink()


def listen(place: Place) -> socket.socket:
    """A socket that listens at a place; several workers may each have one.

    :raises OSError: nobody may listen there
    """
    if place.descriptor is not None:
        return socket.socket(fileno=os.dup(place.descriptor))
    family, kind, protocol, _, address = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(address)
        listening.listen(BACKLOG)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


def most_files() -> int:
    """How many files this process may have open, after it has asked for as many as it may have: the soft limit is often 1,024."""
    if sys.platform == "win32":
        return 16_384
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MANY_FILES if hard == resource.RLIM_INFINITY else min(hard, _MANY_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):  # the system has a limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return _MANY_FILES if soft == resource.RLIM_INFINITY else soft


class _Told(ssl.SSLObject):
    """Says in the log why a handshake has failed, which the event loop keeps to itself."""

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError as error:
            cause = "the client speaks plain HTTP" if error.reason == "HTTP_REQUEST" else (error.reason or "").replace("_", " ").lower()
            _LOG.info("tls handshake failed", extra={"cause": cause or str(error)})
            raise


def tls_context(tls: Tls) -> ssl.SSLContext:
    """TLS 1.2 and 1.3 with a certificate.

    :raises OSError: it cannot be used
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.certificate, tls.key, password="")
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.sslobject_class = _Told
    context.set_alpn_protocols(["http/1.1"])
    return context
