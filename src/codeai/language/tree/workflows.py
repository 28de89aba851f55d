"""Workflows, jobs and their steps (language page, sections 9 and 10)."""

from __future__ import annotations

from codeai.language.tree.declarations import Clause, Declaration, Setting
from codeai.language.tree.expressions import Expression
from codeai.language.tree.node import Identifier, Node, Reference
from codeai.language.tree.statements import Block, Statement


class WorkflowDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``workflow Name { … }``."""

    name: Identifier
    clauses: tuple[Clause, ...]


class JobDeclaration(Declaration, frozen=True, eq=False, gc=False):
    """``job Name { … }``."""

    name: Identifier
    clauses: tuple[Clause, ...]


class ScheduleClause(Clause, frozen=True, eq=False, gc=False):
    """``schedule: "0 6 * * *"``, ``every 15m``, ``at "2027-01-01T00:00:00Z"``, ``@daily``.

    ``kind`` is ``cron`` (also for the named forms, whose value is ``@daily`` and so on), ``every`` or ``at``.
    """

    kind: str
    value: Expression


class RetryClause(Clause, frozen=True, eq=False, gc=False):
    """``retry: 3 times with exponential_backoff``, and the block form with ``settings``."""

    times: Expression | None
    backoff: Identifier | None
    settings: tuple[Setting, ...] = ()


class StepsClause(Clause, frozen=True, eq=False, gc=False):
    """``steps { … }``: steps and groups of parallel steps."""

    steps: tuple[Node, ...]


class ParallelSteps(Node, frozen=True, eq=False, gc=False):
    """``parallel { … }`` among steps: its steps run side by side."""

    steps: tuple[Node, ...]


class Step(Node, frozen=True, eq=False, gc=False):
    """``name for_each item in list parallel 10 { … }``."""

    name: Identifier
    clauses: tuple[Clause, ...]
    item: Identifier | None = None
    items: Expression | None = None
    parallel: Expression | None = None
    description: str = ""


class WorkClause(Clause, frozen=True, eq=False, gc=False):
    """What a step does: ``call``, ``activity``, ``action``, ``query``, ``emit``, ``send``, ``check``, ``sleep``, ``start``."""

    key: Identifier
    statement: Statement


class WaitClause(Clause, frozen=True, eq=False, gc=False):
    """``wait: OrderApproved where event.order_id == trigger.order_id``."""

    event: Reference
    where: Expression | None


class CompensateClause(Clause, frozen=True, eq=False, gc=False):
    """``compensate { … }`` or ``compensate: Payments.refund { … }``."""

    body: Block


class OutcomeClause(Clause, frozen=True, eq=False, gc=False):
    """``on_fail: rollback``, ``continue``, ``fail("text")`` or ``{ … }``; ``on_timeout`` likewise."""

    key: Identifier
    action: Identifier | None = None
    message: Expression | None = None
    body: Block | None = None
