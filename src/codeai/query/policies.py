"""Who may see and change which rows and fields, as conditions of statements (language page, section 5).

An entity without ``allow`` lines follows the endpoint's guard alone; once it has one, every action that is not named is
denied. Lines for one action are alternatives. The expressions of policies themselves see all rows: a policy that looks at
another entity is not restricted by that entity's policies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

from codeai.language import types as t
from codeai.model import expression as ir
from codeai.model.entity import Action, Entity
from codeai.query.truth import ALWAYS, NEVER, Test, Truth, all_of, any_of

if TYPE_CHECKING:
    from codeai.query.compiler import Compiler
    from codeai.query.scope import Range

RuleKind = Literal["allow", "tenant", "hide"]

_IS_SYSTEM = ir.CurrentUser(type=t.Bool(), attribute="is_system")
_TENANT = ir.CurrentUser(type=t.optional(t.String()), attribute="tenant")


class Rule(msgspec.Struct, frozen=True):
    """One rule as it was written, with the condition under which it applies: allows, keeps to the tenant, hides."""

    kind: RuleKind
    source: str
    at: int
    applies: Truth


class Policies:
    """The policies of all entities, as expressions made once."""

    def __init__(self, entities: Mapping[str, Entity]) -> None:
        self._conditions: dict[tuple[str, Action], ir.Expression | bool] = {}
        self._hidden: dict[str, dict[str, ir.Expression | None]] = {}
        for entity in entities.values():
            for action in ("read", "create", "update", "delete"):
                self._conditions[entity.name, action] = _condition(entity, action)
            self._hidden[entity.name] = _hidden(entity)

    def restricts(self, entity: Entity, action: Action) -> bool:
        """Whether a caller may be denied the action on some row."""
        return self._conditions[entity.name, action] is not True or entity.tenant_field is not None

    def condition(self, entity: Entity, action: Action) -> ir.Expression | bool:
        """The alternatives of an action as one expression over ``self``; true or false where it depends on nothing."""
        return self._conditions[entity.name, action]

    def allowed(self, compiler: Compiler, row: Range, action: Action) -> Truth:
        """Whether the caller may do this to the row; the system principal always may."""
        parts: list[Truth] = []
        seen = row.as_system()
        condition = self._conditions[row.entity.name, action]
        if condition is not True:
            system = compiler.guard(compiler.inputs.slot(_IS_SYSTEM)) if condition is False else NEVER
            parts.append(system if isinstance(condition, bool) else compiler.with_self(seen, condition))
        tenant = self.tenant(compiler, seen)
        if tenant is not None:
            parts.append(tenant)
        return all_of(parts)

    def tenant(self, compiler: Compiler, row: Range) -> Truth | None:
        """Whether the row is of the caller's tenant; a caller without a tenant sees none. None for entities without tenants."""
        name = row.entity.tenant_field
        if name is None:
            return None
        field = row.entity.field(name)
        assert field is not None
        type_ = compiler.model.plain(field.stored_type)
        own = ir.Convert(type=t.optional(type_), operand=_TENANT, on_failure="null")
        value = compiler.bound(own, type_)
        same = Test((*row.column(name), " = ", *value.sql), nullable=True)
        system = compiler.guard(compiler.inputs.slot(_IS_SYSTEM))
        return any_of([system, same])

    def rules(self, compiler: Compiler, row: Range, action: Action) -> list[Rule]:
        """The rules for an action one by one, in the order of the program, for whoever asks why; ``allowed`` is what counts.

        Fields are hidden from who reads; the other actions have no ``hide``.
        """
        seen, entity = row.as_system(), row.entity
        found: list[Rule] = []
        tenant = self.tenant(compiler, seen)
        if tenant is not None and entity.tenant_field is not None:
            field = entity.field(entity.tenant_field)
            found.append(Rule("tenant", f"tenant({entity.tenant_field})", field.at if field is not None else entity.at, tenant))
        for allow in entity.allows:
            if allow.action == action:
                applies = ALWAYS if allow.condition is None else compiler.with_self(seen, allow.condition)
                found.append(Rule("allow", allow.source, allow.at, applies))
        for hide in entity.hides if action == "read" else ():
            unless = NEVER if hide.unless is None else compiler.with_self(seen, hide.unless)
            found.append(Rule("hide", hide.source, hide.at, unless.inverted()))
        return found

    def hides(self, entity: Entity) -> frozenset[str]:
        """The fields that some caller may not see."""
        return frozenset(self._hidden[entity.name])

    def shown(self, compiler: Compiler, row: Range, field: str) -> Truth | None:
        """Whether the caller sees a field of the row; None when everybody does."""
        rules = self._hidden[row.entity.name]
        if row.access.system or field not in rules:
            return None
        rule = rules[field]
        seen = row.as_system()
        if rule is None:
            return compiler.guard(compiler.inputs.slot(_IS_SYSTEM))
        found: Truth = compiler.with_self(seen, rule)
        return found


def _either(parts: list[ir.Expression]) -> ir.Expression:
    found = parts[0]
    for part in parts[1:]:
        found = ir.Binary(type=t.Bool(), operator="or", left=found, right=part)
    return found


def _condition(entity: Entity, action: Action) -> ir.Expression | bool:
    if not entity.guarded:
        return True
    lines = [allow.condition for allow in entity.allows if allow.action == action]
    conditions = [condition for condition in lines if condition is not None]
    if len(conditions) < len(lines):
        return True
    return _either([_IS_SYSTEM, *conditions]) if conditions else False


def _hidden(entity: Entity) -> dict[str, ir.Expression | None]:
    """Per hidden field the condition under which it is shown; several rules for a field must all hold."""
    found: dict[str, ir.Expression | None] = {}
    for rule in entity.hides:
        for field in rule.fields:
            before = found.get(field, rule.unless)
            both = field in found and before is not None and rule.unless is not None
            if both and before is not None and rule.unless is not None:
                found[field] = ir.Binary(type=t.Bool(), operator="and", left=before, right=rule.unless)
            else:
                found[field] = None if field in found and (before is None or rule.unless is None) else rule.unless
    return {field: None if unless is None else _either([_IS_SYSTEM, unless]) for field, unless in found.items()}
