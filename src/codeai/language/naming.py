"""Table names: snake_case plurals by a fixed table of rules (language page, section 5)."""

from __future__ import annotations

import re
from typing import Final

IRREGULAR: Final = {
    "person": "people",
    "child": "children",
    "man": "men",
    "woman": "women",
    "mouse": "mice",
    "goose": "geese",
    "tooth": "teeth",
    "foot": "feet",
    "datum": "data",
    "medium": "media",
    "index": "indexes",
    "matrix": "matrices",
    "series": "series",
    "species": "species",
    "news": "news",
    "data": "data",
    "staff": "staff",
    "equipment": "equipment",
    "information": "information",
    "sheep": "sheep",
    "fish": "fish",
    "life": "lives",
    "leaf": "leaves",
    "half": "halves",
    "shelf": "shelves",
    "wife": "wives",
    "knife": "knives",
    "hero": "heroes",
    "potato": "potatoes",
    "echo": "echoes",
}

_WORD_BEGINS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """``OrderItem`` → ``order_item``, ``HTTPLog`` → ``http_log``."""
    return _WORD_BEGINS.sub("_", name).lower()


def plural(word: str) -> str:
    """The plural of an English word, by rule; what is plural already is left to the irregular table."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    if word.endswith("y") and word[-2:-1] not in ("", *"aeiou"):
        return word[:-1] + "ies"
    return word + "s"


def table_name(entity: str) -> str:
    """The table of an entity: its last word in the plural."""
    *head, last = snake_case(entity).split("_")
    return "_".join([*head, plural(last)])


def relation_name(field: str) -> str:
    """``customer_id`` → ``customer``, ``category`` → ``category``."""
    return field[:-3] if field.endswith("_id") and len(field) > 3 else field
