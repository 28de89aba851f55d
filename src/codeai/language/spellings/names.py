"""Names that older spellings give in another form: tables for entities, words for other words."""

from __future__ import annotations

import re
from typing import Final

from codeai.language.naming import IRREGULAR

_SINGULARS: Final = {plural: singular for singular, plural in IRREGULAR.items()}


def singular(word: str) -> str:
    """The singular of an English word, by rule: the reverse of ``naming.plural``."""
    if word in _SINGULARS:
        return _SINGULARS[word]
    if re.search(r"[^aeiou]ies$", word):
        return word[:-3] + "y"
    if re.search(r"(s|x|z|ch|sh)es$", word) and not re.search(r"([aeiou]se|[^s]che)s$", word):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def entity_of_table(table: str) -> str:
    """``order_items`` → ``OrderItem``: the singular of the table in camel case."""
    *head, last = re.split(r"[_\W]+", table.strip("_")) or [""]
    return "".join(part[:1].upper() + part[1:] for part in (*head, singular(last)))
