"""Queries and the statements that are expressions too."""

from __future__ import annotations

from codeai.language.tree.expressions import Expression, MapEntry
from codeai.language.tree.node import Identifier, Node, Reference


class SelectColumn(Node, frozen=True, eq=False, gc=False):
    """One column of a selection, with its name if given."""

    value: Expression
    name: Identifier | None


class OrderTerm(Node, frozen=True, eq=False, gc=False):
    """A sort term."""

    value: Expression
    descending: bool


class JoinClause(Node, frozen=True, eq=False, gc=False):
    """``join E on condition``."""

    entity: Identifier
    condition: Expression


class Select(Expression, frozen=True, eq=False, gc=False):
    """``select``, ``first``, ``exists`` and the aggregate forms ``count(E where …)``.

    ``kind``: ``select`` · ``first`` · ``exists`` · ``count`` · ``sum`` · ``avg`` · ``min`` · ``max``. ``entity`` is None for
    an aggregate whose operand names the entity (``sum(Product.price where …)``); then ``operand`` is that expression.
    """

    kind: str
    entity: Identifier | None
    operand: Expression | None = None
    columns: tuple[SelectColumn, ...] = ()
    loads: tuple[Reference, ...] = ()
    with_deleted: bool = False
    joins: tuple[JoinClause, ...] = ()
    where: Expression | None = None
    search: Expression | None = None
    group_by: tuple[Expression, ...] = ()
    having: Expression | None = None
    order_by: tuple[OrderTerm, ...] = ()
    limit: Expression | None = None
    offset: Expression | None = None
    as_system: bool = False


class Get(Expression, frozen=True, eq=False, gc=False):
    """``get E(key)``."""

    entity: Identifier
    key: Expression
    loads: tuple[Reference, ...] = ()
    with_deleted: bool = False
    as_system: bool = False


class SetClause(Node, frozen=True, eq=False, gc=False):
    """``field = value`` behind ``set``."""

    field: Identifier
    value: Expression


class UpdateRows(Expression, frozen=True, eq=False, gc=False):
    """``update E set … where …``; ``everything`` is ``where all``."""

    entity: Identifier
    assignments: tuple[SetClause, ...]
    where: Expression | None
    everything: bool = False
    with_deleted: bool = False
    as_system: bool = False


class DeleteRows(Expression, frozen=True, eq=False, gc=False):
    """``delete E where …``."""

    entity: Identifier
    where: Expression | None
    everything: bool = False
    with_deleted: bool = False
    as_system: bool = False


class CreateRow(Expression, frozen=True, eq=False, gc=False):
    """``create E { … }``, ``create E from e``."""

    entity: Identifier
    values: tuple[MapEntry, ...]
    source: Expression | None = None
    as_system: bool = False


class UpdateRow(Expression, frozen=True, eq=False, gc=False):
    """``update row { … }``, ``update row from e``."""

    target: Expression
    values: tuple[MapEntry, ...]
    source: Expression | None = None
    as_system: bool = False


class DeleteRow(Expression, frozen=True, eq=False, gc=False):
    """``delete row``."""

    target: Expression
    as_system: bool = False


class CallOperation(Expression, frozen=True, eq=False, gc=False):
    """``call Integration.operation { … }``."""

    operation: Reference
    values: tuple[MapEntry, ...]


class CallActivity(Expression, frozen=True, eq=False, gc=False):
    """``activity: shipping.label { … }`` in a step: a Python function with named arguments."""

    function: Reference
    values: tuple[MapEntry, ...]


class Start(Expression, frozen=True, eq=False, gc=False):
    """``start Workflow { … }`` and ``run Job { … }``."""

    kind: str
    target: Identifier
    values: tuple[MapEntry, ...]


class TestRequest(Expression, frozen=True, eq=False, gc=False):
    """``POST /orders/{o.id} { … }`` in tests; ``path`` is a string or an interpolation."""

    method: str
    path: Expression
    body: Expression | None
    headers: Expression | None = None


class Exec(Expression, frozen=True, eq=False, gc=False):
    """``exec { shell }`` of scripts; ``command`` is the text between the braces, without the white space around it."""

    command: Identifier
