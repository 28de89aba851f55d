"""What operators are told when they ask an execution for what it cannot do."""

from __future__ import annotations


class UnknownExecution(LookupError):
    """There is no such execution."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"unknown execution '{id_}'")


class WrongState(Exception):
    """The state of the execution does not allow the operation."""

    def __init__(self, operation: str, status: str, hint: str) -> None:
        super().__init__(f"cannot {operation} an execution that is '{status}'")
        self.status = status
        self.hint = hint


class UnknownStep(ValueError):
    """The definition has no such step."""
