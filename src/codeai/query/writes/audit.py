"""The audit log: who did what to which row, when, and how the row looked before and after (trait ``audited``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.entity import Entity
from codeai.model.identifiers import new_uuid
from codeai.query.compiler import Model
from codeai.query.inputs import Inputs
from codeai.query.writes.rows import Values
from codeai.storage.codecs import codec, encode_json
from codeai.storage.interface import Session

_NOW: Final = ir.Call(type=t.Timestamp(), function="now", arguments=())
_ACTOR: Final = ir.CurrentUser(type=t.optional(t.String()), attribute="id")


class Audit:
    """Writes the entries of one entity, in the transaction of the change."""

    def __init__(self, model: Model, entity: Entity, inputs: Inputs) -> None:
        self._entity = entity
        self._now = inputs.slot(_NOW)
        self._actor = inputs.slot(_ACTOR)
        self._dialect = model.dialect.name
        mark = "${}" if self._dialect == "postgresql" else "?{}"
        places = ", ".join(mark.format(at) for at in range(1, 9))
        self._text = f'INSERT INTO "audit_log" ("id", "at", "actor", "action", "entity", "key", "before", "after") VALUES ({places})'

    async def write(
        self, session: Session, values: Values, action: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
    ) -> None:
        """Adds one entry."""
        key = (after or before or {}).get(self._entity.primary)
        moment = codec(t.Timestamp(), self._dialect).to_driver
        at = values[self._now] if moment is None else moment(values[self._now])
        identifier = new_uuid() if self._dialect == "postgresql" else str(new_uuid())
        row = (identifier, at, values[self._actor], action, self._entity.name, str(key), self._masked(before), self._masked(after))
        await session.execute(self._text, row)

    def _masked(self, row: Mapping[str, Any] | None) -> str | None:
        if row is None:
            return None
        secret = {field.name for field in self._entity.fields if not field.readable}
        return encode_json(
            {name: "[secret]" if name in secret and value is not None else value for name, value in row.items() if name[0] != "@"}
        )
