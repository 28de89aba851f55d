"""Each text that the compiler may say is said in a test: nothing is reported that nobody has read.

The texts come from the source; what has been shown stands beside the programs of the tests (snapshots of the codes, the corpus, the
wrong programs), which other tests hold true. So a new message needs a program that provokes it: a line in ``tests/analysis/wrong``.
"""

import re
from pathlib import Path

from language.templates import templates

TESTS = Path(__file__).parents[1]


def shown() -> dict[str, str]:
    """All findings that tests show, by their codes; under no code, all of them."""
    found: dict[str, list[str]] = {"": []}
    for file in (TESTS / "language/snapshots").glob("*.txt"):
        found.setdefault(file.stem, []).append(file.read_text().partition("\n---\n")[2])
    for file in (*(TESTS / "analysis/wrong").glob("*.txt"), *(TESTS / "corpus").glob("*/*.txt")):
        for part in re.split(r"\n(?=\S|    \d)", file.read_text()):
            code = re.search(r"\[(CAI\d{4})\]", part)
            if code is not None:
                found.setdefault(code[1], []).append(part)
    found[""] = [text for texts in found.values() for text in texts]
    return {code: "\n".join(texts) for code, texts in found.items()}


def test_each_text_of_a_finding_is_shown_by_a_program() -> None:
    said = shown()
    missing = [(place, code, text) for place, code, text in templates() if not re.search(text, said.get(code, ""))]
    assert missing == []
