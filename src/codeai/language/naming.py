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


def snake_case(name: str) -> str:
    """``OrderItem`` → ``order_item``, ``HTTPLog`` → ``http_log``."""
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def plural(word: str) -> str:
    """The plural of an English word, by rule; what is plural already is left to the irregular table."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if re.search(r"(s|x|z|ch|sh)$", word):
        return word + "es"
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + "s"


def table_name(entity: str) -> str:
    """The table of an entity: its last word in the plural."""
    *head, last = snake_case(entity).split("_")
    return "_".join([*head, plural(last)])


def relation_name(field: str) -> str:
    """``customer_id`` → ``customer``, ``category`` → ``category``."""
    return field[:-3] if field.endswith("_id") and len(field) > 3 else field
