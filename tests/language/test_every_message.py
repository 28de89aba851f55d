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


# Which class these texts have, and which texts these classes have (language page, sections 4 and 7).
CLASSES = {
    "ScopeError": (r"undefined variable '.+'", r"duplicate declaration '.+'", r"duplicate parameter '.+'"),
    "TypeError": (r"cannot iterate over non-array type '.+'",),
    "FunctionError": (
        r"undefined function '.+'",
        r"wrong number of arguments for '.+': expected \d+, got \d+",
        r"('.+'|this) is not a function",
    ),
}
FINDING = re.compile(
    r"^ *(?:\w+\[CAI\d{4}\]|(?:[\w./<>]+:)?\d+:\d+:) (\w+Error)(?: \w+)?: (.+?)(?: \(.*)?(?: \[CAI\d{4}\])?$", re.MULTILINE
)


def test_a_text_that_operators_rely_on_has_its_class_wherever_it_is_said() -> None:
    found = {(kind, message) for kind, message in FINDING.findall(shown()[""])}
    assert {kind for kind, _ in found} == {*CLASSES, "SyntaxError", "SemanticError", "LexerError", "ParserError", "CompilerError"}
    wrong = []
    for kind, message in found:
        owner = next((name for name, texts in CLASSES.items() if any(re.fullmatch(text, message) for text in texts)), None)
        if (kind in CLASSES or owner is not None) and kind != owner:
            wrong.append((kind, message))
    assert sorted(wrong) == []
