"""The access log: one line per request (acceptance S75)."""

from __future__ import annotations

import logging
from typing import Final

from codeai.http.messages import Request

ACCESS: Final = logging.getLogger("codeai.access")
FAILED: Final = 500  # from this status on it is the server's fault: an error, which filters for errors find


def log_request(request: Request, status: int, milliseconds: float) -> None:
    """Notes a request: its path as sent, the route that it led to, its duration as a number of milliseconds (acceptance T3)."""
    ACCESS.log(logging.ERROR if status >= FAILED else logging.INFO, "request", extra=access_fields(request, status, milliseconds))


def access_fields(request: Request, status: int, milliseconds: float) -> dict[str, object]:
    """The fields of the line."""
    fields: dict[str, object] = {
        "request_id": request.id,
        "method": request.method,
        "path": request.path[:500],
        "route": request.template,
        "status": status,
        "duration": round(milliseconds, 3),
    }
    if request.method == "-":  # what was no request: its sender is all there is
        fields["peer"] = request.peer
    if request.code:
        fields["code"] = request.code
    if request.principal is not None and request.principal.id is not None:
        fields["user_id"] = request.principal.id
    if request.trace:
        fields |= request.trace
    return fields
