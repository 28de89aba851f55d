"""Statements that write one row, and can be sent once for the rows of many."""

from __future__ import annotations


class OneOfMany(str):
    """The statement of one row, for whoever does not care; ``one`` is its text, for drivers that take nothing but texts.

    ``many`` takes a list for each of its values and writes a row for each of their items, or none at all; it returns the keys of the rows
    first, and does not wait for locks of others. ``key`` says which of the values is the key.
    """

    one: str
    many: str
    key: int

    @classmethod
    def of(cls, one: str, many: str, key: int) -> OneOfMany:
        """Both statements."""
        found = cls(one)
        found.one, found.many, found.key = one, many, key
        return found
