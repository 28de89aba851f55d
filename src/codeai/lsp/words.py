"""What the words of the language mean, in a line each (``words.toml``)."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files


@cache
def words() -> dict[str, dict[str, str]]:
    """The lines, by what the word is (``declaration``, ``clause``, ``modifier`` …) and the word."""
    return tomllib.loads((files(__package__) / "words.toml").read_text(encoding="utf-8"))


def meaning(kind: str, word: str) -> str:
    """The line of a word; empty where there is none."""
    return words().get(kind, {}).get(word, "")
