"""What stops the start of a server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from codeai.evaluate.errors import NotCompilable
from codeai.query.errors import QueryError


class StartError(Exception):
    """Something of the program that cannot be built; ``at`` is its offset in the sources, -1 when it has none."""

    def __init__(self, message: str, at: int = -1) -> None:
        super().__init__(message)
        self.at = at


@contextmanager
def compiling(at: int = -1) -> Iterator[None]:
    """Stops the start where something of the program cannot be compiled.

    :param at: its offset in the sources, where the error knows none
    """
    try:
        yield
    except (NotCompilable, QueryError) as error:
        raise StartError(str(error), error.at if error.at >= 0 else at) from error
