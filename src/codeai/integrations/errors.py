"""What may go wrong with a call that leaves the server.

``str(error)`` is for the log and names the host at most, because addresses may carry keys; ``text`` is for the caller and says
nothing of the peer.
"""

from __future__ import annotations

from codeai.evaluate.errors import ProgramFailure
from codeai.model.statement import NOT_DECLARED


class OutboundError(Exception):
    """The base of all failures of an outbound request.

    ``code`` is stable, ``status`` is what an endpoint answers when nobody handles it. ``sent`` says whether the peer may have seen
    the request: what was certainly not sent may be repeated even when it is not idempotent. ``transient`` says whether trying
    later may help. ``call`` names the operation, when it was one; ``retry_after`` is in seconds, None when nobody said.
    """

    code = "peer_failed"
    status = 502
    text = "the other system failed"
    sent = True
    transient = True
    call = ""
    retry_after: float | None = None

    @property
    def retryable(self) -> bool:
        """Whether a workflow should try the step again (see ``durable.failures``)."""
        return self.transient

    @property
    def after(self) -> float | None:
        """Seconds until it should."""
        return self.retry_after


class BadAddress(OutboundError):
    """The URL is no usable http or https address, or the request cannot be written."""

    code = "bad_address"
    text = "the address of the other system is not usable"
    sent = False
    transient = False


class AddressForbidden(OutboundError):
    """The host leads to an address that is not public and that no operator has allowed (SSRF)."""

    code = "address_forbidden"
    text = "the address of the other system is not allowed"
    sent = False
    transient = False


class Unreachable(OutboundError):
    """No connection came about: unknown host, refused, no route."""

    code = "peer_unreachable"
    status = 503
    text = "the other system cannot be reached"
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
    text = "the other system did not answer in time"


class Disconnected(OutboundError):
    """The connection broke before the whole answer was there, or the peer does not speak HTTP."""

    code = "peer_disconnected"
    text = "the other system broke the connection"


class AnswerTooLarge(OutboundError):
    """The answer, also after decompression, is larger than is accepted."""

    code = "answer_too_large"
    text = "the answer of the other system is too large"
    transient = False


class AnswerUnreadable(OutboundError):
    """The answer is compressed in a way that was not asked for, or broken."""

    code = "answer_unreadable"
    text = "the answer of the other system is not readable"


class AnswerInvalid(OutboundError):
    """The answer is no JSON, or not of the type that the operation declares."""

    code = "answer_invalid"
    text = "the answer of the other system is not as agreed"
    transient = False


class TooManyCalls(OutboundError):
    """The integration's own ``rate_limit`` leaves no room within the call's time."""

    code = "call_rate_limited"
    status = 503
    text = "too many calls of the other system"
    sent = False

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"no place for {retry_after:.1f} s")
        self.retry_after = retry_after


class TokenRefused(OutboundError):
    """The token endpoint gave no token (RFC 6749, section 5.2)."""

    code = "peer_token_refused"
    text = "the other system does not let us in"
    sent = False


class CallFailed(OutboundError):
    """The peer answered, and the answer is an error: ``peer_status`` and ``body`` (decoded JSON, or text) are its own words."""

    code = "peer_error"
    text = "the other system answered with an error"

    def __init__(self, message: str, peer_status: int, body: object, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.peer_status = peer_status
        self.body = body
        self.retry_after = retry_after
        self.transient = peer_status in (408, 425, 429) or peer_status >= 500
        self.status = {429: 503, 503: 503, 504: 504}.get(peer_status, 502)


class QueryFailed(CallFailed):
    """A GraphQL peer answered with ``errors``."""

    code = "peer_query_failed"


def undeclared(integration: str, operation: str) -> ProgramFailure:
    """What the call of an operation is that an older file names in quotes and nothing declares (the checker has warned)."""
    return ProgramFailure(501, f"operation '{integration}.{operation}' is not declared", NOT_DECLARED)
