"""Resolved expressions: what the tree means once names and types are known.

Surface syntax is gone here: every node carries its type, every name is resolved, every implicit conversion is a node
(``Convert``). ``query`` turns the parts that depend on rows into SQL, ``evaluate`` turns the rest into Python. The classes
are plain data (tagged msgspec structs), so that a definition can be stored as JSON and hashed.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from codeai.language.types import Type


class Expression(msgspec.Struct, frozen=True, gc=False, tag_field="node", tag=True, kw_only=True):
    """A typed expression. ``at`` is the offset in the program's sources that run-time errors name, -1 when there is none."""

    type: Type
    at: int = -1


class Constant(Expression, frozen=True, kw_only=True):
    """A value known at check time, as the Python value of its type (Decimal, UUID, datetime, timedelta …)."""

    value: Any


class Local(Expression, frozen=True, kw_only=True):
    """A variable, parameter or lambda parameter of the host. ``name`` is unique within the host (``total``, ``total_2``)."""

    name: str


class RequestValue(Expression, frozen=True, kw_only=True):
    """A decoded part of the request: one field of ``place``, or the whole of it when ``name`` is None (``body``)."""

    place: Literal["path", "query", "header", "cookie", "body"]
    name: str | None = None


class HostValue(Expression, frozen=True, kw_only=True):
    """A value that the host gives: ``event`` of a handler; ``trigger``, ``input``, ``steps``, ``execution`` of a workflow …"""

    name: str


class Provided(Expression, frozen=True, kw_only=True):
    """Whether the client sent that part of the request (``… if provided``). Bool."""

    place: Literal["path", "query", "header", "cookie", "body"]
    name: str


class CurrentUser(Expression, frozen=True, kw_only=True):
    """The principal for which the host runs, or one of its attributes: id, email, name, roles, permissions, tenant, claims."""

    attribute: str | None = None


class RangeRow(Expression, frozen=True, kw_only=True):
    """The row over which a query, policy, check or computed field ranges. Its type is ``Row(entity)``.

    ``alias`` is unique within one query with its subqueries (``r0``, ``r1`` …); it is ``self`` in policies, hide rules,
    checks, computed fields and data triggers.
    """

    alias: str


class FieldValue(Expression, frozen=True, kw_only=True):
    """A stored field of a row (``row`` has type ``Row``, nullable when the relation to it is). For ``ref`` fields: the key."""

    row: Expression
    field: str


class ComputedValue(Expression, frozen=True, kw_only=True):
    """A computed field of a row: evaluates the entity's expression with ``self`` bound to ``row``."""

    row: Expression
    field: str


class RelatedRow(Expression, frozen=True, kw_only=True):
    """The row that a ``ref`` field of ``row`` points to, by relation name; null when the key is."""

    row: Expression
    relation: str


class RelatedRows(Expression, frozen=True, kw_only=True):
    """The rows of a ``many`` relation of ``row``."""

    row: Expression
    relation: str


class Member(Expression, frozen=True, kw_only=True):
    """A member of a record, map or json value; null on null or when absent."""

    target: Expression
    name: str


class Item(Expression, frozen=True, kw_only=True):
    """An element of a list (by position), map or json value; null when there is none."""

    target: Expression
    index: Expression


class Call(Expression, frozen=True, kw_only=True):
    """A call of a built-in by its canonical name; method calls have their target as the first argument."""

    function: str
    arguments: tuple[Expression, ...]


class CallFunction(Expression, frozen=True, kw_only=True):
    """A call of a function that the program declares."""

    function: str
    arguments: tuple[Expression, ...]


class Binary(Expression, frozen=True, kw_only=True):
    """``and or == != < <= > >= in not_in contains includes starts_with ends_with matches ?? + - * / %``; operands are converted already."""

    operator: str
    left: Expression
    right: Expression


class Unary(Expression, frozen=True, kw_only=True):
    """``not`` or ``-``."""

    operator: Literal["not", "-"]
    operand: Expression


class IsNull(Expression, frozen=True, kw_only=True):
    """``is null`` / ``is not null``."""

    operand: Expression
    negated: bool = False


class Between(Expression, frozen=True, kw_only=True):
    """``between low and high``, both ends included."""

    operand: Expression
    low: Expression
    high: Expression


class Conditional(Expression, frozen=True, kw_only=True):
    """``c ? a : b``."""

    condition: Expression
    then: Expression
    otherwise: Expression


class Convert(Expression, frozen=True, kw_only=True):
    """A conversion to ``type``: implicit ones of the language page, section 3, and ``as T``.

    ``on_failure`` says what a value that does not fit gives: ``error`` (422 in an endpoint), ``no_match`` (the comparison
    that contains it is false) or ``null`` (statement plans ask for it: SQL compares with null where nothing matches).
    """

    operand: Expression
    on_failure: Literal["error", "no_match", "null"] = "error"


