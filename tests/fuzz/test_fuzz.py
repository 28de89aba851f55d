"""Any text: properties with hypothesis, and some seconds of the coverage-guided fuzzer."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.texts import check_program, check_query

ROOT = Path(__file__).parents[2]
WORDS = [
    *("entity", "endpoint", "GET", "/a/{id}", "auth:", "public", "do", "let", "x", "=", "select", "where", "order by", "{", "}", "(", ")"),
    *("[", "]", ":", ",", ".", "=>", "==", "and", "not", "??", "?", "-", "1", "2.5", "5m", '"text"', '"{x}"', "'a'", "\n", "  ", "//c\n"),
    *("/*c*/", "@tag", "exec", "if", "else", "for", "in", "return", "create", "A", "uuid", "primary", "auto", "on", "emit", "workflow"),
    *("steps", "job", "schedule", "test", "$x"),
]


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=200))
def test_any_characters_are_parsed(text: str) -> None:
    check_program(text)
    check_query(text)


@settings(deadline=None, max_examples=250)
@given(st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join))
def test_any_words_of_the_language_are_parsed_and_formatted_to_the_same_tree(text: str) -> None:
    check_program(text)
    check_query(text)


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this Python")
def test_the_fuzzer_finds_nothing_in_some_seconds(tmp_path: Path) -> None:
    for at, path in enumerate(sorted(ROOT.glob("tests/corpus/valid/*.cai"))):
        (tmp_path / f"seed{at}").write_bytes(b"p" + path.read_bytes()[:4_000])
    (tmp_path / "query").write_bytes(b"\x00select Book where price > 10 order by title")
    command = [sys.executable, str(Path(__file__).parent / "target.py"), "-max_total_time=5", "-max_len=4000", "-timeout=20", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=100)
    assert done.returncode == 0, done.stderr[-3000:]
