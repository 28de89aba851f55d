"""What is said beside a list that is empty since its filter names what there is not: nobody has to guess whether it was misspelt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final

import msgspec

from codeai.control.exchange import missing
from codeai.http.messages import Response
from codeai.http.plans import json_response

Names = Callable[[], Awaitable[Collection[str]]]
# The parameters of lists that name something, and what: a key of the names that are known.
_NAMING: Final[Mapping[str, Mapping[str, str]]] = {
    "/executions": {"workflow_id": "workflow or job"},
    "/admin/jobs": {"name": "job", "queue": "queue"},
    "/events": {"name": "event"},
    "/dead-letters": {"event": "event"},
    "/webhooks/{target}/deliveries": {"target": "webhook"},
}


class Hints:
    """Finds out whether an empty list was asked for by a name that nobody has.

    :param known: the names that there are, by what they name
    """

    def __init__(self, known: Mapping[str, Names]) -> None:
        self._known = known

    async def beside(self, template: str, texts: Mapping[str, list[str]], answer: Response) -> Response:
        """The answer of a list, with a ``hint`` where it is empty for such a name."""
        asked = {name: what for name, what in _NAMING.get(template, {}).items() if texts.get(name)}
        if not asked or not answer.body.startswith(b'{"data":[]'):
            return answer
        for name, what in asked.items():
            value, known = texts[name][-1], await self._known[what]()
            if value not in known:
                page: dict[str, Any] = msgspec.json.decode(answer.body)
                return json_response({**page, "hint": missing(what, value, known)})
        return answer
