"""Conditions as trees of truth values, so that what is known before the statement runs can be taken out of it.

Comparisons of the language are two-valued (section 1, rule 7), those of SQL are not. Inside ``where`` a null counts as false
on both sides, so nothing has to be written for it; where a condition is negated or used as a value, a leaf that can be null
is written so that it cannot. ``not`` never reaches SQL as an operator on a tree: it is pushed down to the leaves.

*Guards* are the parts that do not depend on rows. The host evaluates them; each combination of them settles the tree into a
smaller one, and so into a statement of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from codeai.query.errors import QueryError
from codeai.query.sql import Node, Sql, Switches, Writer

if TYPE_CHECKING:
    from codeai.query.select import Select


class Truth:
    """A condition."""

    def settled(self, switches: Switches) -> Truth:
        """The condition with its guards replaced by their truth; ``Always`` when nothing else is left."""
        raise NotImplementedError

    def inverted(self) -> Truth:
        """The negation (two-valued: of null, true)."""
        raise NotImplementedError

    def write(self, writer: Writer, *, strict: bool = False) -> None:
        """Writes a settled condition; ``strict`` where a null would be seen, that is outside of ``where``."""
        raise NotImplementedError

    @property
    def loose(self) -> bool:
        """Whether it is written with an operator that binds weaker than ``and``."""
        return False


class Always(Truth):
    """True or false, whatever the row."""

    def __init__(self, value: bool) -> None:
        self.value = value

    def settled(self, switches: Switches) -> Truth:
        """See ``Truth``."""
        return self

    def inverted(self) -> Truth:
        """See ``Truth``."""
        return NEVER if self.value else ALWAYS

    def write(self, writer: Writer, *, strict: bool = False) -> None:
        """See ``Truth``."""
        writer.add("TRUE" if self.value else "FALSE")


ALWAYS = Always(True)
NEVER = Always(False)


class Guard(Truth):
    """A condition that the values of the plan decide; ``index`` is its switch."""

    def __init__(self, index: int, *, negated: bool = False) -> None:
        self.index = index
        self.negated = negated

    def settled(self, switches: Switches) -> Truth:
        """See ``Truth``."""
        return ALWAYS if switches[self.index] is not self.negated else NEVER

    def inverted(self) -> Truth:
        """See ``Truth``."""
        return Guard(self.index, negated=not self.negated)


class Test(Truth):
    """A condition in SQL.

    :param sql: at the level of a comparison: it stands beside ``and`` without parentheses
    :param nullable: whether it can be null; null counts as false
    :param inverse: the two-valued negation, where there is a better one than ``NOT (…)`` or ``IS NOT TRUE``
    """

    def __init__(self, sql: Sql, *, nullable: bool, inverse: Sql | None = None, negated: bool = False) -> None:
        self.sql = sql
        self.nullable = nullable
        self.inverse = inverse
        self.negated = negated

    def settled(self, switches: Switches) -> Truth:
        """See ``Truth``."""
        return self

    def inverted(self) -> Truth:
        """See ``Truth``."""
        return Test(self.sql, nullable=self.nullable, inverse=self.inverse, negated=not self.negated)

    def write(self, writer: Writer, *, strict: bool = False) -> None:
        """See ``Truth``."""
        if self.negated:
            self._write_negated(writer)
        elif strict and self.nullable:
            writer.write(("(", *self.sql, ") IS TRUE"))
        else:
            writer.write(self.sql)

    def _write_negated(self, writer: Writer) -> None:
        if self.inverse is not None:
            writer.write(self.inverse)
        elif self.nullable:
            writer.write(("(", *self.sql, ") IS NOT TRUE"))
        else:
            writer.write(("NOT (", *self.sql, ")"))


class _Combined(Truth):
    """Several conditions under one operator."""

    word = ""
    neutral: Always = ALWAYS

    def __init__(self, parts: Iterable[Truth]) -> None:
        self.parts = tuple(parts)

    def _settled(self, switches: Switches) -> Truth:
        found: list[Truth] = []
        for part in self.parts:
            settled = part.settled(switches)
            if isinstance(settled, Always):
                if settled.value is not self.neutral.value:
                    return settled
            elif type(settled) is type(self):
                found.extend(settled.parts)
            else:
                found.append(settled)
        if not found:
            return self.neutral
        return found[0] if len(found) == 1 else type(self)(found)

    def write(self, writer: Writer, *, strict: bool = False) -> None:
        """See ``Truth``."""
        for at, part in enumerate(self.parts):
            if at:
                writer.add(self.word)
            if part.loose:
                writer.add("(")
                part.write(writer, strict=strict)
                writer.add(")")
            else:
                part.write(writer, strict=strict)


class All(_Combined):
    """Holds when all parts do."""

    word = " AND "
    neutral = ALWAYS

    def settled(self, switches: Switches) -> Truth:
        """See ``Truth``."""
        return self._settled(switches)

    def inverted(self) -> Truth:
        """See ``Truth``."""
        return Some(part.inverted() for part in self.parts)


class Some(_Combined):
    """Holds when one part does."""

    word = " OR "
    neutral = NEVER

    def settled(self, switches: Switches) -> Truth:
        """See ``Truth``."""
        return self._settled(switches)

    def inverted(self) -> Truth:
        """See ``Truth``."""
        return All(part.inverted() for part in self.parts)

    @property
    def loose(self) -> bool:
        """See ``Truth``."""
        return True


class Exists(Truth):
    """Whether a subquery finds a row. Its own condition is settled too: one that never holds needs no subquery."""

    def __init__(self, select: Select, *, negated: bool = False) -> None:
        self.select = select
        self.negated = negated

    def settled(self, switches: Switches) -> Truth:
        """See ``Truth``."""
        if self.select.where.settled(switches) is NEVER:
            return ALWAYS if self.negated else NEVER
        return self

    def inverted(self) -> Truth:
        """See ``Truth``."""
        return Exists(self.select, negated=not self.negated)

    def write(self, writer: Writer, *, strict: bool = False) -> None:
        """See ``Truth``."""
        writer.write(("NOT EXISTS (" if self.negated else "EXISTS (", self.select, ")"))


class AsValue(Node):
    """A condition where a value is expected: true or false, never null."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth

    def write(self, writer: Writer) -> None:
        """Writes it in parentheses."""
        writer.add("(")
        writer.settled(self.truth).write(writer, strict=True)
        writer.add(")")


