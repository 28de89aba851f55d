"""How often one mistake is one finding: ``python benchmarks/recovery.py [MISTAKES [SEED]]`` (4,000 by default).

One token of a valid program (the examples, the programs of newcomers, the valid corpus) is left out, doubled, exchanged with the next
one of its line or misspelt, and the program is checked as ``codeai validate`` does. Findings are errors, and warnings that the valid
program does not have. A table by what was done to what; ``-v`` shows each mistake that had several findings.
"""

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from codeai.language.diagnostics import Diagnostic, Severity
from codeai.language.lexer import NAME, Tokens, tokenize
from codeai.language.rendering.concise import concise
from codeai.server.loading import Loaded, load_source

ROOT: Final = Path(__file__).parents[1]
MISTAKES: Final = 4_000
_BEGINNING: Final = re.compile(r"^[A-Za-z@]", re.MULTILINE)
_QUOTED: Final = ("string", "raw")
_BRACKETS: Final = ("{", "}", "(", ")", "[", "]")


class Mistake(NamedTuple):
    """A broken text: what was done to what kind of token, and where (from 0)."""

    kind: str
    program: str
    text: str
    at: int


@cache
def texts() -> dict[str, str]:
    """Valid programs; those of several files as the one that they could be."""
    folders = sorted(ROOT.glob("examples/*/"))
    found = {folder.name: "\n".join(file.read_text() for file in sorted(folder.glob("*.cai"))) for folder in folders}
    files = [*sorted(ROOT.glob("tests/system/newcomers/*.cai")), *sorted(ROOT.glob("tests/corpus/valid/*.cai"))]
    found |= {f"{file.parent.name}/{file.stem}": file.read_text() for file in files}
    return {name: text for name, text in found.items() if load_source(text.encode()).valid}


@cache
def _warned(name: str) -> Counter[tuple[str, str]]:
    return Counter((found.code, found.message) for found in load_source(texts()[name].encode()).diagnostics if _weighs(found))


def _weighs(found: Diagnostic) -> bool:
    return found.severity in (Severity.ERROR, Severity.WARNING)


@cache
def _tokens(name: str) -> Tokens:
    return tokenize(texts()[name])


def mistakes(count: int, seed: int) -> Iterator[Mistake]:
    """So many single mistakes, the same ones for the same seed."""
    choose = random.Random(seed)
    names = sorted(texts())
    while count:
        name = choose.choice(names)
        made = _mistake(name, choose)
        if made is not None and made.text != texts()[name]:
            count -= 1
            yield made


def _mistake(name: str, choose: random.Random) -> Mistake | None:
    text, tokens = texts()[name], _tokens(name)
    at = choose.randrange(len(tokens.kinds) - 2)
    start, end, kind, word = tokens.starts[at], tokens.ends[at], tokens.kinds[at], text[tokens.starts[at] : tokens.ends[at]]
    what = kind if kind in (NAME, *_BRACKETS, "=", ":", ",", ".") else "text" if kind in _QUOTED else "other"
    done = choose.choice(("lost", "doubled", "exchanged", "misspelt"))
    if done == "lost":
        return Mistake(f"{what} lost", name, text[:start] + text[end:], start)
    if done == "doubled":
        gap = " " if kind in (NAME, *_QUOTED) or what == "other" else ""
        return Mistake(f"{what} doubled", name, f"{text[:end]}{gap}{word}{text[end:]}", start)
    if done == "exchanged":
        if tokens.breaks[at + 1]:
            return None
        first, last = tokens.starts[at + 1], tokens.ends[at + 1]
        front = " " * (text[start - 1 : start].isalnum() and text[first].isalnum())  # tokens change places, and stay what they are
        word += " " * (text[last : last + 1].isalnum() and word[-1].isalnum())
        return Mistake(f"{what} exchanged", name, f"{text[:start]}{front}{text[first:last]}{text[end:first]}{word}{text[last:]}", start)
    if kind in _QUOTED:
        return Mistake("quote lost", name, text[: end - 1] + text[end:], start)
    if kind != NAME or len(word) < 4:
        return None
    return Mistake("name misspelt", name, text[:start] + _misspelt(word, choose) + text[end:], start)


def _misspelt(word: str, choose: random.Random) -> str:
    cut = choose.randrange(1, len(word) - 1)
    luck = choose.randrange(3)
    if luck == 0:
        return word[:cut] + word[cut + 1 :]
    if luck == 1:
        return word[:cut] + word[cut] + word[cut:]
    return word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]


def findings(mistake: Mistake) -> tuple[Loaded, list[Diagnostic]]:
    """The errors and new warnings of a broken program, in the order of the text."""
    program = load_source(mistake.text.encode())
    known = Counter(_warned(mistake.program))
    found = []
    for one in sorted(program.diagnostics, key=lambda one: one.primary.start):
        if not _weighs(one):
            continue
        same = (one.code, one.message)
        if known[same]:
            known[same] -= 1
        else:
            found.append(one)
    return program, found


