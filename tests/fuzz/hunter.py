"""Looks for what the formatter gets wrong: ``python tests/fuzz/hunter.py [PROGRAMS [SEED]]`` (500,000 of them by default).

Each program is one of the seeds with a few changes of tokens (``mutating.py``), or laid out oddly (``layouts.py``), or both. Those
that do not parse are left at their first error, without looking for what would mend them, so that the time goes to printing. What
parses must be printed so that it says the same (nothing is kept as it was written, no comment is lost), and printing that again must
change nothing. What fails is shown; the exit code says so.
"""

import random
import sys
import time
import traceback
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1])]

from codeai.language.diagnostics import Severity
from codeai.language.formatter import format_module
from codeai.language.lexer import tokenize
from codeai.language.parser import parse_module
from codeai.language.parser.declarations import Parser
from codeai.language.source import Sources
from codeai.language.tree.module import Module
from fuzz.layouts import laid_out
from fuzz.mutating import mutated, programs, tokens_of

PROGRAMS = 500_000
SHOWN = 20  # faults that are shown in full


def parsed(text: str) -> Module | None:
    """The tree of a text, None when it has an error."""
    file = Sources().add("a.cai", text)
    parser = Parser(file, tokenize(text, file.base))
    module = parser.module()
    return module if not any(found.severity is Severity.ERROR for found in parser.diagnostics) else None


def another(choose: random.Random) -> str:
    """A program with other tokens, or laid out in another way, or both."""
    tokens = choose.choice(programs())
    luck = choose.random()
    if luck < 0.4:
        return laid_out(tokens, choose)
    text = mutated(tokens, choose)
    return text if luck < 0.8 else laid_out(tokens_of(text), choose)


def remarks(module: Module) -> list[str]:
    """The words of all comments in their order, without their marks."""
    words = (word.strip("/#*") for comment in module.comments for word in comment.text.replace(" · ", " ").split())
    return [word for word in words if word]


def broken(text: str) -> bool:
    """Whether a text that parses has a brace too many, which is seen only where the whole of it is looked at."""
    return any(found.severity is Severity.ERROR for found in parse_module(Sources().add("a.cai", text)).diagnostics)


def fault(text: str) -> str | None:
    """What is wrong with how a text is formatted: '' for nothing, None when it does not parse."""
    try:
        module = parsed(text)
        if module is None:
            return None
        once = format_module(module, Sources().add("a.cai", text))
        if once.kept:
            return None if broken(text) else "the canonical form of a declaration says something else"
        again = parsed(once.text)
        if again is None:
            return f"does not parse any more:\n{once.text}"
        if remarks(module) != remarks(again):
            return f"comments are lost, or overtake each other:\n{once.text}"
        twice = format_module(again, Sources().add("a.cai", once.text)).text
        return f"formatted once:\n{once.text}\nand twice:\n{twice}" if twice != once.text else ""
    except Exception:
        return traceback.format_exc()


def main(count: int, seed: int) -> int:
    """Tries so many programs; returns how many were printed wrongly."""
    choose = random.Random(seed)
    valid, faults = 0, 0
    begin = time.process_time()
    for at in range(1, count + 1):
        text = another(choose)
        found = fault(text)
        valid += found is not None
        if found:
            faults += 1
            if faults <= SHOWN:
                print(f"--- {text!r}\n{found}", flush=True)
        if at % 10_000 == 0 or at == count:
            print(f"{at:,} programs, {valid:,} of them valid, {faults} faults, {time.process_time() - begin:.0f} s", flush=True)
    return faults


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PROGRAMS, int(sys.argv[2]) if len(sys.argv) > 2 else 0) > 0)
