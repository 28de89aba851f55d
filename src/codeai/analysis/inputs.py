"""What endpoints take and whom they let in: inputs, shapes, guards."""

from __future__ import annotations

from typing import Final

from codeai.analysis.conversions import sent_alike
from codeai.analysis.entities import Entities
from codeai.analysis.fields import check_fields, check_type
from codeai.analysis.guarding import asks_who_calls, check_permission
from codeai.analysis.scope import Host, Scope
from codeai.analysis.symbols import EntitySymbol
from codeai.analysis.types import must_send
from codeai.language import types as t
from codeai.language.diagnostics import DiagnosticClass
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import types as ty
from codeai.language.tree.node import Identifier, Node
from codeai.model.endpoint import InputField, Inputs, Shape
from codeai.model.entity import Field
from codeai.model.security import Guard

_MODES: Final = ("required", "optional", "public")
LISTING: Final = ("q", "search", "sort", "page", "limit", "cursor", "expand", "total")


def _is_file(field: InputField) -> bool:
    type_ = t.required(field.type)
    return isinstance(t.required(type_.item) if isinstance(type_, t.List) else type_, t.Bytes)


class InputAnalysis(Entities):
    """Elaborates the inputs of endpoints."""

    def input_fields(self, nodes: tuple[d.FieldDeclaration, ...], place: str = "") -> tuple[InputField, ...]:
        """The declared inputs of a place of the request, or of a payload or a run."""
        check_fields(nodes, self.report, place)
        return tuple(self.input_field(node, place=place) for node in nodes)

    def input_field(self, node: d.FieldDeclaration, *, partial: bool = False, place: str = "") -> InputField:
        """A declared input."""
        type_ = self.resolve(node.type)
        check_type(node, type_, self.report, place)
        modifiers = {modifier.name.text: modifier for modifier in node.modifiers}
        constraints, default = self.constraints(node, type_), None
        if "default" in modifiers and modifiers["default"].arguments:
            scope = Scope(Host("a default", database=False))
            what, given = f"default of '{node.name.text}'", modifiers["default"].arguments[0]
            default = self.value(given, scope, type_, what)
            self.check_constants(given, default, type_, constraints, what)
        plain = t.required(type_)
        return InputField(
            name=node.name.text,
            type=plain,
            required="required" in modifiers and default is None and not partial,
            nullable=isinstance(type_, t.Optional) or not ("required" in modifiers or default is not None),
            default=default,
            constraints=constraints,
            reference=plain.entity if isinstance(plain, t.Ref) else None,
            write_only="write_only" in modifiers or "secret" in modifiers,
            description=node.description,
            at=node.start,
        )

    def entity_input(self, field: Field, *, required: bool) -> InputField:
        """A stored field as an input."""
        return InputField(
            name=field.name,
            type=field.type,
            required=required,
            nullable=field.nullable,
            constraints=field.constraints,
            reference=field.type.entity if isinstance(field.type, t.Ref) else None,
            write_only=field.write_only or field.secret,
            description=field.description,
            at=field.at,
        )

    def entity_shape(self, entity: EntitySymbol, kind: str, without: frozenset[str] = frozenset()) -> Shape:
        """``E.create`` or ``E.update`` as a body."""
        node = ty.ShapeType(0, 0, entity.declaration.name, _identifier(kind))
        fields = tuple(
            self.entity_input(field, required=needed and kind == "create")
            for field, needed in self.shape_fields(node, entity)
            if field.name not in without
        )
        return Shape(name=f"{entity.name}{kind.capitalize()}", fields=fields, entity=entity.name, partial=kind != "create")

    def body_shape(self, clause: d.InputClause) -> Shape:
        """The body that a clause declares."""
        if clause.type is None:
            fields = self.input_fields(clause.fields, "body")
            return Shape(fields=fields, multipart=any(map(_is_file, fields)))
        node = clause.type
        if isinstance(node, ty.ShapeType) and node.entity.text in self.symbols.entities:
            entity = self.symbols.entities[node.entity.text]
            partial = node.shape.text in ("update", "partial")
            fields = tuple(
                self.entity_input(field, required=needed and must_send(field) and not partial)
                for field, needed in self.shape_fields(node, entity)
            )
            self.resolve(node)
            return Shape(name=f"{entity.name}{node.shape.text.capitalize()}", fields=fields, entity=entity.name, partial=partial)
        type_ = self.resolve(node)
        self.broken_body = isinstance(type_, t.Unknown)
        if isinstance(type_, t.Json | t.Unknown):
            return Shape(open=True)
        many = isinstance(type_, t.List)
        record = type_.item if isinstance(type_, t.List) else type_
        if isinstance(record, t.Record):
            declared = self.symbols.record_fields.get(record.name)
            if declared is not None:
                return Shape(name=record.name, fields=tuple(self.input_field(field) for field in declared), many=many)
            if isinstance(node, ty.RecordType):
                return Shape(fields=tuple(self.input_field(field) for field in node.fields if isinstance(field, d.FieldDeclaration)))
        if isinstance(record, t.Row):
            return self.entity_shape(self.symbols.entities[record.entity], "create")
        place = clause.place.text
        said, hint = (
            f"{'an' if place == 'input' else 'a'} {place} is a record, not {type_}",
            f"give its fields names: '{place} {{ value: {type_} }}'",
        )
        self.report.error(clause, said, "CAI0501", help_text=hint)
        return Shape(open=True)

    def inputs(self, path: d.Path, clauses: tuple[d.Clause, ...], known: dict[str, t.Type]) -> Inputs:
        """All inputs of an endpoint; ``known`` gives types of path parameters that the operation determines."""
        parts: dict[str, tuple[InputField, ...]] = {}
        body: Shape | None = None
        self.broken_body = self.report.torn(Node(path.end, clauses[-1].end if clauses else path.end))
        for clause in clauses:
            if not isinstance(clause, d.InputClause):
                continue
            place = clause.place.text
            if place == "body":
                body = self.body_shape(clause)
            elif clause.type is not None:
                parts[place] = self._named_fields(clause)
            else:
                parts[place] = self.input_fields(clause.fields, place)
        parts["path"] = self._path_inputs(path, parts.get("path", ()), known)
        return Inputs(
            path=parts["path"],
            query=parts.get("query", ()),
            header=parts.get("header", ()),
            cookie=parts.get("cookie", ()),
            body=body,
        )

    def _named_fields(self, clause: d.InputClause) -> tuple[InputField, ...]:
        """``query: Filters``: the fields of a record, or of a shape of an entity."""
        shape = self.body_shape(clause)
        if shape.open or shape.many:
            self.report.absent(clause, clause, f"'{clause.place.text}' takes fields in braces, or a record", "CAI0501")
        return shape.fields

    def _path_inputs(self, path: d.Path, declared: tuple[InputField, ...], known: dict[str, t.Type]) -> tuple[InputField, ...]:
        by_name = {field.name: field for field in declared}
        found: list[InputField] = []
        seen: set[str] = set()
        for segment in path.segments:
            if not segment.parameter:
                continue
            if segment.text in seen:
                self.report.error(
                    segment,
                    f"duplicate parameter '{segment.text}'",
                    "CAI0103",
                    kind=DiagnosticClass.SCOPE,
                    help_text="call one of them otherwise",
                )
            seen.add(segment.text)
            field = by_name.pop(segment.text, None)
            type_ = known.get(segment.text, t.String()) if field is None else field.type
            wanted = known.get(segment.text)
            if field is not None and wanted is not None and not sent_alike(field.type, wanted):
                said = f"type mismatch for parameter '{segment.text}': expected {wanted}, got {field.type}"
                self.report.error(Identifier(field.at, field.at + len(field.name), field.name), said, "CAI0301")
            found.append(
                InputField(
                    name=segment.text,
                    type=type_,
                    required=True,
                    constraints=field.constraints if field else InputField(name="", type=type_).constraints,
                    reference=type_.entity if isinstance(type_, t.Ref) else None,
                    description=field.description if field else "",
                    at=segment.start,
                )
            )
        for name in by_name:
            hint = f"write {{{name}}} in it" if not found else f"it has {', '.join(f'{{{field.name}}}' for field in found)}"
            self.report.error(path, f"the path has no parameter '{name}'", "CAI0502", help_text=hint)
        return tuple(found)

    # -- guard -----------------------------------------------------------------------------------------------------

    def guard(self, node: d.Declaration, clauses: tuple[d.Clause, ...], default: str | None) -> Guard:
        """Who may call; later clauses win over earlier ones (those of an action over those of its resource)."""
        mode: str | None = default
        providers: tuple[str, ...] = ()
        roles: tuple[str, ...] = ()
        permissions: tuple[str, ...] = ()
        said: d.Clause | None = None
        for clause in clauses:
            if isinstance(clause, d.AuthClause):
                mode, providers = self._auth_mode(clause)
                said = clause
            elif isinstance(clause, d.NamesClause) and clause.key.text in ("roles", "permissions") and not clause.names:
                self.names_something(clause)
            elif isinstance(clause, d.NamesClause) and clause.key.text == "roles":
                self.distinct(clause.names)
                for name in clause.names:
                    self.check_role(name)
                roles = tuple(name.text for name in clause.names)
            elif isinstance(clause, d.NamesClause) and clause.key.text == "permissions":
                self.distinct(clause.names)
                for name in clause.names:
                    check_permission(name, self.symbols, self.report)
                permissions = tuple(name.text for name in clause.names)
        if (roles or permissions) and mode in ("public", "optional"):
            if said is not None and not self._overridden(clauses, said):
                self.report.error(said, f"'{mode}' does not go with roles or permissions", "CAI0503", help_text="leave one of them out")
            mode = "required"
        silent = mode is None and not (roles or permissions) and not self.symbols.providers
        if silent and not asks_who_calls(clauses, self.symbols):  # where a middleware asks, the guard is its own
            self.report.warning(
                Node(node.start, node.path.end) if isinstance(node, d.EndpointDeclaration | d.ResourceDeclaration) else node,
                "this endpoint says nothing of auth and the program has none: open in development, no start in production",
                "CAI0504",
                help_text="declare an auth provider, or write 'auth: public'",
            )
        return Guard(
            mode="public" if silent else mode or "required",  # type: ignore[arg-type]  # one of the modes
            providers=providers,
            roles=roles,
            permissions=permissions,
            silent=silent,
        )

    def _overridden(self, clauses: tuple[d.Clause, ...], said: d.Clause) -> bool:
        """Whether roles or permissions come after the auth clause, as those of an action after its resource's."""
        after = clauses[clauses.index(said) + 1 :]
        return any(isinstance(clause, d.ActionSettings) for clause in after)

    def _auth_mode(self, clause: d.AuthClause) -> tuple[str, tuple[str, ...]]:
        if not clause.names:
            self.report.error(clause, "'auth' names nothing", "CAI0505", help_text="write required, optional, public, or a provider")
            return "required", ()
        self.distinct(clause.names)
        first = clause.names[0]
        if first.text in _MODES:
            return first.text, ()
        for name in clause.names:
            if name.text not in self.symbols.providers:
                known = [*_MODES, *self.symbols.providers]
                advice = f"who has a role is let in by 'roles: [{name.text}]'" if name.text in self.symbols.roles else ""
                self.report.unknown(name, f"unknown auth provider '{name.text}'", name.text, known, "CAI0116", otherwise=advice)
            self.symbols.use("auth", name.text)
        return "required", tuple(name.text for name in clause.names)

    def names_something(self, clause: d.NamesClause) -> bool:
        """Whether a list names anything; reports it otherwise."""
        if not clause.names:
            self.report.error(clause, f"'{clause.key.text}' names nothing", "CAI0505", help_text="name one, or leave it out")
        return bool(clause.names)

    def no_duration(self, node: ex.Expression, what: str) -> None:
        """Reports what is no duration (see ``Surroundings``)."""
        raise NotImplementedError

    def milliseconds(self, clauses: tuple[d.Clause, ...], key: str) -> int | None:
        """The duration that a clause gives."""
        for clause in clauses:
            if isinstance(clause, d.ValueClause) and clause.key.text == key:
                if isinstance(clause.value, ex.DurationLiteral) and clause.value.milliseconds:
                    return clause.value.milliseconds
                self.no_duration(clause.value, key)
        return None


def _identifier(text: str) -> Identifier:
    return Identifier(0, 0, text)
