"""SQL in pieces: texts of ours, places for values, and the writer that makes one statement of them.

A text piece never holds anything that a caller or the database supplied; values travel through ``Bind`` and ``Given`` only.
Which pieces are written can depend on switches (see ``truth``), so one compiled query has a statement per combination.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from codeai.storage.codecs import Conversion
from codeai.storage.interface import Dialect as DialectName

if TYPE_CHECKING:
    from codeai.query.truth import Truth

Switches = tuple[bool, ...]
Binder = Callable[[Sequence[Any]], Sequence[Any]]


class Node:
    """A piece that decides what it writes when the statement is assembled."""

    def write(self, writer: Writer) -> None:
        """Writes itself."""
        raise NotImplementedError


Sql = tuple[str | Node, ...]


class Source(msgspec.Struct, frozen=True):
    """Where a parameter of a statement comes from: a slot of the plan's values, converted to the driver's form, or a constant.

    ``slot`` below zero stands for the extras that the plan itself adds at run time: -1 is the first.
    """

    slot: int = 0
    convert: Conversion | None = None
    constant: Any = None
    given: bool = False


class Bind(Node):
    """The place of a value that the host evaluates, or that the plan adds (negative slots)."""

    __slots__ = ("cast", "source")

    def __init__(self, slot: int, cast: str, convert: Conversion | None = None) -> None:
        self.source = Source(slot, convert)
        self.cast = cast

    def write(self, writer: Writer) -> None:
        """Writes the placeholder."""
        writer.parameter(self.source, self.cast, (self.source.slot, self.source.convert, self.cast))


class Given(Node):
    """The place of a value that is known when the query is compiled, already in the driver's form."""

    __slots__ = ("cast", "source")

    def __init__(self, value: Any, cast: str) -> None:
        self.source = Source(constant=value, given=True)
        self.cast = cast

    def write(self, writer: Writer) -> None:
        """Writes the placeholder."""
        value = self.source.constant
        writer.parameter(self.source, self.cast, ("given", type(value), repr(value), self.cast))


class Writer:
    """Assembles one statement.

    :param dialect: whose placeholders are written
    :param switches: the truth of the statement's guards, by index
    :param width: how many values the host evaluates; extras follow them
    """

    def __init__(self, dialect: DialectName, switches: Switches, width: int) -> None:
        self.dialect = dialect
        self.switches = switches
        self.used: set[object] = set()
        self._width = width
        self._parts: list[str] = []
        self._numbers: dict[object, int] = {}
        self._sources: list[Source] = []

    def add(self, text: str) -> None:
        """Writes a text of ours."""
        self._parts.append(text)

    def write(self, sql: Iterable[str | Node]) -> None:
        """Writes pieces in order."""
        for part in sql:
            if isinstance(part, str):
                self._parts.append(part)
            else:
                part.write(self)

    def captured(self, sql: Iterable[str | Node]) -> str:
        """The text of pieces, without writing it; their parameters are taken in."""
        outer, self._parts = self._parts, []
        self.write(sql)
        text, self._parts = "".join(self._parts), outer
        return text

    def condition(self, truth: Truth) -> str:
        """The text of a settled condition where null counts as false."""
        outer, self._parts = self._parts, []
        truth.write(self)
        text, self._parts = "".join(self._parts), outer
        return text

    def settled(self, truth: Truth) -> Truth:
        """What is left of a condition under the switches of this statement."""
        return truth.settled(self.switches)

    def parameter(self, source: Source, cast: str, key: object) -> None:
        """Writes the placeholder of a value; the same value in the same type is sent once."""
        number = self._numbers.get(key)
        if number is None:
            self._sources.append(source)
            number = self._numbers[key] = len(self._sources)
        self._parts.append(f"${number}::{cast}" if self.dialect == "postgresql" else f"?{number}")

    @property
    def text(self) -> str:
        """The statement so far."""
        return "".join(self._parts)

    def binder(self) -> Binder | None:
        """The function from the plan's values to the statement's; None when they are the same."""
        return binder(self._sources, self._width)


def binder(sources: Sequence[Source], width: int) -> Binder | None:
    """A function that picks and converts values; None when the values of the plan are those of the statement.

    The function is generated, so that binding costs one call. Its text is made of indexes only.
    """
    if len(sources) == width and all(not s.given and s.slot == at and s.convert is None for at, s in enumerate(sources)):
        return None
    names: dict[str, Any] = {}
    parts: list[str] = []
    for at, source in enumerate(sources):
        if source.given:
            names[f"k{at}"] = source.constant
            parts.append(f"k{at}")
            continue
        slot = source.slot if source.slot >= 0 else width - 1 - source.slot
        if source.convert is None:
            parts.append(f"v[{slot}]")
        else:
            names[f"c{at}"] = source.convert
            parts.append(f"(None if (x := v[{slot}]) is None else c{at}(x))")
    made: Binder = eval(f"lambda v: ({', '.join(parts)}{',' if parts else ''})", names)  # noqa: S307 - indexes only, see above
    return made


def joined(parts: Iterable[Sql], separator: str) -> Sql:
    """Pieces with a text between them."""
    found: list[str | Node] = []
    for part in parts:
        if found:
            found.append(separator)
        found.extend(part)
    return tuple(found)


def extra(index: int) -> int:
    """The slot of an extra that the plan adds at run time."""
    return -1 - index
