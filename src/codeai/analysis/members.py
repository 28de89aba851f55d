"""Members: fields of rows and records, relations, settings, elements."""

from __future__ import annotations

from typing import Final

from codeai.analysis.advice import for_step
from codeai.analysis.builtins import BUILTINS
from codeai.analysis.conversions import is_text
from codeai.analysis.names import Names, origin_of
from codeai.analysis.scope import Scope, broken, is_broken
from codeai.analysis.symbols import EntitySymbol
from codeai.language import types as t
from codeai.language.diagnostics import HERE, SETTING, Subject
from codeai.language.elsewhere import instead, nearest_or_meant
from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Identifier, Node
from codeai.model import expression as ir

_USER: Final[dict[str, t.Type]] = {
    "id": t.optional(t.String()),
    "email": t.optional(t.String()),
    "name": t.optional(t.String()),
    "tenant": t.optional(t.String()),
    "roles": t.List(t.String()),
    "permissions": t.List(t.String()),
    "claims": t.Json(),
}


def _of_step(value: ir.Expression) -> bool:
    """Whether a value is part of what a step gave."""
    while isinstance(value, ir.Member):
        value = value.target
    return isinstance(value, ir.HostValue) and value.name == "steps"


def _sent(target: ir.Expression, type_: t.Record, name: str) -> t.RecordField | None:
    """The part of a request whose name on the wire has hyphens: ``header.x_trace`` of ``X-Trace``, whose case says nothing."""
    if not isinstance(target, ir.RequestValue) or target.name is not None:
        return None
    written = [(field.name.replace("-", "_"), field) for field in type_.fields if "-" in field.name]
    if target.place == "header":
        return next((field for alike, field in written if alike.lower() == name.lower()), None)
    return next((field for alike, field in written if alike == name), None)


