"""HTTP status codes by the names that problem codes use (RFC 9110; the same on every Python)."""

from __future__ import annotations

from typing import Final

NAMES: Final = {
    400: "bad_request",
    401: "unauthorized",
    402: "payment_required",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "request_timeout",
    409: "conflict",
    410: "gone",
    411: "length_required",
    412: "precondition_failed",
    413: "content_too_large",
    414: "uri_too_long",
    415: "unsupported_media_type",
    416: "range_not_satisfiable",
    417: "expectation_failed",
    418: "teapot",
    422: "unprocessable_content",
    423: "locked",
    424: "failed_dependency",
    425: "too_early",
    426: "upgrade_required",
    428: "precondition_required",
    429: "too_many_requests",
    431: "request_header_fields_too_large",
    451: "unavailable_for_legal_reasons",
    500: "internal_error",
    501: "not_implemented",
    502: "bad_gateway",
    503: "service_unavailable",
    504: "gateway_timeout",
    505: "http_version_not_supported",
}


def status_code(status: int) -> str:
    """The code of a failure that says none: the name of its status (409 → ``conflict``)."""
    return NAMES.get(status, f"status_{status}")


def title(status: int) -> str:
    """The name of a status for people (409 → ``Conflict``)."""
    return status_code(status).replace("_", " ").capitalize().replace("Http ", "HTTP ").replace("Uri ", "URI ")
