"""Statements that are sent as one, for a database that takes one statement at a time."""

from __future__ import annotations

from collections.abc import Sequence


class Chain(str):
    """A statement with others that follow it in the same transaction, if and only if it returns a row.

    As a text it is all of them, for whoever looks at what statements do; its values are those of all, one after another. A session of
    SQLite runs it on one way to the thread of its connection, which costs more than such a statement.
    """

    links: tuple[tuple[str, int], ...]  # each statement with the number of its values

    @classmethod
    def of(cls, links: Sequence[tuple[str, int]]) -> Chain:
        """The chain of statements, each with the number of its values."""
        found = cls(";\n".join(text for text, _ in links))
        found.links = tuple(links)
        return found
