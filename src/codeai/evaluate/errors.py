"""What a running program may raise."""

from __future__ import annotations


class ProgramFailure(Exception):
    """``fail`` and ``require``: the program's own answer. ``message`` None stands for the endpoint's declared text."""

    def __init__(self, status: int, message: str | None, code: str | None) -> None:
        super().__init__(message or f"status {status}")
        self.status = status
        self.message = message
        self.code = code


class EvaluationError(Exception):
    """A defined run-time error: division by zero, overflow, a failed conversion (language page, section 1.7).

    ``at`` is the offset in the program's sources, -1 when unknown.
    """

    def __init__(self, message: str, at: int = -1) -> None:
        super().__init__(message)
        self.at = at


class NotCompilable(Exception):
    """A program that the checker let through and that cannot be run: stops the start, with the place."""

    def __init__(self, message: str, at: int = -1) -> None:
        super().__init__(message)
        self.at = at
