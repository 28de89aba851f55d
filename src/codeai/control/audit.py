"""The trail of what operators change: who, when, what, in the transaction of the change (table ``audit_log``)."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, Final

from codeai.language import types as t
from codeai.model.identifiers import new_uuid
from codeai.storage.codecs import codec, encode_json
from codeai.storage.interface import Dialect, Session
from codeai.storage.portable import portable

_INSERT: Final = "INSERT INTO audit_log (id, at, actor, action, entity, key, before, after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"


class Trail:
    """Writes entries."""

    def __init__(self, dialect: Dialect, clock: Callable[[], datetime.datetime]) -> None:
        self._text = portable(_INSERT, dialect)
        self._clock = clock
        self._moment = codec(t.Timestamp(), dialect).to_driver or (lambda value: value)
        self._identifier = codec(t.Uuid(), dialect).to_driver or (lambda value: value)

    async def write(
        self, session: Session, actor: str | None, action: str, entity: str, key: str, *, before: Any = None, after: Any = None
    ) -> None:
        """Adds one entry.

        :param action: what was done (``pause``)
        :param entity: to what kind of thing (``schedule``), ``key`` names it
        :param before: what is worth knowing of the state before, as JSON
        """
        texts = (None if before is None else encode_json(before), None if after is None else encode_json(after))
        row = (self._identifier(new_uuid()), self._moment(self._clock()), actor, action, entity, key, *texts)
        await session.execute(self._text, row)
