"""``on_success: emit(E)`` of a generated creation: the event goes along in the statement that inserts the row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from codeai.evaluate.context import Context
from codeai.evaluate.errors import NotCompilable
from codeai.evaluate.program import Evaluator
from codeai.events.outbox import Outbox
from codeai.model.statement import Block, Emit
from codeai.query.writes.companions import Companion


class EmitAnnouncement:
    """See ``http.success.Announcement``.

    :param payload: computes the payload over a context whose values hold ``result`` and ``changes``
    """

    def __init__(self, outbox: Outbox, event: str, payload: Callable[[Context], Any]) -> None:
        self._outbox = outbox
        self._event = event
        self._payload = payload

    def beside(self, context: Context, changes: Any) -> Callable[[Mapping[str, Any]], Sequence[Companion]]:
        """See ``http.success.Announcement``."""

        def companions(row: Mapping[str, Any]) -> Sequence[Companion]:
            context.values = {"result": row, "changes": changes}
            return self._outbox.companions(context.now, context.user.id, self._event, self._payload(context))

        return companions


def announcement(body: Block, outbox: Outbox, evaluator: Evaluator) -> EmitAnnouncement | None:
    """The announcement that a block amounts to; None when it is more than one event, or asks the database."""
    statement = body[0] if len(body) == 1 else None
    if not isinstance(statement, Emit):
        return None
    try:
        return EmitAnnouncement(outbox, statement.event, evaluator.value(statement.payload))
    except NotCompilable:
        return None
