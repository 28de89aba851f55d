"""What stops the start of a server."""

from __future__ import annotations


class StartError(Exception):
    """Something of the program that cannot be built; ``at`` is its offset in the sources, -1 when it has none."""

    def __init__(self, message: str, at: int = -1) -> None:
        super().__init__(message)
        self.at = at
