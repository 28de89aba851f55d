"""What a program declares, read off its tokens before they are parsed.

Some older spellings mean what is declared elsewhere: ``CreateUser`` is derived from an entity ``User`` if there is one. The
outline answers such questions without a tree, is made only when one is asked, and never reports anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from codeai.language.lexer import END, NAME, STRING, Tokens
from codeai.language.naming import table_name
from codeai.language.spellings.names import entity_of_table

_FLAGS: Final = frozenset(
    (
        *("primary", "auto", "auto_update", "required", "optional", "unique", "searchable", "default", "soft_delete", "secret"),
        *("primary_key", "not_null", "nullable", "references", "read_only", "write_only", "immutable", "on_delete", "desc", "asc"),
    )
)
_PLAIN: Final = ("type", "enum", "workflow", "job", "webhook", "middleware", "integration", "auth", "role", "function")


class EntityOutline(msgspec.Struct):
    """The fields of an entity with the first word of their types; a reference has the entity it leads to."""

    fields: dict[str, str] = {}
    references: dict[str, str] = {}
    primary: str = "id"
    policies: bool = False
    soft: str = ""


class Outline(msgspec.Struct):
    """Declared names, by kind."""

    entities: dict[str, EntityOutline] = {}
    tables: dict[str, str] = {}
    events: dict[str, tuple[str, ...]] = {}
    names: dict[str, set[str]] = {}
    permissions: set[str] = set()
    settings: set[str] = set()

    def declares(self, kind: str, name: str) -> bool:
        """Whether the program has a declaration of that keyword and name."""
        return name in self.names.get(kind, ())

    def entity_of(self, table: str) -> str:
        """The entity that a table holds: a declared one, else by its name."""
        return self.tables.get(table) or (table if table in self.entities else entity_of_table(table))


def merged(outlines: Iterable[Outline]) -> Outline:
    """One outline of all files of a program."""
    found = Outline()
    for outline in outlines:
        found.entities |= outline.entities
        found.tables |= outline.tables
        found.events |= outline.events
        found.permissions |= outline.permissions
        found.settings |= outline.settings
        for kind, names in outline.names.items():
            found.names.setdefault(kind, set()).update(names)
    return found


def outline_of(tokens: Tokens) -> Outline:
    """Reads the tokens of one file."""
    reader = _Reader(tokens)
    reader.declarations(0, len(tokens.kinds))
    return reader.found


def event_key(name: str) -> str:
    """Event names without their case style: ``OrderPlaced``, ``order_placed`` and ``order.placed`` are one."""
    return name.replace(".", "").replace("_", "").lower()


_BEGINNING = frozenset(("entity", "model", "type", "enum", "endpoint", "resource", "event", "role", "integration", "workflow", "job"))


class _Reader:
    def __init__(self, tokens: Tokens) -> None:
        self.kinds, self.texts, self.breaks = tokens.kinds, tokens.texts, tokens.breaks
        self.found = Outline()

    def declarations(self, at: int, stop: int) -> None:
        """Declarations between two tokens; their insides are stepped over."""
        while at < stop and self.kinds[at] != END:
            if self.kinds[at] == NAME:
                self._declaration(at, stop)
            at = self._behind(at)

    def _behind(self, at: int) -> int:
        """The index behind a token, with all that it brackets."""
        depth = round_ = 0
        while True:
            kind = self.kinds[at]
            if kind == END or (round_ > 0 and self._begins(at)):
                return at
            round_ += (kind in ("(", "[")) - (kind in (")", "]"))
            depth += (kind in ("{", "(", "[")) - (kind in ("}", ")", "]"))
            at += 1
            if depth <= 0:
                return at

    def _begins(self, at: int) -> bool:
        """Whether a declaration begins at a token, before which parentheses that are open will not be closed."""
        return self.breaks[at] and self.texts[at] in _BEGINNING and self.kinds[at + 1] == NAME

    def _block(self, at: int) -> tuple[int, int] | None:
        """The tokens between the next braces, when they open before the line ends."""
        while self.kinds[at] not in ("{", END, "}") and not self.breaks[at + 1]:
            at += 1
        return (at + 1, self._behind(at) - 1) if self.kinds[at] == "{" else None

    def _declaration(self, at: int, stop: int) -> None:
        word, name = self.texts[at], self.texts[at + 1].strip("\"'")
        block = self._block(at) if word in ("entity", "model", "collection", "database", "config", "event", "role", "integration") else None
        if word in _PLAIN and self.kinds[at + 1] == NAME:
            self.found.names.setdefault(word, set()).add(name)
        if block is None:
            return
        if word in ("entity", "model", "collection"):
            self._entity(name if name[:1].isupper() else entity_of_table(name), *block, table=None if name[:1].isupper() else name)
        elif word == "database":
            self._database(*block)
        elif word == "config":
            self._settings(*block, ())
        elif word == "event":
            self._event(at + 1, *block)
        elif word == "role":
            self._permissions(*block)
        elif word == "integration":
            self._operations(name, *block)

    def _database(self, at: int, stop: int) -> None:
        while at < stop:
            if self.kinds[at] == NAME and self.kinds[at + 1] == "{":
                name = self.texts[at]
                self._entity(entity_of_table(name), at + 2, self._behind(at + 1) - 1, table=name)
                at = self._behind(at + 1)
            else:
                if self.kinds[at] == NAME:
                    self._declaration(at, stop)
                at = self._behind(at)

    def _entity(self, name: str, at: int, stop: int, *, table: str | None = None) -> None:
        entity = EntityOutline(fields={}, references={})
        field = ""
        while at < stop:
            word = self.texts[at]
            if self.kinds[at] == NAME and self._begins_field(at):
                typed = at + 2 if self.kinds[at + 1] == ":" else at + 1
                if word == "allow" and self.kinds[at + 1] == NAME:
                    entity.policies = True
                elif word == "table" and self.kinds[typed] == STRING:
                    table = self.texts[typed][1:-1]
                else:
                    field = word
                    entity.fields[field] = self.texts[typed]
                    if self.texts[typed] == "ref" and self.kinds[typed + 1] == "(":
                        entity.references[field] = self.texts[typed + 2]
                at = self._behind(typed)
                continue
            if field and word in ("primary", "primary_key"):
                entity.primary = field
            elif field and word == "soft_delete":
                entity.soft = field
            elif field and word == "references" and self.kinds[at + 1] == STRING:
                entity.references[field] = entity_of_table(self.texts[at + 1][1:-1].split("(")[0])
            at = self._behind(at)
        if "deleted_at" in entity.fields and table is not None:
            entity.soft = "deleted_at"
        self.found.entities[name] = entity
        self.found.tables[table or table_name(name)] = name

    def _begins_field(self, at: int) -> bool:
        following = self.kinds[at + 1]
        return following == ":" or (following == NAME and not self.breaks[at + 1] and self.texts[at] not in _FLAGS)

    def _settings(self, at: int, stop: int, path: tuple[str, ...]) -> None:
        while at < stop:
            if self.kinds[at] == NAME and (self.kinds[at + 1] in (":", "{") or self.breaks[at] or self.kinds[at - 1] == "{"):
                here = (*path, self.texts[at])
                self.found.settings.add(".".join(here))
                inner = at + 1
                while self.kinds[inner] not in ("{", "}", END) and not self.breaks[inner]:
                    inner = self._behind(inner)
                if self.kinds[inner] == "{":
                    self._settings(inner + 1, self._behind(inner) - 1, here)
                    at = self._behind(inner)
                    continue
            at = self._behind(at)

    def _event(self, at: int, begin: int, stop: int) -> None:
        name = "".join(self.texts[at : begin - 1]).strip("\"'")
        fields: list[str] = []
        for i in range(begin, stop):
            if self.texts[i] in ("payload", "schema") and self.kinds[i] == NAME and self.kinds[i + 1] == "{":
                inner = _Reader.__new__(_Reader)
                inner.kinds, inner.texts, inner.breaks, inner.found = self.kinds, self.texts, self.breaks, Outline(entities={}, tables={})
                inner._entity("payload", i + 2, self._behind(i + 1) - 1)
                fields = list(inner.found.entities["payload"].fields)
                break
        self.found.events[event_key(name)] = tuple(fields)
        self.found.names.setdefault("event", set()).add(name)

    def _operations(self, integration: str, at: int, stop: int) -> None:
        for i in range(at, stop):
            if self.texts[i] == "operation" and self.kinds[i + 1] == NAME and self.kinds[i + 2] == "{":
                self.found.names.setdefault("operation", set()).add(f"{integration}.{self.texts[i + 1]}")

    def _permissions(self, at: int, stop: int) -> None:
        for i in range(at, stop):
            if self.texts[i] == "permissions":
                end = self._behind(i + 1 if self.kinds[i + 1] != ":" else i + 2)
                for j in range(i + 1, end):
                    if self.kinds[j] in (NAME, STRING):
                        self.found.permissions.add(self.texts[j].strip("\"'"))
