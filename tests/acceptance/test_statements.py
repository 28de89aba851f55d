"""Every statement of the operator's guide (S1 to S144) and every decision (T1 to T21) has a test that carries its number."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
STATEMENTS = {f"s{number}" for number in range(1, 145)} | {f"t{number}" for number in range(1, 22)}
# What has no test of its number yet. A number may leave this list, none may come to it.
OPEN: frozenset[str] = frozenset()


def numbers(name: str) -> set[str]:
    """The numbers in a name: ``test_s12_to_s20_…`` stands for all of them."""
    found = set(re.findall(r"(?<![a-z0-9])([st]\d+)(?![0-9])", name))
    for kind, first, last in re.findall(r"([st])(\d+)_to_[st](\d+)", name):
        found |= {f"{kind}{number}" for number in range(int(first), int(last) + 1)}
    return found


def covered() -> set[str]:
    names = {
        name
        for path in TESTS.rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    return {number for name in names for number in numbers(name.replace("_", " ").replace(" to ", "_to_"))}


def test_no_statement_is_without_a_test():
    assert sorted(STATEMENTS - covered() - OPEN, key=lambda number: (number[0], int(number[1:]))) == []
