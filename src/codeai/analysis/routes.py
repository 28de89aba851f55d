"""Routes: those that the server keeps for itself, and requests of tests that no endpoint answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from codeai.analysis.reporter import Reporter
from codeai.language.diagnostics import Severity, Subject
from codeai.language.suggestions import nearest
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Node
from codeai.language.tree.queries import TestRequest
from codeai.model.endpoint import Endpoint, RunBlock

# What the server keeps for itself (language page, section 6): trees of routes, single pages, and what is below /api/v1.
_TREES: Final = ("health", "debug", "docs")
_PAGES: Final = ("metrics", "openapi.json", "llms.txt")
_CONTROL: Final = ("workflows", "executions", "admin", "events", "dead-letters", "webhooks", "integrations", "query")
_OPEN: Final = "\0"  # stands for a value that is put into a path


APART: Final = "where operators have a port of their own (--operator-port), the route is free"


def is_own(method: str, parts: Sequence[str]) -> bool:
    """Whether the server itself answers there. Its pages are only read; what operators do has all methods."""
    if not parts:
        return False
    if tuple(parts[:2]) == ("api", "v1"):
        return len(parts) > 2 and parts[2] in _CONTROL
    if parts[0] == "debug":
        return True
    return method == "GET" and (parts[0] in _TREES or (len(parts) == 1 and parts[0] in _PAGES))


def report_own(endpoint: Endpoint, node: Node, report: Reporter) -> bool:
    """Reports an endpoint at a route of the server, which wins: an error where a block would never run, else a warning."""
    if not is_own(endpoint.method, [part.text for part in endpoint.path]):
        return False
    said, hint = f"the server itself answers '{endpoint.method} {endpoint.template}'", "choose another path, or set api_prefix"
    severity = Severity.ERROR if isinstance(endpoint.action, RunBlock) else Severity.WARNING
    note = "" if endpoint.path[0].text == "health" else APART
    report.error(node, said, "CAI0514", help_text=hint, note=note, severity=severity)
    return True


def report_unanswered(requests: Iterable[TestRequest], endpoints: Sequence[Endpoint], report: Reporter) -> None:
    """Reports requests of tests that no endpoint answers: an error where the path looks misspelt, else a warning, because a test
    may well ask for what must not be there.
    """
    for request in requests:
        parts = _parts(request.path)
        if parts is None or is_own(request.method, parts) or not parts or any(_answers(endpoint, parts) for endpoint in endpoints):
            continue
        path = "/" + "/".join("{…}" if _OPEN in part else part for part in parts)
        message = f"no endpoint answers '{request.method} {path}'"
        place = Node(request.path.start + 1, request.path.end - 1)  # a path is read as a string whose quotes are left out
        near = _nearest(parts, endpoints)
        if near is None:
            report.warning(place, message, "CAI0519", subject=Subject(path))
        else:
            report.error(place, message, "CAI0519", help_text=f"did you mean '{near}'?", subject=Subject(path, meant=near))


def _parts(path: ex.Expression) -> list[str] | None:
    """The segments of a path; None where a value may stand for more than one of them."""
    pieces = path.parts if isinstance(path, ex.Interpolation) else (path,)
    text = "".join(piece.value if isinstance(piece, ex.StringLiteral) else _OPEN for piece in pieces)
    parts = [part for part in text.split("?")[0].split("/") if part]
    if not text.startswith("/") or any(_OPEN in part and part != _OPEN for part in parts):
        return None
    return parts


def _answers(endpoint: Endpoint, parts: Sequence[str]) -> bool:
    """Whether the path is that of an endpoint, of whatever method: 405 is an answer, too."""
    fits = (segment.parameter or part in (segment.text, _OPEN) for segment, part in zip(endpoint.path, parts, strict=False))
    return len(endpoint.path) == len(parts) and all(fits)


def _nearest(parts: Sequence[str], endpoints: Sequence[Endpoint]) -> str | None:
    written: dict[str, str] = {}
    for endpoint in endpoints:
        if len(endpoint.path) == len(parts):
            shown = [part if segment.parameter else segment.text for segment, part in zip(endpoint.path, parts, strict=True)]
            written.setdefault("/" + "/".join(shown), endpoint.template)
    near = nearest("/" + "/".join(parts), written)
    return written[near.name] if near is not None else None