class ListOf(Expression, frozen=True, kw_only=True):
    """A list literal."""

    items: tuple[Expression, ...]


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A named value in a record literal, an assignment or a set of headers."""

    name: str
    value: Expression


class RecordOf(Expression, frozen=True, kw_only=True):
    """A record or map literal."""

    entries: tuple[Entry, ...]


class Interpolate(Expression, frozen=True, kw_only=True):
    """A string made of parts; null parts give nothing."""

    parts: tuple[Expression, ...]


class LambdaOf(Expression, frozen=True, kw_only=True):
    """A lambda; its parameters are ``Local`` names in the body."""

    parameters: tuple[str, ...]
    body: Expression


class EnvironmentValue(Expression, frozen=True, kw_only=True):
    """``env(NAME, default)`` or ``secret(NAME)``: resolved when the program starts."""

    name: str
    default: Expression | None = None
    secret: bool = False


class ConfigValue(Expression, frozen=True, kw_only=True):
    """A setting of the program (``config.x.y``), resolved when the program starts."""

    path: tuple[str, ...]


RelationPath = tuple[str, ...]


class Column(msgspec.Struct, frozen=True, gc=False):
    """One result column of a selection."""

    name: str
    value: Expression


class Join(msgspec.Struct, frozen=True, gc=False):
    """``join E on c``: an inner join whose row is ``RangeRow(alias)``."""

    entity: str
    alias: str
    condition: Expression


class Order(msgspec.Struct, frozen=True, gc=False):
    """A sort term; nulls come last in both directions."""

    value: Expression
    descending: bool = False


class Selection(Expression, frozen=True, kw_only=True):
    """A query. Results by ``kind``: ``rows`` list of rows or records · ``first`` one or null · ``get`` one, or a 404 that names the
    entity · ``exists`` bool · ``aggregate`` one record (``columns``), or a single value when ``scalar`` is true.

    ``loads`` are the relations that ``with`` names: the rows carry them, and results show them. ``implied`` are those that the
    host reads through members: the rows carry them, results do not show them.
    """

    kind: Literal["rows", "first", "get", "exists", "aggregate"]
    entity: str
    alias: str
    columns: tuple[Column, ...] | None = None
    scalar: bool = False
    joins: tuple[Join, ...] = ()
    where: Expression | None = None
    search: Expression | None = None
    group_by: tuple[Expression, ...] = ()
    having: Expression | None = None
    order_by: tuple[Order, ...] = ()
    limit: Expression | None = None
    offset: Expression | None = None
    loads: tuple[RelationPath, ...] = ()
    implied: tuple[RelationPath, ...] = ()
    with_deleted: bool = False
    as_system: bool = False
    for_update: bool = False


class UpdateRows(Expression, frozen=True, kw_only=True):
    """``update E set … where …``: the number of rows. ``where`` None is ``where all``."""

    entity: str
    alias: str
    assignments: tuple[Entry, ...]
    where: Expression | None
    with_deleted: bool = False
    as_system: bool = False


class DeleteRows(Expression, frozen=True, kw_only=True):
    """``delete E where …``: the number of rows. Soft where the entity declares it."""

    entity: str
    alias: str
    where: Expression | None
    with_deleted: bool = False
    as_system: bool = False


class CreateRow(Expression, frozen=True, kw_only=True):
    """``create E { … }`` or ``create E from record``: the stored row. ``source`` is a record whose members name fields; ``values`` win."""

    entity: str
    values: tuple[Entry, ...] = ()
    source: Expression | None = None
    as_system: bool = False


class ChangeRow(Expression, frozen=True, kw_only=True):
    """``update row { … }``: the changed row; also rebinds ``row`` when it is a local variable."""

    entity: str
    row: Expression
    values: tuple[Entry, ...] = ()
    source: Expression | None = None
    as_system: bool = False


class RemoveRow(Expression, frozen=True, kw_only=True):
    """``delete row``."""

    entity: str
    row: Expression
    as_system: bool = False


class CallOperation(Expression, frozen=True, kw_only=True):
    """``call Payments.charge { … }``: the answer of the operation; ``values`` are its arguments."""

    integration: str
    operation: str
    values: tuple[Entry, ...] = ()


class CallActivity(Expression, frozen=True, kw_only=True):
    """``activity: shipping.label { … }``: a Python function beside the program (``module.function``)."""

    source: str
    values: tuple[Entry, ...] = ()


class StartRun(Expression, frozen=True, kw_only=True):
    """``start Workflow { … }`` and ``run Job { … }``: the execution."""

    kind: Literal["workflow", "job"]
    target: str
    values: tuple[Entry, ...] = ()


class Request(Expression, frozen=True, kw_only=True):
    """An HTTP request to the program itself, in tests: its value is a record of status, headers and body."""

    method: str
    path: Expression
    headers: tuple[Entry, ...] = ()
    body: Expression | None = None


class Shell(Expression, frozen=True, kw_only=True):
    """``exec { … }`` of scripts. ``command`` refers to ``arguments`` as ``language.shell`` says.

    ``checked``: nobody looks at the exit code, so that one other than 0 ends the script, and the output goes where the script's goes.
    """

    command: str
    arguments: tuple[Expression, ...] = ()
    checked: bool = False
