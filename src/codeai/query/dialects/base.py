"""What differs between the two databases, as far as queries go. Storage knows about connections and columns."""

from __future__ import annotations

from collections.abc import Sequence

from codeai.language import types as t
from codeai.language.patterns import PatternError, Portable, portable
from codeai.model.entity import Entity
from codeai.query.errors import CompilerError
from codeai.query.sql import Bind, Given, Sql
from codeai.query.values import Value, call
from codeai.storage.codecs import Codec, Conversion, check_text, codec
from codeai.storage.interface import Dialect as DialectName


def pattern(text: str) -> Portable:
    """A pattern of ``matches`` for each database.

    :raises CompilerError: it is malformed or needs more than the common syntax
    """
    try:
        return portable(check_text(text))
    except PatternError as error:
        raise CompilerError(str(error)) from None


# What counts as white space for trim, on both databases and in Python's ``str.strip``.
WHITESPACE = "".join(chr(c) for c in range(0x3001) if chr(c).isspace())


class Dialect:
    """The SQL of one database. Sides of comparisons and arguments of functions have been brought to one type before."""

    name: DialectName
    for_update = ""

    def quote(self, name: str) -> str:
        """A name of ours as an identifier; names of programs are letters, digits and underscores."""
        return '"' + name.replace('"', '""') + '"'

    def cast(self, type_: t.Type) -> str:
        """The name of a type in casts of parameters; empty where the database needs none."""
        raise NotImplementedError

    # -- parameters ------------------------------------------------------------------------------------------------

    def scale(self, type_: t.Type) -> int | None:
        """The scale in which values of the type are bound and stored as integers, if they are."""
        return None

    def bound(self, slot: int, type_: t.Type, *, nullable: bool) -> Value:
        """A value of the plan."""
        return Value((Bind(slot, self.cast(type_), self.driver(type_)),), type_, nullable, self.scale(type_))

    def given(self, value: object, type_: t.Type) -> Value:
        """A value that is known now."""
        if value is None:
            return Value(("NULL",), type_, True, self.scale(type_))
        convert = self.driver(type_)
        driven = value if convert is None else convert(value)
        return Value((Given(driven, self.cast(type_)),), type_, False, self.scale(type_))

    def driver(self, type_: t.Type) -> Conversion | None:
        """The conversion of a value for comparisons and results: as stored."""
        return codec(type_, self.name).to_driver

    def first_driver(self, value: Value) -> Conversion:
        """The conversion of a list of one to that one, for an equality with ``value``."""
        convert = self.driver(value.type)
        return (lambda items: items[0]) if convert is None else (lambda items: convert(items[0]))

    def text(self, value: str) -> Sql:
        """A constant string."""
        return (Given(value, self.cast(t.Text())),)

    def reader(self, value: Value) -> Codec:
        """The conversions of a result."""
        return codec(value.type, self.name)

    # -- comparisons and order -------------------------------------------------------------------------------------

    def order_term(self, value: Value, *, descending: bool, nulls_first: bool = False) -> Sql:
        """A term of ``ORDER BY``. Nulls come last unless the order is read backwards."""
        raise NotImplementedError

    def same(self, left: Sql, right: Sql) -> Sql:
        """Equality in which nulls are equal."""
        raise NotImplementedError

    def distinct(self, left: Sql, right: Sql) -> Sql:
        """The negation of ``same``."""
        raise NotImplementedError

    def ordered(self, value: Value) -> Sql:
        """A value in the order of the language: texts by code point, decimals by number."""
        raise NotImplementedError

    def neutral(self, sql: Sql) -> Sql:
        """A value that no order of its parts touches (SQLite takes the collation of a value from whatever is in it)."""
        return sql

    def meet(self, left: Value, right: Value) -> tuple[Value, Value]:
        """Two values of one type in one representation."""
        return left, right

    def compared_bound(self, column: Value, operator: str, slot: int, type_: t.Type) -> Sql | None:
        """The right side of ``column operator value`` where the value has to be fitted to the column; None where it need not."""
        return None

    def decimal_constant(self, column: Value, operator: str, constant: object) -> Sql | None:
        """The right side of ``column operator constant`` for decimals; None when an equality cannot hold."""
        return self.given(constant, t.Decimal()).sql

    def given_list(self, value: Value, constants: Sequence[object]) -> Sql:
        """A list of constants for ``member``."""
        raise NotImplementedError

    def member(self, value: Value, items: Sql) -> Sql:
        """Whether a value is one of a bound list."""
        raise NotImplementedError

    def bound_list(self, slot: int, value: Value) -> Sql:
        """A bound list for ``member`` whose items are compared with ``value``."""
        raise NotImplementedError

    def holds(self, items: Value, item: Value) -> Sql:
        """Whether a stored list holds a value."""
        raise NotImplementedError

    def elements(self, items: Value, alias: str) -> tuple[Sql, Value]:
        """The ``FROM`` item that has a row per element of a list, and its element."""
        raise NotImplementedError

    def list_length(self, items: Value) -> Sql:
        """The number of elements of a list."""
        raise NotImplementedError

    def text_test(self, operator: str, text: Sql, part: Sql) -> Sql:
        """``contains``, ``starts_with``, ``ends_with`` on texts, letter by letter; ``matches`` with a pattern."""
        raise NotImplementedError

    def bound_text_test(self, operator: str, text: Sql, slot: int | None, constant: str | None) -> Sql:
        """The same with a value of the plan (``slot``) or a constant on the right."""
        raise NotImplementedError

    # -- arithmetic ------------------------------------------------------------------------------------------------

    def arithmetic(self, operator: str, left: Value, right: Value) -> Value:
        """``+ - * / %`` of two numbers of one type."""
        raise NotImplementedError

    def shifted(self, operator: str, moment: Value, duration: Value) -> Value:
        """A timestamp or date plus or minus a duration."""
        raise NotImplementedError

    def difference(self, left: Value, right: Value) -> Value:
        """The duration between two timestamps."""
        raise NotImplementedError

    def negated(self, value: Value) -> Value:
        """The negative of a number or duration."""
        raise NotImplementedError

    def rounded(self, value: Value, places: int) -> Value:
        """A number rounded half to even."""
        raise NotImplementedError

    def whole(self, function: str, value: Value) -> Value:
        """``ceil`` or ``floor``."""
        raise NotImplementedError

    def stored(self, value: Value, type_: t.Type) -> Sql:
        """A computed value as a column of the type stores it (decimals rounded half to even)."""
        raise NotImplementedError

    # -- conversions -----------------------------------------------------------------------------------------------

    def converted(self, value: Value, type_: t.Type, *, lenient: bool) -> Value:
        """A value of a row as another type; ``lenient`` gives null for what does not fit instead of an error."""
        raise NotImplementedError

    def shown(self, value: Value) -> Sql:
        """A value as text, as interpolation shows it; null stays null."""
        raise NotImplementedError

    def path(self, value: Value, names: Sequence[str]) -> Value:
        """A member of a json value, by names from the outside in; null when there is none."""
        raise NotImplementedError

    # -- functions -------------------------------------------------------------------------------------------------

    def function(self, name: str, arguments: Sequence[Value], type_: t.Type) -> Sql:
        """A built-in function of texts or times with a target in SQL."""
        if name in ("lower", "upper"):
            return call(f"codeai_{name}", arguments[0].sql)
        if name == "replace":
            return call("replace", *(argument.sql for argument in arguments))
        if name == "length":
            return call("length", arguments[0].sql)
        raise CompilerError(f"'{name}' cannot be used in a query", hint="compute it before, with 'let'")

    def bounded(self, name: str, moment: Value, unit: str) -> Sql:
        """``start_of`` or ``end_of`` a unit (``model.moments.UNITS``)."""
        raise NotImplementedError

    def dated(self, moment: Value, pattern: str) -> Sql:
        """``format_date`` with a pattern (``model.moments.PARTS``)."""
        raise NotImplementedError

    def largest(self, name: str, arguments: Sequence[Sql]) -> Sql:
        """``min`` or ``max`` of several values; nulls do not count."""
        raise NotImplementedError

    def aggregate(self, name: str, value: Value, type_: t.Type) -> Value:
        """``count sum avg min max`` over rows; sums of nothing are 0."""
        raise NotImplementedError

    def search(self, entity: Entity, alias: str, slot: int, fields: tuple[str, ...] = ()) -> Sql:
        """Whether the searchable fields of a row, or some of them, have all words of a search (``storage.fulltext``)."""
        raise NotImplementedError
