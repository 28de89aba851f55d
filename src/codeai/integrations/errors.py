"""What may go wrong with a call that leaves the server. Texts name the host at most: addresses may carry keys."""

from __future__ import annotations


class OutboundError(Exception):
    """The base of all failures of an outbound request.

    ``code`` is stable, ``status`` is what an endpoint answers when nobody handles it. ``sent`` says whether the peer may have seen
    the request: what was certainly not sent may be repeated even when it is not idempotent.
    """

    code = "peer_failed"
    status = 502
    sent = True


class BadAddress(OutboundError):
    """The URL is no usable http or https address."""

    code = "bad_address"
    sent = False


class AddressForbidden(OutboundError):
    """The host leads to an address that is not public and that no operator has allowed (SSRF)."""

    code = "address_forbidden"
    sent = False


class Unreachable(OutboundError):
    """No connection came about: unknown host, refused, no route."""

    code = "peer_unreachable"
    status = 503
    sent = False


class ConnectTimedOut(Unreachable):
    """The peer did not accept a connection in time."""

    code = "peer_connect_timeout"
    status = 504


class TlsFailed(Unreachable):
    """The TLS handshake failed: wrong name, unknown issuer, expired certificate, no TLS at all."""

    code = "peer_tls_failed"
    status = 502


class TimedOut(OutboundError):
    """The peer took the request and did not answer in time; it may have acted."""

    code = "peer_timeout"
    status = 504


class Disconnected(OutboundError):
    """The connection broke before the whole answer was there, or the peer does not speak HTTP."""

    code = "peer_disconnected"


class AnswerTooLarge(OutboundError):
    """The answer, also after decompression, is larger than is accepted."""

    code = "answer_too_large"


class AnswerUnreadable(OutboundError):
    """The answer is compressed in a way that was not asked for, or broken."""

    code = "answer_unreadable"
