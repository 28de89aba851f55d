"""Every line of docs/operations/faults.md is shown by a test, and every fault that a test shows has its line."""

import re
from pathlib import Path

import faultpage

TESTS = Path(__file__).parents[1]


def shown() -> set[str]:
    """The faults whose lines are held against what a server showed."""
    found: set[str] = set()
    for path in TESTS.rglob("test_*.py"):
        text = path.read_text(encoding="utf-8")
        for call in re.findall(r"\.shows\(([^)]*(?:\([^)]*\))?[^)]*)\)", text):
            found |= set(re.findall(r'"([^"]+)"', call))
        if table := re.search(r"^SHOWN = \{(.*?)^\}", text, re.MULTILINE | re.DOTALL):
            found |= set(re.findall(r'^    "([^"]+)":', table[1], re.MULTILINE))
    return found


def test_every_line_of_the_page_is_shown_by_a_test() -> None:
    assert set(faultpage.rows()) - shown() == set()


def test_every_line_says_what_is_answered_and_what_health_says() -> None:
    for fault, row in faultpage.rows().items():
        assert row["answers"] or row["log"], fault
        assert row["health"] or "ends" in row["answers"], fault
