"""Any text, request, token and signature: properties with hypothesis, and the coverage-guided fuzzer.

The fuzzer runs for ``FUZZ_SECONDS`` on each target: a minute in continuous integration, a moment elsewhere.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.proofs import fuzz_signature, fuzz_token
from fuzz.seeds import LONGEST, seeds
from fuzz.texts import check_program, check_query

SECONDS = int(os.environ.get("FUZZ_SECONDS") or (60 if os.environ.get("CI") else 2))
TARGETS = ["program", "query", "http", "connection", "token", "signature"]
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


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_as_a_token_and_as_a_signature(data: bytes) -> None:
    for kind in b"SRHK":
        fuzz_token(bytes([kind]) + data)
        fuzz_signature(bytes([kind]) + data)


@pytest.mark.parametrize("target", ["token", "signature"])
def test_what_the_fuzzer_begins_with_holds(target: str) -> None:
    for seed in seeds(target):
        {"token": fuzz_token, "signature": fuzz_signature}[target](seed)


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this Python")
@pytest.mark.timeout(2 * SECONDS + 700)
@pytest.mark.parametrize("target", TARGETS)
def test_the_fuzzer_finds_nothing(target: str, tmp_path: Path) -> None:
    seconds = max(2, SECONDS // 2) if target in ("http", "connection") else SECONDS  # these two share the minute of the HTTP decoder
    # Runs begin alike, though time makes them differ later on; 'make fuzz' begins elsewhere each time.
    arguments = ["-seed=20261126", f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-timeout=20", "-rss_limit_mb=2048"]
    command = [sys.executable, str(Path(__file__).parent / "target.py"), target, str(tmp_path / "inputs"), *arguments]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=2 * SECONDS + 600)
    assert done.returncode == 0, done.stderr[-3000:]
    ended = re.search(r"Done (\d+) runs in (\d+) second", done.stderr)
    assert ended is not None, done.stderr[-3000:]
    assert int(ended[1]) > (100 if seconds >= 30 else len(list(seeds(target))) - 1)  # in a moment a busy machine gets no further
    assert int(ended[2]) >= seconds
