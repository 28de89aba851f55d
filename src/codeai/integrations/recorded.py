"""Integrations in tests: nothing leaves the process. What a test says with ``mock`` is answered; anything else is a failure that names
what is missing. Arguments and answers are checked as those of real calls.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from codeai.evaluate.errors import EvaluationError
from codeai.evaluate.operations import to_json
from codeai.integrations.client import OperationPlan
from codeai.integrations.errors import AnswerInvalid, CallFailed, undeclared

if TYPE_CHECKING:
    from codeai.evaluate.context import Context


class RecordedCall(msgspec.Struct, frozen=True):
    """A call that a test has caused."""

    integration: str
    operation: str
    arguments: Mapping[str, Any]


class RecordedIntegrations:
    """What ``call`` statements reach in tests (see ``evaluate.effects.Operations``).

    :param plans: the operations by ``Integration.operation``

    ``calls`` are those that were made, ``missing`` the operations that were called without an answer.
    """

    def __init__(self, plans: Mapping[str, OperationPlan]) -> None:
        self._plans = plans
        self._answers: dict[str, Any] = {}
        self.calls: list[RecordedCall] = []
        self.missing: list[str] = []

    def mock(self, integration: str, operation: str, fails: bool, value: Any) -> None:
        """Decides the answer of an operation from now on.

        :param value: what it returns, checked against its type; of a failure the status, the text, or a record of ``status`` and ``body``
        :raises EvaluationError: the operation could never answer that
        """
        name = f"{integration}.{operation}"
        try:
            self._answers[name] = _failure(value) if fails else self._plans[name].reader.value(to_json(value))
        except AnswerInvalid as error:
            raise EvaluationError(f"the mock of {name} is not what it returns: {error}") from error

    async def call(self, context: Context, integration: str, operation: str, values: Mapping[str, Any]) -> Any:
        """See ``Operations``."""
        name = f"{integration}.{operation}"
        if name not in self._plans:
            raise undeclared(integration, operation)
        self._plans[name].writer.write(values)
        self.calls.append(RecordedCall(integration, operation, values))
        if name not in self._answers:
            self.missing.append(name)
            raise EvaluationError(f"the test calls {name} and does not say what it answers: mock {name} returns …")
        found = self._answers[name]
        if isinstance(found, _Failure):
            raise found.error(name)
        return copy.deepcopy(found)


class _Failure(msgspec.Struct, frozen=True):
    """An answer that is an error."""

    status: int
    body: Any

    def error(self, name: str) -> CallFailed:
        """The error that the call raises."""
        found = CallFailed(f"the peer answered {self.status}", self.status, self.body)
        found.call = name
        return found


def _failure(value: Any) -> _Failure:
    if isinstance(value, Mapping):
        return _Failure(int(value.get("status", 500)), to_json(value.get("body")))
    return _Failure(value, None) if isinstance(value, int) else _Failure(500, to_json(value))
