"""The parameters of a path: from its texts to values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codeai.http.parameters import BadText, Reader, sentence
from codeai.http.problems import FieldError, Problem


class PathParameters:
    """Reads the parameters of one endpoint's path, in their order.

    :param readers: name and reader of each
    """

    def __init__(self, readers: tuple[tuple[str, Reader], ...]) -> None:
        self.names = tuple(name for name, _ in readers)
        self._readers = readers
        self._read = readers[0][1] if len(readers) == 1 else None

    def values(self, texts: list[str]) -> Sequence[Any]:
        """Their values.

        :raises Problem: 404 for a text that is none of its type: nothing is at that path
        """
        if self._read is None:
            return [_value(name, read, [text]) for (name, read), text in zip(self._readers, texts, strict=True)]
        try:
            return (self._read(texts),)
        except BadText as wanted:
            raise _nothing_there(self.names[0], wanted) from None

    def named(self, texts: list[str]) -> Mapping[str, Any]:
        """The same by their names."""
        return dict(zip(self.names, self.values(texts), strict=True))


def _value(name: str, read: Reader, texts: list[str]) -> Any:
    try:
        return read(texts)
    except BadText as wanted:
        raise _nothing_there(name, wanted) from None


def _nothing_there(name: str, wanted: BadText) -> Problem:
    message = sentence(wanted)
    return Problem(404, f"'{name}' of the path {message}", "not_found", errors=(FieldError(name, "wrong_value", message),))
