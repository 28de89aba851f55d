"""Type expressions to types, fields to constraints, shapes to records."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from codeai.analysis.fields import check_fields, check_type
from codeai.analysis.reporter import Reporter
from codeai.analysis.symbols import EntitySymbol, Symbols
from codeai.language import types as t
from codeai.language.diagnostics import DiagnosticClass, Subject
from codeai.language.patterns import PatternError, portable
from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.language.tree import types as ty
from codeai.language.tree.node import Identifier, Node, Reference
from codeai.model.entity import Constraints, Field

_PLAIN: Final[dict[str, Callable[[], t.Type]]] = {
    "uuid": t.Uuid,
    "string": lambda: t.String(255),
    "varchar": lambda: t.String(255),
    "text": t.Text,
    **dict.fromkeys(("int", "integer", "bigint", "int32", "int64"), t.Int),
    **dict.fromkeys(("float", "double", "number"), t.Float),
    **dict.fromkeys(("decimal", "numeric"), t.Decimal),
    **dict.fromkeys(("bool", "boolean"), t.Bool),
    **dict.fromkeys(("timestamp", "datetime"), t.Timestamp),
    "date": t.Date,
    "time": t.Time,
    "duration": t.Duration,
    "email": t.Email,
    "url": t.Url,
    **dict.fromkeys(("json", "object", "jsonb"), t.Json),
    **dict.fromkeys(("bytes", "binary"), t.Bytes),
    **dict.fromkeys(("void", "Empty"), t.Void),
    **dict.fromkeys(("list", "array"), lambda: t.List(t.Json())),
    "map": lambda: t.Map(t.Json()),
    "any": t.Json,
}
_MOST: Final = {"string": 1, "varchar": 1, "decimal": 2, "numeric": 2, "list": 1, "array": 1, "map": 1, "paginated": 1, "ref": 1, "many": 1}
_LONGEST: Final = 10_485_760  # PostgreSQL: varchar(n)
_DIGITS: Final = 1_000  # PostgreSQL: numeric(p, s)
_PARAMETRISED: Final = ("decimal", "list", "map", "paginated", "enum", "ref", "many")
_NEEDING: Final = {"ref": "ref(Entity)", "many": "many(Entity.field)", "enum": "enum(a, b)", "paginated": "paginated(Entity)"}
_RULES: Final = ("min", "max", "min_length", "max_length", "length", "pattern", "default")
_FLAGS: Final = frozenset(
    [
        *("primary", "auto", "auto_update", "required", "optional", "unique", "searchable"),
        *("soft_delete", "read_only", "write_only", "immutable", "secret"),
    ]
)
_DECIMAL: Final = "the first number is that of all digits, the second that behind the point, as in decimal(10, 2)"
_PLAIN_SIGN: Final = "a sign that stands for itself has a backslash before it"
_FITS: Final = {
    "pattern": "texts have a pattern",
    **dict.fromkeys(("min_length", "max_length", "length"), "texts and lists have a length; for numbers write min or max"),
    "on_delete": "it stands at a reference, as in 'author: ref(Author), on_delete(cascade)'",
}
_TEXTS: Final = (t.String, t.Text, t.Email, t.Url)
_FITTING: Final[dict[str, tuple[type, ...]]] = {
    "pattern": _TEXTS,
    **dict.fromkeys(("min_length", "max_length", "length"), (*_TEXTS, t.List, t.Json, t.Map, t.Bytes)),
    "on_delete": (t.Ref,),
}


class TypeResolver:
    """Resolves types with the symbols of the program."""

    def __init__(self, symbols: Symbols, reporter: Reporter) -> None:
        self.symbols = symbols
        self.report = reporter

    def is_type(self, name: str) -> bool:
        """Whether the language itself has a type of that name."""
        return name in _PLAIN or name in _PARAMETRISED

    def resolve(self, node: Node) -> t.Type:
        """The type that a type expression names; Unknown (with a diagnostic) when there is none."""
        if isinstance(node, ty.OptionalType):
            return t.optional(self.resolve(node.item))
        if isinstance(node, ty.RecordType) and self.report.torn(node):
            return t.Unknown()
        if isinstance(node, ty.RecordType):
            if not node.fields:
                self.report.error(node, "a record has fields", "CAI0208", help_text="for anything at all write 'json'")
            fields = tuple(field for field in node.fields if isinstance(field, d.FieldDeclaration))
            return self.record(fields, self._inline(node, fields))
        if isinstance(node, ty.ShapeType):
            return self._shape(node)
        if isinstance(node, ty.NamedType):
            return self._named(node)
        return t.Unknown()

    def _inline(self, node: ty.RecordType, fields: tuple[d.FieldDeclaration, ...]) -> str:
        """The name under which the rules of an inline record are found; empty where its fields have none."""
        if not any(modifier.name.text in _RULES for field in fields for modifier in field.modifiers):
            return ""
        name = self.symbols.inline.setdefault(node, f"{t.INLINE}{len(self.symbols.inline) + 1}")
        self.symbols.inline_fields[name] = fields
        return name

    def record(self, fields: tuple[d.FieldDeclaration, ...], name: str = "") -> t.Record:
        """The record type of declared fields."""
        check_fields(fields, self.report)
        return t.Record(tuple(self._record_field(field) for field in fields), name)

    def _record_field(self, field: d.FieldDeclaration) -> t.RecordField:
        modifiers = {modifier.name.text for modifier in field.modifiers}
        type_ = self.resolve(field.type)
        check_type(field, type_, self.report)
        needed = "required" in modifiers and "default" not in modifiers
        nullable = not ("required" in modifiers or "default" in modifiers)
        return t.RecordField(field.name.text, t.optional(type_) if nullable else type_, needed)

    def _named(self, node: ty.NamedType) -> t.Type:
        name = node.name.text
        if node.arguments:
            return self._parametrised(node)
        plain = _PLAIN.get(name)
        if plain is not None:
            return plain()
        if name in self.symbols.entities:
            return t.Row(name)
        self.symbols.use("type", name)
        if name in self.symbols.enums:
            return self.symbols.enums[name]
        if name in self.symbols.records:
            return t.Record((), name) if name in self.symbols.within else self.symbols.records[name]
        if name in _NEEDING:
            self.report.error(node, f"type '{name}' needs an argument", "CAI0202", help_text=f"as in {_NEEDING[name]}")
            return t.Unknown()
        known = [*_PLAIN, *self.symbols.type_names()]
        otherwise = f"declare it, as in 'enum {name} {{ a, b }}' or 'type {name} {{ … }}'" if name[:1].isupper() else ""
        self.report.unknown(node.name, f"unknown type '{name}'", name, known, "CAI0201", otherwise=otherwise)
        return t.Unknown()

    def _parametrised(self, node: ty.NamedType) -> t.Type:
        name, arguments = node.name.text, node.arguments
        if len(arguments) > _MOST.get(name, len(arguments)):
            hint = "keys are texts; say only what the values are, as in map(int)" if name == "map" else ""
            said = f"type '{name}' takes {_MOST[name]} argument{'s' * (_MOST[name] > 1)}"
            self.report.error(arguments[_MOST[name]], said, "CAI0202", help_text=hint)
        if name in ("string", "varchar"):
            return t.String(self._number(node, arguments, 0, _LONGEST))
        if name in ("decimal", "numeric"):
            precision, scale = self._number(node, arguments, 0, _DIGITS), self._number(node, arguments, 1, _DIGITS) or 0
            if precision is not None and scale > precision:
                self.report.error(node, f"scale {scale} is larger than precision {precision}", "CAI0203", help_text=_DECIMAL)
            return t.Decimal(precision, scale)
        if name in ("list", "array"):
            return t.List(self.resolve(arguments[0]))
        if name == "map":
            return t.Map(self.resolve(arguments[0]))
        if name == "paginated":
            return t.Paginated(self.resolve(arguments[0]))
        if name == "enum":
            return self._members(tuple(part for part in arguments if isinstance(part, Reference)))
        if name in ("ref", "many") and isinstance(arguments[0], Reference):
            return self._reference(name, arguments[0])
        if name in _PLAIN or name in self.symbols.type_names() or name in self.symbols.entities:
            self.report.error(node, f"type '{name}' takes no arguments", "CAI0202", help_text=f"write '{name}' alone")
        elif name.lower() in ("optional", "nullable", "maybe", "option"):
            hint = "write the type with '?' behind it, as in string?"
            self.report.error(node, f"unknown type '{name}'", "CAI0201", help_text=hint, subject=Subject(name))
        else:
            self.report.unknown(node.name, f"unknown type '{name}'", name, [*_PLAIN, *_PARAMETRISED], "CAI0201")
        return t.Unknown()

    def _members(self, parts: tuple[Reference, ...]) -> t.Type:
        seen: dict[str, Node] = {}
        for part in parts:
            if part.text in seen:
                self.report.duplicate(part, part.text, seen[part.text])
            seen.setdefault(part.text, part)
        return t.Enum(tuple(seen))

    def _number(self, node: ty.NamedType, arguments: tuple[Node, ...], at: int, most: int) -> int | None:
        if at >= len(arguments):
            return None
        value = arguments[at]
        if isinstance(value, ex.IntLiteral) and (at == 0) - 1 < value.value <= most:
            return value.value
        if isinstance(value, ex.IntLiteral) and value.value > most:
            self.report.error(
                value, f"'{node.name.text}' takes {most:,} at most", "CAI0203", help_text="long texts are 'text'" * (most == _LONGEST)
            )
            return None
        self.report.error(value, f"'{node.name.text}' takes a positive whole number here", "CAI0203")
        return None

    def _reference(self, kind: str, reference: Reference) -> t.Type:
        entity = reference.parts[0]
        if not self.known_entity(entity):
            return t.Unknown()
        if kind == "ref" and len(reference.parts) > 1:
            said = "a reference is to the key of an entity"
            self.report.error(reference, said, "CAI0204", help_text=f"write ref({entity.text})")
        if kind == "ref":
            return t.Ref(entity.text)
        if len(reference.parts) != 2:
            hint = f"write many({entity.text}.{self._a_reference(entity.text)})"
            self.report.error(reference, "'many' names a reference of the other entity", "CAI0204", help_text=hint)
            return t.Unknown()
        return t.Many(entity.text, reference.parts[1].text)

    def _a_reference(self, entity: str) -> str:
        """The only reference of an entity, as it is declared; ``field`` where there are several or none."""
        fields = [clause for clause in self.symbols.entities[entity].declaration.clauses if isinstance(clause, d.FieldDeclaration)]
        found = [field.name.text for field in fields if isinstance(field.type, ty.NamedType) and field.type.name.text == "ref"]
        return found[0] if len(found) == 1 else "field"

    def known_entity(self, name: Identifier) -> bool:
        """Whether an entity of that name is declared; reports it otherwise."""
        if name.text in self.symbols.entities:
            return True
        self.report.unknown(name, f"unknown entity '{name.text}'", name.text, self.symbols.entities, "CAI0104")
        return False

    # -- shapes ----------------------------------------------------------------------------------------------------

    def _shape(self, node: ty.ShapeType) -> t.Type:
        if not self.known_entity(node.entity):
            return t.Unknown()
        entity = self.symbols.entities[node.entity.text]
        for name in node.fields:
            if name.text not in entity.member_names():
                self.unknown_field(name, entity)
        return t.Record(
            tuple(
                t.RecordField(field.name, t.optional(field.type) if field.nullable else field.type, needed)
                for field, needed in self.shape_fields(node, entity)
            ),
            f"{entity.name}{node.shape.text.capitalize()}",
        )

    def shape_fields(self, node: ty.ShapeType, entity: EntitySymbol) -> list[tuple[Field, bool]]:
        """The fields of a derived shape, each with whether a client must send it."""
        shape, named = node.shape.text, {name.text for name in node.fields}
        found: list[tuple[Field, bool]] = []
        tenant = entity.tenant_field if shape != "pick" else None
        for field in entity.fields.values():
            if field.name == tenant:
                continue
            if (
                (shape == "pick" and field.name in named)
                or (shape == "omit" and field.name not in named and client_writes(field))
                or (shape == "create" and client_writes(field))
            ):
                found.append((field, must_send(field)))
            elif shape in ("update", "partial") and client_writes(field):
                if not (field.primary or (field.immutable and shape == "update")):
                    found.append((field, False))
        return found

    def unknown_field(self, name: Identifier, entity: EntitySymbol, *, query: bool = False) -> str | None:
        """Reports a field that the entity does not have; returns the nearest that it has."""
        return self.report.unknown(
            name,
            f"unknown field '{name.text}' on entity '{entity.name}'",
            name.text,
            entity.member_names(),
            "CAI0105",
            owner=entity.name,
            kind=DiagnosticClass.COMPILER if query else DiagnosticClass.SEMANTIC,
        )

    # -- constraints -----------------------------------------------------------------------------------------------

    def constraints(self, field: d.FieldDeclaration, type_: t.Type) -> Constraints:
        """The bounds that the modifiers of a field set."""
        found: dict[str, object] = {}
        for modifier in field.modifiers:
            name = modifier.name.text
            if name in ("min", "max"):
                found["minimum" if name == "min" else "maximum"] = self._bound(modifier, type_)
            elif name in ("min_length", "max_length"):
                found[name] = self._length(modifier)
            elif name == "length":
                found["min_length"] = found["max_length"] = self._length(modifier)
            elif name == "pattern":
                found["pattern"] = self._pattern(modifier)
            elif name in _FLAGS and modifier.arguments:
                self.report.error(modifier, f"modifier '{name}' takes no arguments", "CAI0205", help_text=f"write '{name}' alone")
            self._check_fit(modifier, type_)
        most, least = t.required(type_), found.get("min_length")
        highest_length = found.get("max_length")
        longer = isinstance(highest_length, int) and isinstance(most, t.String) and most.length is not None and highest_length > most.length
        if longer and not _is_default_length(field.type):
            assert isinstance(most, t.String)
            hint = f"write string({highest_length})"
            self.report.error(field.name, f"a text of at most {most.length} is never {highest_length} long", "CAI0208", help_text=hint)
        if isinstance(most, t.String) and most.length is not None and isinstance(least, int) and least > most.length:
            self.report.error(field.name, f"no value is at least {least} and at most {most.length}", "CAI0208")
        for low, high in (("minimum", "maximum"), ("min_length", "max_length")):
            lowest, highest = found.get(low), found.get(high)
            if isinstance(lowest, int | float | Decimal) and isinstance(highest, int | float | Decimal) and lowest > highest:
                self.report.error(field.name, f"no value is at least {lowest} and at most {highest}", "CAI0208")
        return Constraints(**found)  # type: ignore[arg-type]  # the values were checked above

    def _check_fit(self, modifier: ty.Modifier, type_: t.Type) -> None:
        fitting = _FITTING.get(modifier.name.text)
        if fitting is not None and not isinstance(t.required(type_), (*fitting, t.Unknown)):
            self.report.error(
                modifier, f"modifier '{modifier.name.text}' does not fit type '{type_}'", "CAI0206", help_text=_FITS[modifier.name.text]
            )

    def _argument(self, modifier: ty.Modifier) -> ex.Expression | None:
        if len(modifier.arguments) == 1:
            return modifier.arguments[0]
        self.report.error(modifier, f"modifier '{modifier.name.text}' takes one argument", "CAI0205")
        return None

    def _bound(self, modifier: ty.Modifier, type_: t.Type) -> object | None:
        argument = self._argument(modifier)
        negative = isinstance(argument, ex.Unary) and argument.operator == "-"
        literal = argument.operand if isinstance(argument, ex.Unary) else argument
        value: object | None = None
        if isinstance(literal, ex.IntLiteral):
            value = -literal.value if negative else literal.value
        elif isinstance(literal, ex.DecimalLiteral):
            value = -Decimal(literal.text) if negative else Decimal(literal.text)
        elif isinstance(literal, ex.SizeLiteral) and isinstance(type_, t.Bytes):
            value = literal.size
        elif argument is not None:
            self.report.error(argument, f"modifier '{modifier.name.text}' takes a number", "CAI0205")
        if value is not None and not isinstance(t.required(type_), t.Int | t.Decimal | t.Float | t.Bytes | t.Unknown):
            self.report.error(
                modifier,
                f"modifier '{modifier.name.text}' does not fit type '{type_}'",
                "CAI0206",
                help_text="for texts and lists write min_length or max_length",
            )
            return None
        return float(value) if isinstance(value, Decimal) and isinstance(t.required(type_), t.Float) else value

    def _length(self, modifier: ty.Modifier) -> int | None:
        argument = self._argument(modifier)
        if isinstance(argument, ex.IntLiteral):
            return argument.value
        if argument is not None:
            self.report.error(argument, f"modifier '{modifier.name.text}' takes a whole number", "CAI0205")
        return None

    def _pattern(self, modifier: ty.Modifier) -> str | None:
        argument = self._argument(modifier)
        if argument is not None and not (isinstance(argument, ex.StringLiteral) and argument.value):
            self.report.error(argument, "modifier 'pattern' takes a regular expression as a text", "CAI0205")
        return argument.value if isinstance(argument, ex.StringLiteral) and argument.value and self.check_pattern(argument) else None

    def check_pattern(self, node: ex.StringLiteral) -> bool:
        """Whether a text is a regular expression; reports it otherwise."""
        try:
            portable(node.value)
        except PatternError as error:
            self.report.error(node, f"malformed pattern: {error}", "CAI0207", help_text=_PLAIN_SIGN)
            return False
        return True


def _is_default_length(node: Node) -> bool:
    """Whether a text says nothing of its length, so that ``max_length`` may."""
    node = node.item if isinstance(node, ty.OptionalType) else node
    return isinstance(node, ty.NamedType) and not node.arguments


def client_writes(field: Field) -> bool:
    """Whether clients may ever send the field; a key that nobody generates comes with the new row."""
    return not (field.generated or field.read_only)


def must_send(field: Field) -> bool:
    """Whether a client has to send the field to create a row."""
    return client_writes(field) and not field.nullable and field.default is None
