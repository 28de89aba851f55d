"""The work of parsing and checking grows with the text and not faster: calls are counted, not seconds."""

import sys
from pathlib import Path
from types import FrameType

from codeai.analysis.program import analyse
from codeai.language.diagnostics import Severity
from codeai.language.lexer import tokenize
from codeai.language.parser import parse_module
from codeai.language.source import Sources

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

from large_program import large_program  # the same programs that are measured


def calls(text: str, named: str = "") -> int:
    """How many functions of ours are called to parse and check a text; or how often those of a name are."""
    count = 0

    def observe(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call" and (not named or frame.f_code.co_name == named)

    sources = Sources()
    file = sources.add("large.cai", text)
    sys.setprofile(observe)
    try:
        parsed = parse_module(file)
        analysis = analyse([parsed.module], sources, "large", parsed.diagnostics)
    finally:
        sys.setprofile(None)
    assert [found for found in (*parsed.diagnostics, *analysis.diagnostics) if found.severity is Severity.ERROR] == []
    return count


def test_the_work_is_linear_in_the_size_of_the_text() -> None:
    small, large = large_program(500), large_program(4_000)
    ratio = (calls(large) / len(large)) / (calls(small) / len(small))
    assert 0.8 < ratio < 1.1


def test_a_text_without_mistakes_is_given_no_suggestions() -> None:
    assert calls(large_program(500), "nearest") == 0
    helpdesk = Path(__file__).parents[1] / "system/newcomers/helpdesk.cai"
    assert calls(helpdesk.read_text(), "nearest") == 0


def test_one_wrong_name_among_many_declarations_costs_one_look_at_them() -> None:
    text = large_program(2_000)
    broken = text.replace("select Product3 where", "select Prodct3 where", 1)
    sources = Sources()
    parsed = parse_module(sources.add("large.cai", broken))
    found = analyse([parsed.module], sources, "large", parsed.diagnostics).diagnostics
    assert [(item.message, item.help) for item in found] == [("unknown entity 'Prodct3'", "did you mean 'Product3'?")]


def test_spaces_that_are_none_of_ours_are_reported_and_end_nothing() -> None:
    for space in ("\u00a0", "\x0b", "\u2028", "\u3000"):
        tokens = tokenize(f"a{space}b")
        assert tokens.texts == ["a", "b", ""]
        assert [found.code for found in tokens.diagnostics] == ["CAI0001"]
