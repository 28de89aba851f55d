"""Events, their handlers and outbound webhooks (language page, section 8)."""

from __future__ import annotations

from codeai.language.tree.declarations import Clause, Declaration
from codeai.language.tree.expressions import Expression, MapEntry
from codeai.language.tree.node import Identifier, Reference
from codeai.language.tree.statements import Block
from codeai.language.tree.workflows import ScheduleClause


class TriggerClause(Clause, frozen=True, eq=False, gc=False):
    """``trigger: OrderPlaced where …``, ``trigger: schedule "…"``, ``trigger: manual``, ``trigger: when Product.quantity < 10``.

    ``kind`` is ``event``, ``schedule``, ``manual`` or ``change``.
    """

    kind: str
    event: Reference | None = None
    where: Expression | None = None
    schedule: ScheduleClause | None = None


class EventDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``event Name { payload { … } … }``; the name may be dotted."""

    name: Reference
    clauses: tuple[Clause, ...]


class HandlerDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``on Event where condition { … }``, or ``on Event do workflow Name`` with a ``target`` instead of a body.

    ``kind`` of a target is ``workflow``, ``job``, ``integration``, ``webhook`` or ``emit``; ``values`` are its arguments.
    """

    event: Reference
    where: Expression | None = None
    body: Block | None = None
    kind: Identifier | None = None
    target: Reference | None = None
    values: tuple[MapEntry, ...] = ()


class WebhookDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``webhook name { event: …  url: …  secret: … }``."""

    name: Identifier
    clauses: tuple[Clause, ...]


class EventsClause(Clause, frozen=True, eq=False, gc=False):
    """``event: OrderPlaced`` or ``events: [OrderPlaced, OrderPaid]`` of a webhook."""

    key: Identifier
    events: tuple[Reference, ...]
