"""Seeded mistakes in valid programs, as authors make them, for tests of recovery."""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from codeai.language.lexer import NAME, Tokens, tokenize


@dataclass(frozen=True)
class Mutation:
    """A broken text: what was done, and the line (from 1) in which it was done."""

    kind: str
    text: str
    line: int


Change = Callable[[str, Tokens, int, random.Random], str | None]


def _drop(text: str, tokens: Tokens, at: int) -> str:
    return text[: tokens.starts[at]] + text[tokens.ends[at] :]


def _missing(kind: str) -> Change:
    def change(text: str, tokens: Tokens, at: int, choose: random.Random) -> str | None:
        return _drop(text, tokens, at) if tokens.kinds[at] == kind else None

    return change


def _misspelt(text: str, tokens: Tokens, at: int, choose: random.Random) -> str | None:
    word = tokens.texts[at]
    if tokens.kinds[at] != NAME or len(word) < 5:
        return None
    cut = choose.randrange(1, len(word) - 1)
    return text[: tokens.starts[at]] + word[:cut] + word[cut + 1 :] + text[tokens.ends[at] :]


def _value_lost(text: str, tokens: Tokens, at: int, choose: random.Random) -> str | None:
    """``key: value`` without its value."""
    simple = tokens.kinds[at] in (NAME, "string", "integer", "duration", "decimal")
    if at < 1 or tokens.kinds[at - 1] != ":" or not simple or not tokens.breaks[at + 1]:
        return None
    return _drop(text, tokens, at)


def _stray(text: str, tokens: Tokens, at: int, choose: random.Random) -> str | None:
    sign = choose.choice([")", "]", "=", ";;", "%", "~", "=>", "..", "@"])
    return f"{text[: tokens.starts[at]]}{sign} {text[tokens.starts[at] :]}"


def _doubled(text: str, tokens: Tokens, at: int, choose: random.Random) -> str | None:
    if tokens.kinds[at] not in ("{", ":", ".", "(", ")", "=="):
        return None
    return text[: tokens.ends[at]] + tokens.texts[at] + text[tokens.ends[at] :]


def _open_string(text: str, tokens: Tokens, at: int, choose: random.Random) -> str | None:
    return text[: tokens.ends[at] - 1] + text[tokens.ends[at] :] if tokens.kinds[at] == "string" else None


CHANGES: dict[str, Change] = {
    "closing brace lost": _missing("}"),
    "opening brace lost": _missing("{"),
    "closing parenthesis lost": _missing(")"),
    "closing bracket lost": _missing("]"),
    "comma lost": _missing(","),
    "operator lost": _missing("=="),
    "name misspelt": _misspelt,
    "value lost": _value_lost,
    "stray token": _stray,
    "doubled token": _doubled,
    "string not closed": _open_string,
}


def mutations(text: str, seed: int, each: int) -> Iterator[Mutation]:
    """``each`` mutations of every kind that the text has a place for."""
    choose = random.Random(seed)
    tokens = tokenize(text)
    for kind, change in CHANGES.items():
        places = list(range(len(tokens.kinds) - 1))
        choose.shuffle(places)
        found = 0
        for at in places:
            broken = change(text, tokens, at, choose)
            if broken is not None and broken != text and re.sub(r"\s", "", broken) != re.sub(r"\s", "", text):
                yield Mutation(kind, broken, text.count("\n", 0, tokens.starts[at]) + 1)
                found += 1
                if found == each:
                    break