class Members(Names):
    """Elaborates what stands behind a dot or in brackets."""

    def _member(self, node: ex.Member, scope: Scope, expected: t.Type | None) -> ir.Expression:
        special = self._qualified(node, scope)
        if special is not None:
            return special
        target = self.expression(node.target, scope)
        return self.member(node, target, scope)

    def _qualified(self, node: ex.Member, scope: Scope) -> ir.Expression | None:
        """``config.x.y``, ``Tier.gold`` and ``Product.price`` of a row in range."""
        if not isinstance(node.target, ex.Name):
            path = self._config_path(node)
            return self._config_value(node, path) if path else None
        name = node.target.text
        if scope.find(name) is not None:
            return None
        if name == "config":
            return self._config_value(node, (node.name.text,))
        for range_ in reversed(scope.ranges):
            if range_.entity == name:
                entity = self.symbols.entities[name]
                return self.row_member(node.name, self.range_row(range_, node), entity, scope)
        enum = self.symbols.enums.get(name)
        if enum is not None:
            self.check_member(node.name, node.name.text, enum)
            return ir.Constant(type=enum, value=node.name.text, at=node.start)
        return None

    def _config_path(self, node: ex.Expression) -> tuple[str, ...] | None:
        if isinstance(node, ex.Name):
            return () if node.text == "config" else None
        if isinstance(node, ex.Member):
            inner = self._config_path(node.target)
            return None if inner is None else (*inner, node.name.text)
        return None

    def _config_value(self, node: ex.Member, path: tuple[str, ...]) -> ir.Expression:
        self.symbols.use("setting", path[0])
        type_ = self.symbols.settings.get(path)
        if type_ is not None:
            return ir.ConfigValue(type=type_, path=path, at=node.start)
        if any(known[: len(path)] == path for known in self.symbols.settings):
            return ir.ConfigValue(type=t.Json(), path=path, at=node.start)
        name = ".".join(path)
        known = [known[-1] for known in self.symbols.settings]
        self.report.unknown(node.name, f"unknown setting 'config.{name}'", path[-1], known, "CAI0107", owner=f"{SETTING}{path[0]}")
        return broken(node)

    def member(self, node: ex.Member, target: ir.Expression, scope: Scope) -> ir.Expression:
        """A member of a resolved value."""
        type_ = t.required(target.type)
        name = node.name.text
        if isinstance(type_, t.Unknown):  # what is wrong with it has been said, or it is a parameter without a type
            return broken(node) if is_broken(target) else ir.Member(type=t.Unknown(), target=target, name=name, at=node.start)
        if isinstance(target, ir.CurrentUser) and isinstance(type_, t.Principal):
            if name in _USER:
                return ir.CurrentUser(type=_USER[name], attribute=name, at=node.start)
            if name in ("role", "is_admin", "isAdmin"):
                hint = "ask for a role by 'user.has_role(admin)'"
                said = f"unknown member '{name}' of user"
                self.report.error(node.name, said, "CAI0108", help_text=hint, subject=Subject(name))
                return broken(node)
            self.report.unknown(node.name, f"unknown member '{name}' of user", name, _USER, "CAI0108")
            return broken(node)
        if isinstance(type_, t.Row | t.Ref):
            return self._row_or_reference(node, target, scope)
        if isinstance(type_, t.Record):
            return self._record_member(node, target, type_)
        if isinstance(type_, t.Json):
            return ir.Member(type=t.Json(), target=target, name=name, at=node.start)
        if isinstance(type_, t.Map):
            return ir.Member(type=t.optional(type_.value), target=target, name=name, at=node.start)
        if name in ("length", "count") and (isinstance(type_, t.List | t.Many) or (is_text(type_) and name == "length")):
            return ir.Call(type=t.Int(), function="length", arguments=(target,), at=node.start)
        if name == "ids" and isinstance(type_, t.List) and isinstance(type_.item, t.Row):
            return self._ids(node, target, type_.item)
        near = nearest_or_meant(name, ("length", *BUILTINS))
        hint = instead(name) or ("" if near is None else f"did you mean '{near.name}{'' if near.name == 'length' else '()'}'?")
        if isinstance(type_, t.List) and isinstance(type_.item, t.Row):
            hint = hint or f"this is a list of rows: one of them is read by 'first {type_.item.entity} where …'"
        said, about = f"type '{type_}' has no member '{name}'", Subject(name, HERE)
        self.report.error(node.name, said, "CAI0108", kind=self.kind, help_text=hint, subject=about)
        return broken(node)

    def _ids(self, node: ex.Member, target: ir.Expression, row: t.Row) -> ir.Expression:
        entity = self.symbols.entities[row.entity]
        parameter = ir.Local(type=row, name="row")
        body = ir.FieldValue(type=entity.key_type, row=parameter, field=entity.primary)
        function = ir.LambdaOf(type=t.Function((row,), entity.key_type), parameters=("row",), body=body)
        return ir.Call(type=t.List(entity.key_type), function="map", arguments=(target, function), at=node.start)

    def _record_member(self, node: ex.Member, target: ir.Expression, type_: t.Record) -> ir.Expression:
        name = node.name.text
        whole = self.symbols.whole(type_)
        assert isinstance(whole, t.Record)
        type_ = whole
        field = type_.field(name) or _sent(target, type_, name)
        if field is None:
            if type_.name == "steps":
                if name in self.declared_steps:
                    said, advice = f"step '{name}' has not run when this is evaluated", "only steps before this one have results"
                    self.report.error(node.name, said, "CAI0132", help_text=advice, subject=Subject(name, HERE))
                    return broken(node)
                steps = [known.name for known in type_.fields]
                self.report.unknown(node.name, f"unknown step '{name}'", name, steps, "CAI0132", owner=HERE)
                return broken(node)
            entity = self.symbols.entities.get(type_.name)
            if entity is not None and name in entity.relations and _of_step(target):
                said = f"the row was recorded without its '{name}'"
                self.report.error(node.name, said, "CAI0309", help_text=f"say 'with {name}' in the query of the step")
                return broken(node)
            if entity is not None and name in entity.fields:
                said = f"'{name}' is secret, and results of steps are recorded without secrets"
                self.report.error(node.name, said, "CAI0309", help_text=f"read it where it is needed, with get {entity.name}(…)")
                return broken(node)
            what = f"{target.place} of the request" if isinstance(target, ir.RequestValue) else str(type_)
            known, owner = [known.name for known in type_.fields], "" if isinstance(target, ir.RequestValue) else type_.name
            said = f"unknown field '{name}' in {what}"
            self.report.unknown(node.name, said, name, known, "CAI0106", owner=owner, otherwise=for_step(type_))
            return broken(node)
        if name in self.shadowed.get(type_.name, ()):
            meant = {"ok": "whether the step has finished", "error": "how the step failed", "output": "all that the step gave"}[name]
            said = f"'{name}' is {meant}, and not the '{name}' of what it gave"
            self.report.warning(node.name, said, "CAI0138", help_text=f"that is 'output.{name}'")
        result = t.optional(field.type) if t.is_nullable(target.type) else field.type
        if isinstance(target, ir.RequestValue) and target.name is None:
            return ir.RequestValue(type=result, place=target.place, name=field.name, at=node.start)
        return ir.Member(type=result, target=target, name=name, at=node.start)

    def _row_or_reference(self, node: ex.Member, target: ir.Expression, scope: Scope) -> ir.Expression:
        type_ = t.required(target.type)
        assert isinstance(type_, t.Row | t.Ref)
        entity = self.symbols.entities[type_.entity]
        if isinstance(type_, t.Ref):
            if node.name.text == entity.primary:
                return target
            if not isinstance(target, ir.FieldValue):
                advice = f"read it with get {entity.name}(…)"
                if isinstance(target, ir.Member) and _of_step(target):
                    wanted = target.name.removesuffix("_id")
                    advice += f", or say 'with {wanted}' in the query of the step"
                self.report.error(node, f"'{node.name.text}' needs the row, and this is its key", "CAI0308", help_text=advice)
                return broken(node)
            owner = t.required(target.row.type)
            assert isinstance(owner, t.Row)
            relation = next(
                r for r in self.symbols.entities[owner.entity].relations.values() if r.field == target.field and r.kind == "one"
            )
            target = self.related(node, target.row, relation.name, entity, t.is_nullable(target.type), scope)
        return self.row_member(node.name, target, entity, scope)

    def related(self, node: Node, row: ir.Expression, relation: str, entity: EntitySymbol, nullable: bool, scope: Scope) -> ir.Expression:
        """The row behind a relation; notes that the selection of ``row`` must load it.

        Also where the reference is required there may be none: for a caller who may not read it, or when it is deleted softly.
        """
        type_: t.Type = t.Row(entity.name)
        nullable = nullable or (not isinstance(_root(row), ir.RangeRow) and entity.may_be_hidden)
        found = ir.RelatedRow(
            type=t.optional(type_) if nullable or t.is_nullable(row.type) else type_, row=row, relation=relation, at=node.start
        )
        self._note_load(node, found, scope)
        return found

    def _note_load(self, node: Node, value: ir.Expression, scope: Scope) -> None:
        root = _root(value)
        if isinstance(root, ir.RangeRow):
            return
        if isinstance(root, ir.HostValue) and root.name in scope.host.carried:
            self._check_carried(node, value, root.name, scope)
            return
        origin = origin_of(value, scope)
        if origin is None:
            self.report.error(
                node,
                "this row was not read by a query of this block, so its relations are not loaded",
                "CAI0309",
                help_text="read it in this block, with get or first; or give the function what it needs of the other row",
            )
            return
        scope.host.loads.setdefault(origin[0], set()).add(origin[1])

    def _check_carried(self, node: Node, value: ir.Expression, name: str, scope: Scope) -> None:
        """A relation of an item of ``for_each``: its query has to load it, since the item is recorded with what it holds."""
        path: list[str] = []
        while isinstance(value, ir.RelatedRow | ir.RelatedRows):
            path.insert(0, value.relation)
            value = value.row
        if not any(loaded[: len(path)] == tuple(path) for loaded in scope.host.carried[name]):
            wanted = ".".join(path)
            self.report.error(
                node, f"'{name}' comes without its '{wanted}'", "CAI0309", help_text=f"say 'with {wanted}' in the query of 'for_each'"
            )

    def row_member(self, name: Identifier, row: ir.Expression, entity: EntitySymbol, scope: Scope) -> ir.Expression:
        """A field, computed field or relation of a row."""
        nullable = t.is_nullable(row.type)
        field = entity.fields.get(name.text)
        if field is not None:
            type_ = t.optional(field.type) if field.nullable or nullable else field.type
            return ir.FieldValue(type=type_, row=row, field=field.name, at=name.start)
        if name.text in entity.computed:
            computed = entity.computed[name.text]
            return ir.ComputedValue(type=t.optional(computed) if nullable else computed, row=row, field=name.text, at=name.start)
        relation = entity.relations.get(name.text)
        if relation is None:
            self.unknown_field(name, entity, query=self.query_text)
            return broken(name)
        other = self.symbols.entities[relation.entity]
        if relation.kind == "one":
            return self.related(name, row, relation.name, other, relation.nullable, scope)
        found = ir.RelatedRows(type=t.List(t.Row(other.name)), row=row, relation=relation.name, at=name.start)
        self._note_load(name, found, scope)
        return found

    def _index(self, node: ex.Index, scope: Scope, expected: t.Type | None) -> ir.Expression:
        target = self.expression(node.target, scope)
        type_ = t.required(target.type)
        if isinstance(type_, t.List):
            index = self.value(node.index, scope, t.Int(), "index")
            return ir.Item(type=t.optional(type_.item), target=target, index=index, at=node.start)
        if isinstance(type_, t.Record) and isinstance(node.index, ex.StringLiteral):
            name = Identifier(node.index.start, node.index.end, node.index.value)
            return self.member(ex.Member(node.start, node.end, node.target, name), target, scope)
        index = self.expression(node.index, scope)
        if isinstance(type_, t.Json | t.Map | t.Unknown):
            result = type_.value if isinstance(type_, t.Map) else t.Json()
            return ir.Item(type=t.optional(result), target=target, index=index, at=node.start)
        self.report.error(node, f"type '{type_}' has no elements", "CAI0108", kind=self.kind, help_text=for_step(type_))
        return broken(node)


def _root(value: ir.Expression) -> ir.Expression:
    """The row at which a path of relations begins."""
    while isinstance(value, ir.RelatedRow | ir.RelatedRows):
        value = value.row
    return value
