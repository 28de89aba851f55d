"""The caller as the program sees it (``user``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from codeai.model.security import Role


class Grants(msgspec.Struct, frozen=True):
    """What a set of roles amounts to: roles with the inherited ones, permissions with their wildcards."""

    roles: frozenset[str]
    permissions: frozenset[str]

    def allows(self, permission: str) -> bool:
        """Whether a permission is given, literally or by ``*``, ``*:*`` or ``area:*``."""
        given = self.permissions
        if permission in given or "*" in given or "*:*" in given:
            return True
        area, colon, _ = permission.partition(":")
        return bool(colon) and f"{area}:*" in given


class RoleTable:
    """The declared roles; what sets of them amount to is computed once and kept."""

    _KEPT: Final = 4096

    def __init__(self, roles: Iterable[Role]) -> None:
        self._roles = {role.name: role for role in roles}
        self._grants: dict[tuple[frozenset[str], frozenset[str]], Grants] = {}

    def grants(self, roles: frozenset[str], permissions: frozenset[str] = frozenset()) -> Grants:
        """Roles and permissions with everything that the roles bring along; undeclared roles bring nothing."""
        key = (roles, permissions)
        found = self._grants.get(key)
        if found is None:
            if len(self._grants) >= self._KEPT:
                self._grants.clear()
            found = self._grants[key] = self._expanded(roles, permissions)
        return found

    def _expanded(self, roles: frozenset[str], permissions: frozenset[str]) -> Grants:
        reached: set[str] = set()
        given = set(permissions)
        waiting = list(roles)
        while waiting:
            name = waiting.pop()
            if name in reached:
                continue
            reached.add(name)
            role = self._roles.get(name)
            if role is not None:
                given.update(role.permissions)
                waiting.extend(role.inherits)
        return Grants(frozenset(reached), frozenset(given))


_NOTHING: Final = Grants(frozenset(), frozenset())


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """A caller. ``id`` None is nobody (or the system)."""

    id: str | None = None
    grants: Grants = _NOTHING
    tenant: str | None = None
    email: str | None = None
    name: str | None = None
    claims: Mapping[str, Any] = {}
    provider: str = ""
    authenticated: bool = False
    is_system: bool = False

    @property
    def roles(self) -> list[str]:
        """The roles by name, inherited ones included."""
        return sorted(self.grants.roles)

    @property
    def permissions(self) -> list[str]:
        """The permissions as given, wildcards included."""
        return sorted(self.grants.permissions)

    def has_role(self, name: str) -> bool:
        """Whether the caller has a role, also by inheritance."""
        return name in self.grants.roles

    def has_permission(self, name: str) -> bool:
        """Whether the caller has a permission, also by wildcard."""
        return self.grants.allows(name)


ANONYMOUS: Final = Principal()
SYSTEM: Final = Principal(is_system=True)
