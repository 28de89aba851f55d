"""A statement with its variants: one text per combination of guards, made when it is first wanted and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

from codeai.query.compiler import Compiler, GuardKey
from codeai.query.sql import Binder, Switches, Writer

Layout = TypeVar("Layout")
KEPT: Final = 256


class Assembled(Generic[Layout]):
    """A text that is ready to be sent.

    :param layout: how its result is read; None when no row can match, so that nothing is sent
    """

    __slots__ = ("bind", "layout", "text")

    def __init__(self, text: str, bind: Binder | None, layout: Layout | None) -> None:
        self.text = text
        self.bind = bind
        self.layout = layout

    def values(self, values: Sequence[Any]) -> Sequence[Any]:
        """The values of the plan as those of the statement."""
        return values if self.bind is None else self.bind(values)


class Statement(Generic[Layout]):
    """Picks and makes variants.

    :param compiler: has compiled everything that the statement consists of
    :param build: writes a variant and says how to read it; None when nothing can match
    :param width: how many values are passed; those of the plan when the variant is made unless given
    """

    def __init__(self, compiler: Compiler, build: Callable[[Writer], Layout | None], width: int | None = None) -> None:
        self._compiler = compiler
        self._width = width
        self._build = build
        self._kept: dict[Switches, Assembled[Layout]] = {}
        self._switches = switches(compiler.guards)
        self._only: Assembled[Layout] | None = None  # where nothing switches

    def pick(self, values: Sequence[Any]) -> Assembled[Layout]:
        """The variant for the values of the plan."""
        if self._only is not None:
            return self._only
        key = self._switches(values)
        found = self._kept.get(key)
        return found if found is not None else self._made(key)

    def settled(self) -> Assembled[Layout] | None:
        """The only variant, when nothing switches; None when values decide."""
        return None if self._compiler.guards else self.pick(())

    def _made(self, key: Switches) -> Assembled[Layout]:
        width = len(self._compiler.inputs) if self._width is None else self._width
        writer = Writer(self._compiler.dialect.name, key, width)
        layout = self._build(writer)
        found = Assembled(writer.text, writer.binder(), layout)
        if len(self._kept) >= KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = found
        if not key:
            self._only = found
        return found


_TESTS: Final = {"true": "v[{}] is True", "null": "v[{}] is None", "single": "v[{0}] is not None and len(v[{0}]) == 1"}


def switches(guards: Sequence[GuardKey]) -> Callable[[Sequence[Any]], Switches]:
    """The function from the values of a plan to the truth of its guards. Its text is made of indexes only."""
    parts = [_TESTS[kind].format(slot) for slot, kind in guards]
    found: Callable[[Sequence[Any]], Switches] = eval(f"lambda v: ({', '.join(parts)}{',' if parts else ''})")  # noqa: S307 - see above
    return found
