"""The only place that turns an error into a response: problems by RFC 9457."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

import msgspec

from codeai.auth.errors import AuthError
from codeai.evaluate.errors import EvaluationError, ProgramFailure
from codeai.integrations.errors import OutboundError
from codeai.model.status import status_code, title
from codeai.model.validation import InvalidFields
from codeai.query import errors as query
from codeai.storage import errors as storage

_LOG = logging.getLogger("codeai.http")
_ENCODER: Final = msgspec.json.Encoder()


class FieldError(msgspec.Struct, frozen=True):
    """What is wrong with one part of a request; ``field`` is a dotted path (``lines.0.quantity``)."""

    field: str
    code: str
    message: str


class Problem(Exception):
    """An answer that is an error.

    :param detail: what happened, for the caller
    :param code: stable, for programs; the name of the status when None
    :param hint: what to do next

    ``members`` are further members of the document (RFC 9457, section 3.2).
    """

    def __init__(
        self,
        status: int,
        detail: str,
        code: str | None = None,
        *,
        errors: tuple[FieldError, ...] = (),
        hint: str = "",
        headers: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.code = code or status_code(status)
        self.errors = errors
        self.hint = hint
        self.headers = headers
        self.members: Mapping[str, Any] = {}

    def body(self, request_id: str) -> bytes:
        """The document."""
        document: dict[str, Any] = {
            "type": "about:blank",
            "title": title(self.status),
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        }
        if self.errors:
            document["errors"] = self.errors
        if self.hint:
            document["hint"] = self.hint
        document.update(self.members)
        return _ENCODER.encode(document)


_RETRY: Final = ((b"retry-after", b"1"),)
Declared = Mapping[int, tuple[str, str | None]]


def problem_of(error: BaseException, declared: Declared) -> Problem:
    """The problem for any exception.

    :param declared: the endpoint's own texts and codes by status (``error 409: "…"``)
    """
    found = _plain(error)
    text = declared.get(found.status)
    if text is None or (isinstance(error, ProgramFailure) and error.message is not None):
        return found
    own_code = isinstance(error, ProgramFailure) and error.code is not None
    return Problem(
        found.status,
        text[0],
        found.code if own_code else text[1] or found.code,
        errors=found.errors,
        hint=found.hint,
        headers=found.headers,
    )


def _plain(error: BaseException) -> Problem:
    if isinstance(error, Problem):
        return error
    for kind, make in _TABLE.items():
        if isinstance(error, kind):
            found = make(error)
            if found.status >= 500 and not isinstance(error, AuthError):
                cause = getattr(error, "cause", "") or error
                _LOG.error("request failed: %s: %s", type(error).__name__, cause, exc_info=error if found.status == 500 else None)
            return found
    _LOG.error("unexpected error", exc_info=error)
    return Problem(500, "something went wrong on our side", "internal_error", hint="quote the request id when you report this")


def _auth(error: AuthError) -> Problem:
    _LOG.warning("authentication failed: %s: %s", error.code, error.cause or error.text)
    headers = tuple((b"www-authenticate", each.encode()) for each in error.challenges) if error.status == 401 else ()
    return Problem(error.status, error.text, error.code, hint=error.hint, headers=headers)


def _failure(error: ProgramFailure) -> Problem:
    return Problem(error.status, error.message or title(error.status).lower(), error.code)


def _outbound(error: OutboundError) -> Problem:
    detail = f"{error.call}: {error.text}" if error.call else error.text
    headers = ((b"retry-after", b"%d" % max(1, round(error.retry_after))),) if error.retry_after is not None else ()
    return Problem(error.status, detail, error.code, headers=headers)


def _unique(error: storage.UniqueViolation) -> Problem:
    return taken(error, {})


def taken(error: storage.UniqueViolation, said: Mapping[str, str]) -> Problem:
    """The answer to a write of what another row has already.

    :param said: what the endpoint says of it, by field
    """
    errors = tuple(FieldError(column, "not_unique", said.get(column, "is taken already")) for column in error.columns)
    return Problem(409, "another row has the same " + (", ".join(error.columns) or "key"), "not_unique", errors=errors)


def _foreign_key(error: storage.ForeignKeyViolation) -> Problem:
    if error.referenced:
        return Problem(409, "other rows refer to this one", "still_referenced")
    return missing_reference(error.columns)


def missing_reference(fields: Iterable[str], said: Mapping[str, str] = MappingProxyType({})) -> Problem:
    """The answer to a write that refers to rows which are not there, or not for this caller.

    :param said: what the endpoint says of it, by field
    """
    errors = tuple(FieldError(field, "not_found", said.get(field, "does not exist")) for field in fields)
    return Problem(409, "a row that this one refers to does not exist", "reference_not_found", errors=errors)


def _check(error: storage.CheckViolation) -> Problem:
    text = f"breaks the rule '{error.constraint}'" if error.constraint else "breaks a rule of the data"
    errors = tuple(FieldError(column, "check_failed", text) for column in error.columns)
    return Problem(422, "the values break a rule of the data", "check_failed", errors=errors)


def _not_null(error: storage.NotNullViolation) -> Problem:
    errors = tuple(FieldError(column, "required", "must have a value") for column in error.columns)
    return Problem(422, "a value is missing", "invalid", errors=errors)


def _invalid(error: query.InvalidValue) -> Problem:
    errors = (FieldError(error.field, error.reason, str(error)),)
    if error.field == "cursor" and error.reason != "conflict":
        # A cursor is an identifier that the server gave out: one that it does not know names no page.
        return Problem(404, "no such page", "not_found", errors=errors, hint=error.hint)
    return Problem(422, "the request has invalid values", "invalid", errors=errors, hint=error.hint)


def _invalid_fields(error: InvalidFields) -> Problem:
    return Problem(422, "the request has invalid values", "invalid", errors=tuple(FieldError(*part) for part in error.errors))


_TABLE: Final[dict[type[BaseException], Callable[[Any], Problem]]] = {
    AuthError: _auth,
    ProgramFailure: _failure,
    OutboundError: _outbound,
    EvaluationError: lambda error: Problem(422, str(error), "evaluation_error"),
    query.RowNotFound: lambda error: Problem(404, f"no such {error.entity}", "not_found"),
    query.NotAllowed: lambda error: Problem(403, f"you may not {error.action} this {error.entity}", "forbidden", hint=error.hint),
    query.InvalidValue: _invalid,
    InvalidFields: _invalid_fields,
    query.QueryError: lambda error: Problem(
        422, str(error), "invalid_query", errors=(FieldError("q", type(error).__name__, str(error)),), hint=error.hint
    ),
    storage.UniqueViolation: _unique,
    storage.ForeignKeyViolation: _foreign_key,
    storage.CheckViolation: _check,
    storage.NotNullViolation: _not_null,
    storage.ValueOutOfRange: lambda error: Problem(422, "a value is out of range", "out_of_range"),
    storage.SerializationFailure: lambda error: Problem(
        409, "another request changed the same rows", "concurrent_change", hint="send the request again", headers=_RETRY
    ),
    storage.DiskFull: lambda error: Problem(
        507, "there is no room for more", "disk_full", hint="what is there can be read; try again when there is room", headers=_RETRY
    ),
    storage.DatabaseUnavailable: lambda error: Problem(
        503, "the database is not available", "database_unavailable", hint="try again shortly", headers=_RETRY
    ),
    storage.PoolExhausted: lambda error: Problem(
        503, "no database connection is free", "pool_exhausted", hint="try again shortly", headers=_RETRY
    ),
    storage.LockTimeout: lambda error: Problem(
        503, "the rows are locked by others", "lock_timeout", hint="try again shortly", headers=_RETRY
    ),
    storage.StatementTimeout: lambda error: Problem(504, "the database took too long", "statement_timeout"),
    storage.StorageError: lambda error: Problem(500, "the database refused the statement", "storage_failure"),
    TimeoutError: lambda error: Problem(504, "the request took too long", "gateway_timeout"),
}