def pairs(count: int, seed: int, *, within: bool = False) -> tuple[int, int]:
    """How many pairs of mistakes in one program are both told, and how many there are: that one mistake is one finding must not hide
    another one. Each of them alone is told where it is.

    :param within: whether both are in one declaration, on lines of their own, rather than in two
    """
    choose = random.Random(seed)
    names = sorted(texts())
    both = all_ = 0
    while all_ < count:
        name = choose.choice(names)
        one, other = sorted((_made(name, choose) for _ in range(2)), key=lambda mistake: mistake.at)
        text = texts()[name]
        border = text.rfind("\n", 0, other.at) + 1
        if one.at >= border or within == _apart(text, one.at, other.at):
            continue
        told = [_told(mistake, within=within) for mistake in (one, other)]
        if not all(told):
            continue
        shift = len(one.text) - len(text)
        joined = Mistake("pair", name, one.text[: border + shift] + other.text[border:], one.at)
        places = _places(joined)
        all_ += 1
        if within:
            lines = one.text.count("\n") - text.count("\n")
            both += bool(told[0] & places) and bool({line + lines for line in told[1]} & places)
        else:
            homes = {_home(joined.text, place) for place in _offsets(joined)}
            both += {_home(joined.text, one.at), _home(joined.text, other.at + shift)} <= homes
    return both, all_


def _made(name: str, choose: random.Random) -> Mistake:
    """Some mistake in a program."""
    while True:
        made = _mistake(name, choose)
        if made is not None and made.text != texts()[name]:
            return made


def _home(text: str, at: int) -> int:
    """The line at which the declaration around a place begins."""
    return max((match.start() for match in _BEGINNING.finditer(text, 0, at + 1)), default=0)


def _apart(text: str, one: int, other: int) -> bool:
    return _home(text, one) != _home(text, other)


def _offsets(mistake: Mistake) -> list[int]:
    """Where findings and the other places of theirs are."""
    return [span.start for found in findings(mistake)[1] for span in (found.primary, *found.secondary) if span.label in ("", "and here")]


def _places(mistake: Mistake) -> set[int]:
    """The lines of the same."""
    return {mistake.text.count("\n", 0, at) for at in _offsets(mistake)}


def _told(mistake: Mistake, *, within: bool) -> set[int]:
    """The lines where a mistake is told; none where that is another declaration, or far away in its own one."""
    offsets, line = _offsets(mistake), mistake.text.count("\n", 0, mistake.at)
    if {_home(mistake.text, at) for at in offsets} != {_home(mistake.text, mistake.at)}:
        return set()
    lines = _places(mistake)
    return lines if not within or lines <= {line - 1, line, line + 1} else set()


def _shown(mistake: Mistake, program: Loaded, found: list[Diagnostic]) -> str:
    line = mistake.text.count("\n", 0, mistake.at)
    head = f"--- {mistake.kind} in {mistake.program}, line {line + 1}: {mistake.text.splitlines()[line].strip()}"
    return "\n".join([head, *(f"    {one.code} {concise(one, program.sources)}" for one in found)])


def counted(made: Iterator[Mistake]) -> tuple[int, int]:
    """How many of some mistakes have several findings, and how many have any."""
    numbers = [len(findings(mistake)[1]) for mistake in made]
    return sum(number > 1 for number in numbers), sum(number > 0 for number in numbers)


def main(count: int, seed: int, *, verbose: bool) -> None:
    """Prints the table."""
    told: Counter[str] = Counter()
    several: Counter[str] = Counter()
    for mistake in mistakes(count, seed):
        program, found = findings(mistake)
        if not found:
            continue
        told[mistake.kind] += 1
        if len(found) > 1:
            several[mistake.kind] += 1
            if verbose:
                print(_shown(mistake, program, found), flush=True)
    for kind in sorted(told, key=lambda kind: -several[kind]):
        print(f"{kind:18} {told[kind]:5} found, {several[kind]:4} with several findings ({several[kind] / told[kind]:.1%})")
    share = several.total() / told.total()
    for where, within in (("two declarations", False), ("one declaration", True)):
        both, all_ = pairs(count // 20, seed, within=within)
        print(f"two mistakes in {where}: of {all_} pairs both are told in {both}")
    print(f"{'all':18} {told.total():5} found, {several.total():4} with several findings ({share:.2%}), of {count:,} mistakes")


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:] if argument != "-v"]
    main(*(numbers + [MISTAKES, 0][len(numbers) :]), verbose="-v" in sys.argv)
