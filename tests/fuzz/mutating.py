"""Programs with changes of whole tokens, which a fuzzer that goes by bytes seldom hits upon: each is odd, and many of them parse.

A token is exchanged, left out, doubled or swapped with its neighbour; the space before it becomes a line end or a comment; a stretch
of another program takes its place. This reaches what texts mean in older spellings, and where one item ends and the next begins.
"""

import random
from functools import cache

from codeai.language.lexer import tokenize
from fuzz.seeds import seeds

ODD = [
    *('""', '"a b"', '"1x"', '"a.b"', '"é"', '"*/"', '"//"', '"{x}"', r'"\{x}"', r'"a\"b"', '"if"', '"a.b.c"', '"a-b"', "'a'", r'"\n"'),
    *('"steps.a.b"', '"$A"', '"Bearer $A"', '"a,b"', '"5m"', '"0 6 * * *"', '"x = 1"', '"""a"b"""', '".a"', '"a."', '"-1"', '"null"'),
    *("x", "5", "null", "1.5", "5m", "[a]", "{ }", "-1", "not a", "a.b", "a ?? b", "(a)", "first", "create", "if", "where", "(where)"),
]
EXCHANGED = ("name", "string", "raw", "integer", "duration")
GAPS = (" ", "", "\n", " /*c*/ ", " // c\n", "\n\n", "; ", ", ")
LONGEST = 200  # tokens of a program that is changed

Token = tuple[str, str, str]  # kind, text, what stands before it


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text, which together are the text."""
    tokens = tokenize(text)
    ends = [0, *tokens.ends]
    return [
        (kind, text[start:end], text[ends[at] : start])
        for at, (kind, start, end) in enumerate(zip(tokens.kinds, tokens.starts, tokens.ends, strict=True))
    ]


@cache
def programs() -> tuple[list[Token], ...]:
    """The pieces of program that the fuzzer begins with."""
    return tuple(found for found in (tokens_of(seed.decode()) for seed in seeds("program")) if len(found) <= LONGEST)


def mutated(tokens: list[Token], choose: random.Random) -> str:
    """The text of some tokens with up to three changes."""
    tokens = list(tokens)
    for _ in range(choose.choice((1, 1, 1, 2, 3))):
        if tokens:
            _change(tokens, choose)
    return "".join(before + text for _, text, before in tokens)


def _change(tokens: list[Token], choose: random.Random) -> None:
    at = choose.randrange(len(tokens))
    kind, text, before = tokens[at]
    luck = choose.random()
    if luck < 0.45:
        places = [place for place, token in enumerate(tokens) if token[0] in EXCHANGED]
        if places:
            at = choose.choice(places)
            tokens[at] = (tokens[at][0], choose.choice(ODD) if choose.random() < 0.7 else _any(choose)[1], tokens[at][2])
    elif luck < 0.55:
        del tokens[at]
    elif luck < 0.65:
        tokens.insert(at, ("", _any(choose)[1], choose.choice(GAPS[:3])))
    elif luck < 0.75 and at + 1 < len(tokens):
        following = tokens[at + 1]
        tokens[at : at + 2] = [(following[0], following[1], before), (kind, text, following[2])]
    elif luck < 0.85:
        tokens[at] = (kind, text, choose.choice(GAPS))
    else:
        other = choose.choice(programs())
        begin = choose.randrange(len(other))
        tokens[at : at + choose.randrange(3)] = other[begin : begin + choose.randrange(1, 9)]


def _any(choose: random.Random) -> Token:
    return choose.choice(choose.choice(programs()))
