"""The kill matrices notice a product that breaks a promise: they are no tests that cannot fail."""

import uuid
from pathlib import Path

import pytest
from extent import ALL
from mutants import MUTANTS, tried

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "kill-matrices.md"


@pytest.mark.parametrize("name", MUTANTS)
def test_each_promise_can_be_broken_as_the_page_says(name: str) -> None:
    assert MUTANTS[name].texts()
    assert f"| {name} |" in PAGE.read_text(encoding="utf-8")


@pytest.mark.skipif(not ALL, reason="a minute of a processor each: with `make faults`")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_promise_is_noticed(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    if MUTANTS[name].tried[1] == "postgresql":
        url = request.getfixturevalue("postgres").create_database(f"m{uuid.uuid4().hex[:16]}")
    else:
        url = f"sqlite:///{tmp_path}/app.db"
    report = tried(name, tmp_path, url)
    print(f"{name}: {report['violations'][:5]}")
    assert report["violations"] != []
