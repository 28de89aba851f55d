"""The Lark grammar: what the formatter writes is a sentence, and every sentence parses. ``UPDATE=1`` writes the page anew."""

import os
import re
from pathlib import Path

import pytest
from lark import Lark

from codeai.language.diagnostics import Severity
from codeai.language.formatter import format_module
from codeai.language.grammar import ebnf, lark_text
from codeai.language.parser import parse_module
from codeai.language.source import Sources
from fuzz.texts import check_program
from language.grammar.sampler import Sampler

ROOT = Path(__file__).parents[3]
PROGRAMS = sorted(
    [
        *ROOT.glob("tests/corpus/valid/*.cai"),
        *ROOT.glob("tests/corpus/canonical/*.cai"),
        *ROOT.glob("examples/*/*.cai"),
        ROOT / "docs/language/shop.cai",
    ]
)
FENCE = re.compile(r"^```cai([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ELSEWHERE = ("diagnostics", "older-spellings")


def formatted(text: str) -> str:
    file = Sources().add("a.cai", text)
    return format_module(parse_module(file).module, file).text


def samples() -> list[tuple[str, str]]:
    """The right samples of the manual and the pages of the formatter; blocks of statements as functions."""
    found = [(page.stem, page.read_text().partition("---\n")[2]) for page in sorted(ROOT.glob("tests/language/formatter/*.txt"))]
    for page in [*sorted(ROOT.glob("docs/language/*.md")), ROOT / "docs/llms/codeai.md"]:
        for at, (words, text) in enumerate(FENCE.findall(page.read_text()) if page.stem not in ELSEWHERE else ()):
            if "free" not in words.split() and "CAI" not in words:
                name = f"script-{at}" if "script" in words.split() else f"{page.stem}-{at}"
                found.append((name, formatted(f"function f() {{\n{text}}}\n") if "do" in words.split() else text))
    return found


@pytest.fixture(scope="module")
def grammar() -> Lark:
    return Lark(lark_text(), parser="lalr", lexer="contextual", maybe_placeholders=False, start=["start", "script"])


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_formatted_program_is_a_sentence(grammar: Lark, path: Path) -> None:
    grammar.parse(formatted(path.read_text()), start="start")


def test_the_samples_of_the_manual_are_sentences(grammar: Lark) -> None:
    for name, text in samples():
        start = "script" if name.startswith("script") else "start"
        assert grammar.parse(text, start=start).data == start, name


@pytest.mark.parametrize(
    ("rule", "seeds", "depth"), [("declaration", 1_200, 10), ("declaration", 100, 14), ("script", 300, 10)], ids=["flat", "deep", "script"]
)
def test_every_sentence_parses_and_is_formatted_to_the_same_tree(grammar: Lark, rule: str, seeds: int, depth: int) -> None:
    sampler = Sampler(grammar, depth)
    for seed in range(seeds):
        text = sampler.sentence(rule, seed) + "\n"
        parsed = parse_module(Sources().add("a.cai", text))
        assert [found.message for found in parsed.diagnostics if found.severity is Severity.ERROR] == [], (seed, text)
        check_program(text)


def test_what_is_no_program_is_no_sentence(grammar: Lark) -> None:
    for text in ("entity {}", "entity A { id uuid }", "endpoint GET /a { auth public }", "let x = 1", "entity A { id: uuid, wrong }"):
        with pytest.raises(Exception, match="Unexpected"):
            grammar.parse(text, start="start")


def test_the_page_has_the_rules() -> None:
    page = ROOT / "docs/language/grammar.md"
    head, _, _ = page.read_text().partition("```ebnf\n")
    if os.environ.get("UPDATE"):
        page.write_text(f"{head}```ebnf\n{ebnf()}```\n")
    assert page.read_text() == f"{head}```ebnf\n{ebnf()}```\n"
