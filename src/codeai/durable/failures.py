"""What may become of a step, as data that is recorded, and when it is tried again."""

from __future__ import annotations

import random
from typing import Any, Final

from codeai.durable.dispatch.protocol import LeaseLost
from codeai.durable.recorder import NotRecorded
from codeai.durable.values import storable_json
from codeai.evaluate.errors import EvaluationError, ProgramFailure
from codeai.model.event import Retry
from codeai.model.validation import InvalidFields
from codeai.query.errors import QueryError
from codeai.storage import errors as storage
from codeai.storage.codecs import storable

_SETTLED: Final = (ProgramFailure, EvaluationError, InvalidFields, QueryError, storage.ConstraintViolation, storage.ValueOutOfRange)
# What ends the turn of an execution, and no step can be blamed for: the work goes on from what is recorded, and no try is counted.
BLAMELESS: Final = (LeaseLost, NotRecorded, storage.DatabaseUnavailable, storage.PoolExhausted, storage.SerializationFailure)
MAX_OUTPUT: Final = 16 * 1024 * 1024


class StepFailure(Exception):
    """A failure of a step with its code; ``retryable`` unless trying again cannot help."""

    def __init__(
        self, code: str, message: str, *, retryable: bool = True, status: int | None = None, body: Any = None, after: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.retryable = retryable
        self.status = status
        self.body = body
        self.after = after


class CancelledByHand(StepFailure):
    """Somebody has cancelled the execution while the step ran or waited."""

    def __init__(self, message: str) -> None:
        super().__init__("cancelled", message, retryable=False)


def described(error: BaseException, step: str | None) -> dict[str, Any]:
    """A failure as programs, operators and records see it."""
    found: dict[str, Any] = {"message": _message(error), "code": _code(error), "step": step, "status": None, "body": None}
    for name in ("status", "body"):
        # Of a call that a peer refused, its status counts, not the one that an endpoint would answer.
        value = getattr(error, f"peer_{name}", getattr(error, name, None))
        if value is None or isinstance(value, str | int | dict | list):
            found[name] = value
    found["message"], found["body"] = storable(found["message"]), storable_json(found["body"])
    return found


def _message(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return str(error) or "the step took too long"
    if isinstance(error, ProgramFailure):
        return error.message or f"failed with status {error.status}"
    return (str(error) or type(error).__name__)[:2_000]


def _code(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ProgramFailure):
        return error.code or "failed"
    if isinstance(error, EvaluationError):
        return "evaluation_error"
    found = getattr(error, "code", None)
    return found if isinstance(found, str) else "internal_error"


def retryable(error: BaseException, *, declared: bool) -> bool:
    """Whether trying again may help. What the program itself decided is tried again only where the step asks for retries."""
    if isinstance(error, _SETTLED):
        return declared
    return bool(getattr(error, "retryable", True))


def delay_ms(policy: Retry, attempt: int, after: float | None = None) -> int:
    """How long to wait before trying again, with a jitter of a fifth either way.

    :param attempt: which try failed, counted from 1
    :param after: seconds that the peer asked for
    """
    found = policy.delay(attempt) * random.uniform(0.8, 1.2)  # noqa: S311  # spreads load, keeps no secret
    return int(max(found, (after or 0.0) * 1000))
