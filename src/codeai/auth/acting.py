"""``as user { … }``: a caller made of what a statement says, with the roles of the program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codeai.auth.principal import Principal, RoleTable


def stated_principal(values: Mapping[str, Any], roles: RoleTable) -> Principal:
    """The caller that a statement names.

    :param values: ``id``, ``roles``, ``permissions``, ``tenant``
    """
    identifier = values.get("id")
    return Principal(
        id=str(identifier) if identifier is not None else None,
        grants=roles.grants(frozenset(values.get("roles") or ()), frozenset(values.get("permissions") or ())),
        tenant=values.get("tenant"),
        authenticated=True,
    )


class Acting:
    """Runs the statements of a block as somebody else (see ``evaluate.effects.Actor``)."""

    def __init__(self, roles: RoleTable) -> None:
        self._roles = roles

    def act_as(self, context: Any, values: Mapping[str, Any]) -> Any:
        """See ``Actor``."""
        before = context.user
        context.user = stated_principal(values, self._roles)
        return before

    def act_again_as(self, context: Any, before: Any) -> None:
        """See ``Actor``."""
        context.user = before
