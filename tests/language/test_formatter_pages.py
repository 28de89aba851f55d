"""One page per construct: a text above the line ``---``, its canonical form below. ``UPDATE=1`` writes the lower parts anew."""

import os
from pathlib import Path

import pytest

from language.test_formatter import comments, formatted, tree

PAGES = sorted((Path(__file__).parent / "formatter").glob("*.txt"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_construct_has_its_canonical_form(page: Path) -> None:
    source, _, expected = page.read_text().partition("---\n")
    found = formatted(source)
    if os.environ.get("UPDATE"):
        page.write_text(f"{source}---\n{found}")
        expected = found
    assert found == expected
    assert tree(found) == tree(source)
    assert not comments(source) - comments(found)
    assert formatted(found) == found
