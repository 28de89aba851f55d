"""Figures of the language, by processor time and memory of this process: ``python benchmarks/compiler.py``.

Parse + check + lower per 1,000 lines and its growth, formatting beside it, memory beside the text, suggestions among 10,000 names.
"""

from __future__ import annotations

import random
import statistics
import time
import tracemalloc
from collections.abc import Callable

from large_program import large_program

from codeai.analysis.program import analyse
from codeai.language.formatter import format_module
from codeai.language.parser import parse_module
from codeai.language.source import Sources
from codeai.language.suggestions import nearest

NAMES = ["order", "item", "customer", "product", "invoice", "payment", "shipment", "address", "status", "total", "created", "price"]
LETTERS = "abcdefghijklmnopqrstuvwxyz_0123456789"


def checked(text: str) -> object:
    """The analysis of a program, and all that it holds."""
    sources = Sources()
    parsed = parse_module(sources.add("large.cai", text))
    return analyse([parsed.module], sources, "large", parsed.diagnostics), parsed, sources


def milliseconds(work: Callable[[], object], times: int) -> float:
    """The median of the processor time."""
    taken = []
    for _ in range(times):
        begin = time.process_time()
        work()
        taken.append((time.process_time() - begin) * 1000)
    return statistics.median(taken)


def memory_ratio(text: str) -> float:
    """The most memory that checking takes, beside the size of the text."""
    tracemalloc.start()
    found = checked(text)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    del found
    return most / len(text.encode())


def scopes(choose: random.Random) -> dict[str, list[str]]:
    """Ten thousand names of each kind, in no order."""
    snake = list({f"{choose.choice(NAMES)}_{choose.choice(NAMES)}_{choose.randrange(10_000)}" for _ in range(11_000)})[:10_000]
    return {
        "snake case": snake,
        "camel case": ["".join(word.title() for word in name.split("_")) for name in snake],
        "numbered": [f"Product{number}" for number in range(10_000)],
        "of random letters": ["".join(choose.choices(LETTERS, k=choose.randrange(3, 20))) for _ in range(10_000)],
    }


def misspelt(name: str, choose: random.Random) -> str:
    """A name with one slip: a letter left out, put in or exchanged, or two that change places."""
    at = choose.randrange(len(name))
    slips = (name[at + 1 :], choose.choice(LETTERS) + name[at:], choose.choice(LETTERS) + name[at + 1 :])
    return name[:at] + choose.choice([*slips, name[at + 1 : at + 2] + name[at : at + 1] + name[at + 2 :]])


def suggesting(names: list[str], choose: random.Random) -> list[float]:
    """Milliseconds for each of 150 names with one slip, two or ten, of which none is likely to be near any more."""
    taken = []
    for slips in (1, 2, 10):
        for _ in range(50):
            word = choose.choice(names)
            for _ in range(slips):
                word = misspelt(word, choose) or word
            nearest(word, names)
            taken.append(milliseconds(lambda word=word: nearest(word, names), 9))
    return taken


def main() -> None:
    for lines, times in ((1_000, 15), (10_000, 5), (100_000, 1)):
        text = large_program(lines)
        file = Sources().add("large.cai", text)
        module = parse_module(file).module
        count = text.count("\n")
        check = milliseconds(lambda text=text: checked(text), times)
        form = milliseconds(lambda module=module, file=file: format_module(module, file), times)
        print(
            f"{count:7} lines: parse + check + lower {check * 1000 / count:6.1f} ms per 1,000 lines, format {form / check:.2f} of that",
            end="",
        )
        print(f", memory {memory_ratio(text):.0f} times the text" if lines <= 10_000 else "")
    for kind, names in scopes(random.Random(1)).items():
        taken = suggesting(names, random.Random(2))
        print(f"did you mean, among {len(names):,} names, {kind}: {statistics.median(taken):.2f} ms, at most {max(taken):.2f} ms")


if __name__ == "__main__":
    main()
