"""Statements of SQL that declare: ``CREATE TABLE``, ``CREATE POLICY``, ``CREATE INDEX``, ``ALTER TABLE``, and their like within an entity.

Each is one finding, with what is written here for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from codeai.language.diagnostics import Edit
from codeai.language.lexer import END, NAME
from codeai.language.spellings.names import entity_of_table

if TYPE_CHECKING:
    from codeai.language.parser.declarations import Parser
    from codeai.language.parser.entities import Entities

# What follows the first words, with what is written here; None is told by what stands behind it.
_CREATED: Final[dict[str, str | None]] = {
    **dict.fromkeys(("table", "policy", "index", "unique", "type"), None),
    **dict.fromkeys(("function", "or", "procedure"), "write 'function name(a: int) -> int { … }', or 'extern function' for one in Python"),
    "trigger": "what follows a change is an event: 'event Low { trigger: when Product.stock < 5  payload { … } }', and 'on Low { … }'",
    **dict.fromkeys(("view", "materialized"), "what is read is an endpoint: 'endpoint GET /path { returns: … do { return select … } }'"),
    **dict.fromkeys(("extension", "schema", "database", "sequence"), "leave it out: tables and what they need are made from the entities"),
}
_BEGUN: Final = {
    "alter": "what belongs to a table stands in the braces of its entity: fields, 'index: [a]', 'check: …', 'allow read: …'",
    "drop": "leave it out: what is no longer declared is dropped by a migration",
    "grant": "who may do what is said by 'allow' lines of the entity, and by roles",
    "insert": "rows for a start stand in 'seed { create Entity { … } }'",
    "comment": "what describes a declaration stands before it, behind '///'",
}
_SECOND: Final = {
    "alter": ("table", "type", "default"),
    "drop": ("table", "policy", "index", "trigger", "function", "type", "view"),
    "grant": ("select", "insert", "update", "delete", "all", "usage", "execute"),
    "insert": ("into",),
    "comment": ("on",),
}
_ACTIONS: Final = {"select": "read", "insert": "create", "update": "update", "delete": "delete", "all": "read, create, update, delete"}
_POLICY: Final = re.compile(r"\bfor\s+(select|insert|update|delete|all)\b", re.IGNORECASE)
_ON: Final = re.compile(r"\bon\s+(?:\w+\.)?\"?(\w+)", re.IGNORECASE)
_CONDITION: Final = re.compile(r"\b(?:using|with\s+check)\s*\(", re.IGNORECASE)


def declaration(parser: Parser) -> bool:
    """Steps over a statement of SQL at the beginning of a line, which it reports."""
    word, second = parser.texts[parser.i].lower(), parser.text_at(1).lower()
    created = word == "create" and second in _CREATED and parser.kind_at(2) in (NAME, "string")
    if not created and second not in _SECOND.get(word, ()):
        return False
    start, first, end = parser.start, parser.texts[parser.i : parser.i + 2], parser.ends[parser.i + 1]
    begin = parser.i
    parser.i += 2
    while not parser.at(END) and not (parser.breaks[parser.i] and _begins(parser)):
        parser.i += 1
    text = parser.file.text[start - parser.file.base : parser.previous_end - parser.file.base]
    parser.diagnostics[:] = [found for found in parser.diagnostics if not start <= found.primary.start < parser.previous_end]
    advice = (_CREATED[second] or _written(second, text)) if created else _BEGUN[word]
    parser.report(f"unknown declaration '{' '.join(first)}'", "CAI0037", start, end, help_text=advice)
    parser.leave_gap(begin, whole=True)
    return True


def _begins(parser: Parser) -> bool:
    """Whether another statement or declaration begins at the current token, at the very beginning of its line."""
    at = parser.start - parser.file.base
    if at and parser.file.text[at - 1] != "\n":
        return False
    return parser.declaration_begins() or parser.texts[parser.i].lower() in ("create", *_BEGUN)


def _written(kind: str, text: str) -> str:
    """What is written for a table, a policy, an index or a type."""
    flat = " ".join(text.split())
    if kind == "table":
        found = re.match(r"\w+ \w+ (?:if not exists )?(?:\w+\.)?\"?(\w+)", flat, re.IGNORECASE)
        name = entity_of_table(found[1]) if found else "Name"
        return f"write 'entity {name} {{ id: uuid, primary, auto … }}', with a field for each column"
    if kind == "type":
        found = re.match(r"\w+ \w+ (?:\w+\.)?(\w+) as enum \(([^)]*)\)", flat, re.IGNORECASE)
        return f"write 'enum {entity_of_table(found[1])} {{ {found[2].replace(chr(39), '')} }}'" if found else "write 'type Name { … }'"
    table = _ON.search(flat)
    entity = entity_of_table(table[1]) if table else "its entity"
    if kind == "policy":
        return f"write '{policy(flat)}' in entity {entity}"
    columns = re.search(r"\(([\w, ]+)\)", flat)
    return f"write 'index: [{columns[1] if columns else 'field'}]{' unique' * (kind == 'unique')}' in entity {entity}"


def policy(text: str) -> str:
    """The ``allow`` line for a policy of SQL."""
    action, found = _POLICY.search(text), _CONDITION.search(text)
    condition = _closed(text, found.end()) if found else "…"
    condition = re.sub(r"\(\s*select\s+(auth\.\w+\(\))\s*\)", r"\1", condition, flags=re.IGNORECASE)
    condition = re.sub(r"auth\.uid\(\)(::\w+)?", "user.id", condition)
    condition = re.sub(r"auth\.role\(\) = 'authenticated'", "user.id != null", condition)
    condition = re.sub(r"(?<![<>=!])=(?!=)", "==", condition)
    return f"allow {_ACTIONS[action[1].lower()] if action else _ACTIONS['all']}: {'public' if condition == 'true' else condition}"


def _closed(text: str, at: int) -> str:
    """What stands up to the parenthesis that closes the one before a place."""
    depth, end = 1, at
    while depth and end < len(text):
        depth += (text[end] == "(") - (text[end] == ")")
        end += 1
    return text[at : end - (depth == 0)].strip()


def of_entity(parser: Entities) -> bool:
    """``policy "name" for select using (…)``, ``create index on …``, ``enable row level security`` within an entity, which it reports."""
    words = [parser.text_at(ahead).lower() for ahead in range(3)]
    named = words[0] == "policy" and parser.kind_at(1) in ("string", NAME) and words[2] in ("for", "on", "as")
    created = words[0] == "create" and words[1] in ("policy", "index", "unique") and parser.kind_at(2) in (NAME, "string")
    secured = words == ["enable", "row", "level"]
    if not named and not created and not secured:
        return False
    start, begin = parser.start, parser.i
    parser.i += 1
    while not parser.at(END) and not parser.breaks[parser.i]:
        parser.i += 1
    end = parser.previous_end
    parser.diagnostics[:] = [found for found in parser.diagnostics if not start <= found.primary.start < end]
    text = " ".join(parser.file.text[start - parser.file.base : end - parser.file.base].split())
    shown = " ".join(parser.texts[begin : begin + 2]) if created else parser.texts[begin]
    if secured:
        advice, meant = "leave it out: with one 'allow' line, all that no line allows is denied", ""
    elif named or words[1] == "policy":
        meant = policy(text)
        advice = f"write '{meant}'"
    else:
        advice = _written(words[1], text).partition(" in entity")[0]
        meant = advice.partition("'")[2].removesuffix("'")
    edits = (Edit(start, end, meant),)
    parser.report(f"unknown clause '{shown}'", "CAI0037", start, end, help_text=advice, edits=edits)
    return True
