"""What a row of a result consists of, and how it is read: as values for programs, or as structs for the JSON encoder.

Readers are generated for the columns at hand, so that a row costs one call. Their text is made of indexes only. A field that
the caller may not see is left out of JSON; a row of values has null in its place and names it under ``@hidden``. Relations of
a row of values lie under ``@name``, and ``@expand`` names those that results show.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import msgspec

from codeai.query.compiler import Compiler
from codeai.query.expressions.rows import computed
from codeai.query.scope import Range
from codeai.query.sql import Sql, Writer, joined
from codeai.query.truth import Always, AsValue, Choice, Truth
from codeai.query.values import Value
from codeai.storage.codecs import Conversion

Form = Literal["values", "json"]
Reader = Callable[[Sequence[Any]], Any]
HIDDEN: Final = "@hidden"
EXPAND: Final = "@expand"


class Output(msgspec.Struct, frozen=True):
    """A column of a result. ``shown`` None: everybody sees it."""

    name: str
    value: Value
    shown: Truth | None = None
    nullable: bool = True


class Layout:
    """The columns of one variant.

    :param columns: name and reading conversion of each result column that is a field, in order
    :param flags: for columns that some rows hide: the index of the column that says so
    :param hidden: fields that no row of this variant shows
    :param relations: what is loaded; of these ``expanded`` is part of results
    """

    def __init__(self, form: Form, relations: Sequence[str] = (), expanded: Sequence[str] = ()) -> None:
        self.form = form
        self.relations = tuple(relations)
        self.expanded = tuple(expanded)
        self.columns: list[tuple[str, Conversion | None]] = []
        self.flags: dict[int, int] = {}
        self.hidden: list[str] = []
        self.keys: dict[str, int] = {}
        self.width = 0
        self.read: Reader = lambda record: record

    def finished(self) -> Layout:
        """Generates the reader."""
        self.read = _json_reader(self) if self.form == "json" else _value_reader(self)
        return self


def stored_outputs(compiler: Compiler, row: Range, *, everything: bool) -> list[Output]:
    """The stored fields of a row.

    :param everything: also secret and write-only fields, for programs
    """
    found: list[Output] = []
    for field in row.entity.fields:
        if not (everything or field.readable):
            continue
        type_ = compiler.model.plain(field.stored_type)
        value = Value(row.column(field.name), type_, field.nullable, compiler.dialect.scale(type_))
        found.append(Output(field.name, value, compiler.model.policies.shown(compiler, row, field.name)))
    return found


def computed_outputs(compiler: Compiler, row: Range) -> list[Output]:
    """The computed fields of a row."""
    found: list[Output] = []
    for field in row.entity.computed:
        value = computed(compiler, row, field.name)
        found.append(Output(field.name, value, compiler.model.policies.shown(compiler, row, field.name)))
    return found


def write_columns(
    writer: Writer, compiler: Compiler, outputs: Sequence[Output], layout: Layout, keys: Sequence[tuple[str, Sql]] = ()
) -> Sql:
    """The columns of a variant; fills the layout.

    :param keys: fields whose stored value must be in the result whatever is shown, for relations and cursors
    """
    parts: list[Sql] = []
    flags: list[tuple[int, Truth]] = []
    for output in outputs:
        shown = writer.settled(output.shown) if output.shown is not None else None
        if isinstance(shown, Always) and not shown.value:
            layout.hidden.append(output.name)
            continue
        reader = compiler.dialect.reader(output.value)
        sql = output.value.sql
        if shown is not None and not isinstance(shown, Always):
            flags.append((len(parts), shown))
            sql = (Choice(shown, sql, ("NULL",)),)
        layout.keys.setdefault(output.name, len(parts))
        layout.columns.append((output.name, reader.json_from_driver if layout.form == "json" else reader.from_driver))
        parts.append(sql)
    for at, shown in flags:
        layout.flags[at] = len(parts)
        parts.append((AsValue(shown),))
    for name, sql in keys:
        if name not in layout.keys:
            layout.keys[name] = len(parts)
            parts.append(sql)
    layout.width = len(parts)
    return joined(parts, ", ") if parts else ("1",)


def _piece(at: int, convert: Conversion | None, flag: int | None, absent: str, names: dict[str, Any]) -> str:
    text = f"r[{at}]"
    if convert is not None:
        names[f"c{at}"] = convert
        text = f"(None if (x := {text}) is None else c{at}(x))"
    return text if flag is None else f"({text} if r[{flag}] else {absent})"


def _json_reader(layout: Layout) -> Reader:
    """Rows as structs, the fastest thing that the encoder takes; relations are set later.

    A loaded relation takes the place of a reference of the same name.
    """
    fields: list[Any] = []
    rename: dict[str, str] = {}
    names: dict[str, Any] = {"absent": msgspec.UNSET}
    parts: list[str] = []
    for at, (name, convert) in enumerate(layout.columns):
        if name not in layout.relations:
            fields.append((f"f{at}", Any))
            rename[f"f{at}"] = name
            parts.append(_piece(at, convert, layout.flags.get(at), "absent", names))
    for at, name in enumerate(layout.relations):
        fields.append((f"r{at}", Any, msgspec.UNSET))
        rename[f"r{at}"] = name
    struct = msgspec.defstruct("Row", fields, rename=rename, gc=False)
    if len(names) == 1 and not layout.flags and layout.width == len(parts):
        return lambda record: struct(*record)
    names["S"] = struct
    found: Reader = eval(f"lambda r: S({', '.join(parts)})", names)  # noqa: S307 - indexes only
    return found


def _value_reader(layout: Layout) -> Reader:
    """Rows as dicts of field name → value."""
    names: dict[str, Any] = {}
    parts: list[str] = []
    for at, (name, convert) in enumerate(layout.columns):
        names[f"k{at}"] = name
        parts.append(f"k{at}: {_piece(at, convert, layout.flags.get(at), 'None', names)}")
    for at, name in enumerate(layout.hidden):
        names[f"h{at}"] = name
        parts.append(f"h{at}: None")
    if layout.expanded:
        names |= {"expand": EXPAND, "expanded": layout.expanded}
        parts.append("expand: expanded")
    if layout.hidden or layout.flags:
        names |= {"hidden": HIDDEN, "always": frozenset(layout.hidden), "sometimes": _sometimes(layout)}
        parts.append("hidden: sometimes(r)" if layout.flags else "hidden: always")
    found: Reader = eval(f"lambda r: {{{', '.join(parts)}}}", names)  # noqa: S307 - indexes only
    return found


def _sometimes(layout: Layout) -> Callable[[Sequence[Any]], frozenset[str]]:
    always = frozenset(layout.hidden)
    flags = [(layout.columns[at][0], flag) for at, flag in layout.flags.items()]
    return lambda record: always.union(name for name, flag in flags if not record[flag])