class Choice(Node):
    """``CASE WHEN`` condition; only one arm is written when the condition is settled."""

    def __init__(self, truth: Truth, then: Sql, otherwise: Sql) -> None:
        self.truth = truth
        self.then = then
        self.otherwise = otherwise

    def write(self, writer: Writer) -> None:
        """Writes it."""
        settled = writer.settled(self.truth)
        if isinstance(settled, Always):
            writer.write(self.then if settled.value else self.otherwise)
            return
        writer.add("CASE WHEN ")
        settled.write(writer)
        writer.write((" THEN ", *self.then, " ELSE ", *self.otherwise, " END"))


class Guarded(Choice):
    """A field in a caller's own condition: null for rows that hide it, and unknown to a caller who may never see it."""

    def __init__(self, truth: Truth, value: Sql, refusal: QueryError) -> None:
        super().__init__(truth, value, ("NULL",))
        self.refusal = refusal

    def write(self, writer: Writer) -> None:
        """Writes it, or raises the refusal."""
        settled = writer.settled(self.truth)
        if isinstance(settled, Always) and not settled.value:
            raise self.refusal
        super().write(writer)


def all_of(parts: Iterable[Truth]) -> Truth:
    """The conjunction; a single part stays itself."""
    found = [part for part in parts if part is not ALWAYS]
    if any(part is NEVER for part in found):
        return NEVER
    return ALWAYS if not found else found[0] if len(found) == 1 else All(found)


def any_of(parts: Iterable[Truth]) -> Truth:
    """The disjunction; a single part stays itself."""
    found = [part for part in parts if part is not NEVER]
    if any(part is ALWAYS for part in found):
        return ALWAYS
    return NEVER if not found else found[0] if len(found) == 1 else Some(found)
