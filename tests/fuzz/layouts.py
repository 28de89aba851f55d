"""Programs that are laid out oddly: lines torn and joined, comments between all tokens, tabs, names of any length, deep nesting.

Most of it says what the program said before, so that nearly all of these programs are printed, unlike those of ``mutating``.
"""

import random

from fuzz.mutating import Token

COMMENTS = (
    "/* {} */",
    "/* {}\n * more */",
    "// {}\n",
    "\n// {}\n",
    "/// {}\n",
    "\n/// {}\n",
    "# {}\n",
    "\n\n// {}\n\n",
    "/** {} */",
    "//{}\n",
)
SPACES = ("\t", "  ", " \t ", "\n", "\n\n\n", "\r", "\n\t\t", "\f")
WORDS = ("é", "名前", "😀", "a\u0301", "\u200f", "ß", "{{", "\\n", "\\u00e9", "x" * 90, " ", "//", "/*", "*/", "#")
NESTED = (
    ("(", ")"),
    ("[", "]"),
    ("-", ""),
    ("not ", ""),
    ("a(", ")"),
    ("{ a: ", " }"),
    ("if a then b else ", ""),
    ("(x => ", ")"),
    ("a.b[", "]"),
)
JOINED = (" + ", " and ", " or ", " ?? ", " == ", " in ", ".b.", " contains ", ", ")


def laid_out(tokens: list[Token], choose: random.Random) -> str:
    """The text of some tokens, laid out anew."""
    change = choose.choice((_lines, _comments, _spaces, _long, _deep))
    return change(tokens, choose)


def _text(tokens: list[Token]) -> str:
    return "".join(before + text for _, text, before in tokens)


def _lines(tokens: list[Token], choose: random.Random) -> str:
    """Lines left out, doubled, joined, torn behind any token, set apart."""
    lines = _text(tokens).split("\n")
    for _ in range(choose.choice((1, 1, 2, 5))):
        at = choose.randrange(len(lines))
        luck = choose.randrange(6)
        if luck == 0 and len(lines) > 1:
            del lines[at]
        elif luck == 1:
            lines.insert(at, lines[at])
        elif luck == 2 and at + 1 < len(lines):
            lines[at : at + 2] = [lines[at] + choose.choice((" ", "", "; ", ", ")) + lines[at + 1].lstrip()]
        elif luck == 3:
            lines.insert(at, choose.choice(("", "   ", "\t")))
        elif luck == 4:
            words = lines[at].split(" ")
            cut = choose.randrange(len(words))
            lines[at : at + 1] = [" ".join(words[:cut]), " ".join(words[cut:])]
        else:
            other = choose.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
    return choose.choice(("\n", "\n", "\r\n", "\n\n")).join(lines)


def _comments(tokens: list[Token], choose: random.Random) -> str:
    """Comments at some or all places between tokens; none within a path, whose part it would be."""
    share = choose.choice((0.05, 0.2, 1.0))
    kinds = choose.choice((COMMENTS, ("/* {} */",), (choose.choice(COMMENTS),)))
    found: list[str] = []
    for number, (kind, text, before) in enumerate(tokens):
        apart = kind != "/" and (before or number == 0 or kind in ("{", "}", "(", ")", "[", "]", ",", ":"))
        comment = choose.choice(kinds).format(f"mark{number}") if apart and choose.random() < share else ""
        found += [before, comment, text]
    return "".join(found)


def _spaces(tokens: list[Token], choose: random.Random) -> str:
    share = choose.choice((0.05, 0.3, 1.0))
    kinds = choose.choice((SPACES, SPACES[:3], (choose.choice(SPACES),)))
    return "".join((choose.choice(kinds) if before and choose.random() < share else before) + text for _, text, before in tokens)


def _long(tokens: list[Token], choose: random.Random) -> str:
    """One name or string everywhere of another length, or of other letters."""
    places = [text for kind, text, _ in tokens if kind in ("name", "string") and len(text) > 1]
    if not places:
        return _text(tokens)
    old = choose.choice(places)
    if old[0] in "\"'":
        new = old[0] + "".join(choose.choices(WORDS, k=choose.randrange(1, 5))) + old[-1]
    else:
        new = old + "_" + choose.choice("abc") * choose.choice((10, 40, 70, 100, 130))
    return "".join(before + (new if text == old else text) for _, text, before in tokens)


def _deep(tokens: list[Token], choose: random.Random) -> str:
    """A value in many brackets, or with many others."""
    tokens = list(tokens)
    places = [at for at, (kind, _, _) in enumerate(tokens) if kind in ("name", "string", "integer", "decimal", "duration")]
    if not places:
        return _text(tokens)
    at = choose.choice(places)
    kind, text, before = tokens[at]
    for _ in range(choose.choice((1, 2, 5, 20))):
        if choose.random() < 0.5:
            opening, closing = choose.choice(NESTED)
            text = f"{opening}{text}{closing}"
        else:
            text = f"{text}{choose.choice(JOINED)}{choose.choice(places) if choose.random() < 0.3 else tokens[choose.choice(places)][1]}"
        if len(text) > 600:
            break
    tokens[at] = (kind, text, before)
    return _text(tokens)
