"""Comments at any place of a program: none is lost, none overtakes another, each stays with what it stood beside.

A comment between two items stays exactly there. One inside of an item may be printed behind it, or in the block that it opens, but
never before what it followed, and never behind the item.
"""

import random
import re
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

import pytest

from codeai.language.diagnostics import Severity
from codeai.language.lexer import tokenize
from codeai.language.parser import parse_module
from codeai.language.source import Sources
from codeai.language.tree import declarations as d
from codeai.language.tree import statements as st
from codeai.language.tree import workflows as w
from codeai.language.tree.module import Module
from codeai.language.tree.node import Node, children
from language.test_formatter import formatted

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted([*(ROOT / "tests/corpus/canonical").glob("*.cai"), *(ROOT / "examples").rglob("*.cai")])
LONGEST = 6_000
WORDS = ("name", "integer", "decimal", "string", "raw", "duration", "size")
MARK = re.compile(r"\bmark\d+\b")
ITEMS = (d.Clause, d.Declaration, st.Statement, w.Step, w.ParallelSteps, d.Setting)


def commented(text: str, choose: random.Random) -> str:
    """The text with up to eight comments: blocks anywhere, lines where a line begins or ends; not in paths, whose part they would be."""
    tokens = tokenize(text)
    count = len(tokens.kinds)
    out: list[str] = []
    last = 0
    for number, at in enumerate(sorted(choose.sample(range(1, count), min(count - 1, choose.choice((1, 2, 3, 8)))))):
        before, start, luck = tokens.ends[at - 1], tokens.starts[at], choose.random()
        if "/" in (tokens.kinds[at - 1], tokens.kinds[at]) or (luck > 0.5 and not tokens.breaks[at]):
            continue
        if luck < 0.5:
            out += [text[last:start], f" /* mark{number} */ "]
        elif luck < 0.75:
            out += [text[last:before], f" // mark{number}\n", text[before:start]]
        else:
            out += [text[last:start], f"// mark{number}\n"]
        last = start
    return "".join(out) + text[last:]


def places(text: str) -> dict[str, int]:
    """The marks in their order, each with how many words of the program stand before it."""
    tokens = tokenize(text)
    words = [start for kind, start in zip(tokens.kinds, tokens.starts, strict=True) if kind in WORDS]
    return {mark: bisect_left(words, comment.start) for comment in tokens.comments for mark in MARK.findall(comment.text)}


def items_of(node: Node) -> Iterator[tuple[int, int]]:
    if isinstance(node, ITEMS):
        yield node.start, node.end
    for child in children(node):
        yield from items_of(child)


def limits(text: str, module: Module) -> dict[str, int]:
    """How many words stand before the end of the smallest item around each mark; of none around it, before the mark."""
    tokens = tokenize(text)
    words = [start for kind, start in zip(tokens.kinds, tokens.starts, strict=True) if kind in WORDS]
    items = list(items_of(module))
    found = {}
    for comment in tokens.comments:
        _, end = min(((end - start, end) for start, end in items if start < comment.start < end), default=(0, comment.start))
        found |= dict.fromkeys(MARK.findall(comment.text), bisect_left(words, end))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_comment_stays_where_it_belongs(seed: int) -> None:
    choose = random.Random(seed)
    texts = [text for text in (formatted(path.read_text()) for path in PROGRAMS) if len(text) <= LONGEST]
    tried = 0
    for _ in range(60):
        text = commented(choose.choice(texts), choose)
        parsed = parse_module(Sources().add("a.cai", text))
        if any(found.severity is Severity.ERROR for found in parsed.diagnostics):
            continue  # a comment has torn a word apart that is more than one token
        tried += 1
        result = formatted(text)
        before, after = places(text), places(result)
        assert list(after) == list(before), text
        furthest = limits(text, parsed.module)
        for mark, place in after.items():
            assert before[mark] <= place <= max(before[mark], furthest[mark]), (mark, text)
        assert formatted(result) == result
    assert tried > 50
