"""Types, fields and their modifiers."""

from __future__ import annotations

from typing import Final

from codeai.language.diagnostics import Edit
from codeai.language.lexer import INTEGER, NAME, STRING, is_name
from codeai.language.parser import foreign_annotations, foreign_columns, foreign_fields, foreign_types, slips
from codeai.language.parser.expressions import Expressions
from codeai.language.parser.reporting import ParseFailure
from codeai.language.spellings import data, descriptions
from codeai.language.spellings.words import TYPES
from codeai.language.tree import expressions as ex
from codeai.language.tree import types as ty
from codeai.language.tree.declarations import FieldDeclaration
from codeai.language.tree.node import Identifier, Node, Reference

MODIFIERS: Final = (
    "primary",
    "auto",
    "auto_update",
    "required",
    "optional",
    "unique",
    "searchable",
    "default",
    "soft_delete",
    "min",
    "max",
    "min_length",
    "max_length",
    "length",
    "pattern",
    "read_only",
    "write_only",
    "immutable",
    "secret",
    "on_delete",
    "rename_from",
)
SHAPES: Final = ("pick", "omit", "partial", "create", "update")


class Types(Expressions):
    """Parses types and fields."""

    def type_expression(self) -> ty.TypeExpression:
        """A type with its arguments, ``?`` and shapes."""
        self.nesting += 1
        if self.nesting > 100:
            self.fail("nesting is too deep", "CAI0012", self.start, self.ends[self.i], help_text="declare a part as a type of its own")
        found = foreign_types.at_beginning(self) or self.plain_type()
        while self.at("?") and not self.breaks[self.i]:
            self.i += 1
            found = ty.OptionalType(found.start, self.previous_end, found)
        if self.kinds[self.i] in ("[", "|", "!", NAME):
            found = foreign_types.behind(self, found)
        self.nesting -= 1
        return found

    def plain_type(self) -> ty.TypeExpression:
        """A type with nothing behind it."""
        start = self.start
        if self.at("{"):
            self.i += 1
            fields = self.items(self.field_item)
            return ty.RecordType(start, self.previous_end, fields)
        slips.doubled(self, ("(",))
        name = self.identifier("a type")
        if name.text in TYPES and not self.outline_has_type(name.text):
            self.older(name.start, name.end, TYPES[name.text], edits=(Edit(name.start, name.end, TYPES[name.text]),))
            name = Identifier(name.start, name.end, TYPES[name.text])
        elif name.text == "embedded" and self.at("{"):
            self.older(name.start, name.end, "{ … }")
            return self.plain_type()
        if self.at(".") and self.text_at(1) in SHAPES:
            return self._shape(name)
        if self.at("(") and not self.breaks[self.i]:
            arguments = self._type_arguments(name.text)
            return ty.NamedType(start, self.previous_end, name, arguments)
        if self.kinds[self.i] in ("[", "<", "{", NAME) and (foreign := foreign_types.with_arguments(self, name)) is not None:
            return foreign
        if self.at("[") and self.kind_at(1) == INTEGER:
            self.fail_expected("'('")
        return ty.NamedType(start, name.end, name)

    def outline_has_type(self, name: str) -> bool:
        """Whether the program declares a type that has the name of an alias."""
        return name == "Empty" and self.outline.declares("type", name)

    def _shape(self, entity: Identifier) -> ty.TypeExpression:
        self.i += 1
        shape = self.identifier()
        names: list[Identifier] = []
        if self.take("("):
            while not self.take(")"):
                names.append(self.identifier())
                if not self.take(",") and not self.at(")"):
                    self.fail_expected("')'", among=("','", "')'"))
        return ty.ShapeType(entity.start, self.previous_end, entity, shape, tuple(names))

    def _type_arguments(self, name: str) -> tuple[Node, ...]:
        self.i += 1
        self.depth += 1
        found: list[Node] = []
        while not self.at(")"):
            found.append(self.type_argument(name))
            if not self.take(",") and not (name == "enum" and foreign_types.bar(self)):
                break
        self.depth -= 1
        self.expect(")", "')'", "','")
        return tuple(found)

    def type_argument(self, name: str) -> Node:
        """What a type that takes arguments is given.

        :param name: of the type
        """
        if name in ("list", "array", "map", "paginated", "?"):
            return self.type_expression()
        if name in ("ref", "many", "enum"):
            if self.kinds[self.i] == STRING:
                return self._quoted_argument(name)
            parts = [self.identifier()]
            while self.take("."):
                parts.append(self.identifier())
            return Reference(parts[0].start, parts[-1].end, tuple(parts))
        return self.expression()

    def _quoted_argument(self, name: str) -> Reference:
        """A member of an enum that is no name keeps its quotes; what refers to something is an older spelling."""
        start, end = self.start, self.ends[self.i]
        if name == "enum":
            parts: tuple[Identifier, ...] = (Identifier(start, end, self.text_literal()),)
            if not is_name(parts[0].text):
                return Reference(start, end, parts, quoted=True)
        else:
            parts = self.quoted_names("an entity")
        self.older(start, end, ".".join(part.text for part in parts))
        return Reference(start, end, parts)

    def field_item(self) -> FieldDeclaration | tuple[FieldDeclaration, ...]:
        """A field of a list of fields, in which a description may stand."""
        return () if descriptions.taken(self) else self.field()

    def field(self) -> FieldDeclaration:
        """``name: type, modifiers`` or ``name: type = computed``."""
        description = self.tokens.docs.get(self.i, "")
        slips.doubled_field(self)
        name = self._field_name()
        self.take(":")
        if self.at("[") and name.text in ("index", "unique"):  # a clause, where fields are described
            self.fail_expected("a type")
        type_ = self._field_type()
        modifiers: list[ty.Modifier] = []
        computed: ex.Expression | None = None
        while True:
            if self.kinds[self.i] in ("@", ",") and (foreign := foreign_fields.modifier(self, MODIFIERS)) is not None:
                modifiers.append(foreign)
                continue
            if self.at("@") and (annotated := foreign_annotations.behind(self, type_)) is not None:
                type_, said = annotated
                modifiers += [said] if said is not None else []
                continue
            if self.kinds[self.i] == STRING and foreign_fields.tagged(self):
                continue
            if foreign_columns.begins(self):
                type_ = foreign_columns.described(self, type_, modifiers)
                continue
            if data.begins_modifier(self, self.at(",")):
                self.take(",")
                type_, modifier = data.modifier(self, type_)
                modifiers += [modifier] if modifier is not None else []
                continue
            if self.take("="):
                computed = self.expression()
                if self.at(",") and self.text_at(1) in MODIFIERS and self._modifier_at(1):
                    modifiers.append(foreign_fields.assigned(self, type_.end, computed))
                    computed = None
                    continue
                break
            if self.at(",") and self.kind_at(1) == "," and self.text_at(2) in MODIFIERS and self._modifier_at(2):
                self.i += 1
                self.report("expected a modifier, got ','", "CAI0010", self.start, self.ends[self.i], expected=("a modifier",))
            if self.at(",") and self._modifier_at(1):
                self.i += 1
            elif not self._modifier_at(0) or self.breaks[self.i]:
                break
            modifiers.append(self.modifier())
        if name.text == "updated_at":
            modifiers = data.kept_current(self, modifiers, type_)
        return FieldDeclaration(name.start, self.previous_end, name, type_, tuple(modifiers), computed, description)

    def _field_type(self) -> ty.TypeExpression:
        """The type of a field; behind a broken one its modifiers are no fields."""
        try:
            follows = self.kind_at(1) == NAME and not self.breaks_at(1) and self.text_at(1) not in MODIFIERS
            if self.at(",") and follows and self.kind_at(2) != ":":
                self.report("expected a type, got ','", "CAI0010", self.start, self.ends[self.i], expected=("a type",))
                self.i += 1
            return self.type_expression()
        except ParseFailure:
            while self.at(",") and self._modifier_at(1) and self.text_at(1) in MODIFIERS:
                self.i += 2
                if self.at("("):
                    self.skip_balanced()
            raise

    def _field_name(self) -> Identifier:
        if self.at("@"):
            foreign_annotations.before(self)
        foreign_fields.association(self)
        name = self.new_name()
        text, end = name.text, name.end
        while self.at("-") and self.kind_at(1) == NAME and self.start == end:
            self.i += 1
            part = self.identifier()
            text, end = f"{text}-{part.text}", part.end
        return Identifier(name.start, end, text)

    def _modifier_at(self, ahead: int) -> bool:
        """Whether a modifier stands there: a name that is not itself a field (``name:`` or ``name type``)."""
        if self.kind_at(ahead) != NAME:
            return False
        following = self.kind_at(ahead + 1)
        if following == ":" and self.breaks_at(ahead + 1) and self.text_at(ahead) in MODIFIERS:
            return True  # and a field without its name
        if following == ":" or (following == "-" and self.kind_at(ahead + 2) == NAME):  # 'name:', 'X-Name:'
            return False
        if following == NAME and not self.breaks_at(ahead + 1):
            return self.text_at(ahead) in MODIFIERS
        return not (following in ("(", "{") and self.text_at(ahead) in ("index", "unique_index", "indexes"))

    def at_modifier(self) -> bool:
        """Whether the current token is a modifier of a field."""
        return self.texts[self.i] in MODIFIERS and self._modifier_at(0)

    def modifier(self) -> ty.Modifier:
        """A modifier of a field with its arguments."""
        slips.doubled(self, ("(",))
        name = self.identifier()
        if name.text in foreign_fields.ON_DELETE:
            return foreign_fields.deletion(self, name)
        if name.text not in MODIFIERS:
            self.unknown("modifier", name, MODIFIERS, "CAI0015", older=data.MODIFIERS)
        arguments: list[ex.Expression] = []
        if self.at("(") and not self.breaks[self.i]:
            self.i += 1
            self.depth += 1
            while not self.at(")"):
                arguments.append(self._modifier_argument(name.text))
                if not self.take(","):
                    break
            self.depth -= 1
            self.expect(")", "')'", "','")
        return ty.Modifier(name.start, self.previous_end, name, tuple(arguments))

    def _modifier_argument(self, modifier: str) -> ex.Expression:
        if modifier == "pattern" and self.kinds[self.i] in ("string", "raw"):
            start = self.start
            return ex.StringLiteral(start, self.ends[self.i], self.text_literal(pattern=True))
        return self.expression()
