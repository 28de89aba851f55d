"""Tests that stand for phrases of what was promised: whether each is there."""

import re
from collections.abc import Mapping
from pathlib import Path

TESTS = Path(__file__).parents[1]
Points = Mapping[str, Mapping[str, str]]  # subject, then phrase: file and the beginning of the test's name


def missing(points: Points) -> list[str]:
    """Those of the tests that there are not."""
    found = []
    for phrases in points.values():
        for test in phrases.values():
            file, _, name = test.partition(" ")
            if not re.search(rf"^(async )?def test_{name}", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE):
                found.append(test)
    return found
