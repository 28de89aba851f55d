"""The samples of the language reference are true: right ones are valid and in canonical form, wrong ones give the code that they name.

The words behind ``cai`` at a fence: ``do`` is a block of an endpoint, ``script`` a script, ``alone`` a program without that of the page,
``free`` a text that is not in canonical form, and a code says what is wrong.
"""

import re
from pathlib import Path

import pytest

from codeai.language.diagnostics import Severity
from codeai.language.formatter import format_module
from codeai.language.parser import parse_module
from codeai.language.rendering.concise import concise
from codeai.language.source import Sources
from codeai.server.loading import Loaded, load_script, load_source

ROOT = Path(__file__).parents[2]
LANGUAGE = ROOT / "docs/language"
SHOP = LANGUAGE / "shop.cai"
# Pages whose samples other tests run: the codes, the older spellings.
ELSEWHERE = ("diagnostics", "older-spellings")
PAGES = [*(page for page in sorted(LANGUAGE.glob("*.md")) if page.stem not in ELSEWHERE), ROOT / "docs/llms/codeai.md"]
FENCE = re.compile(r"^```cai([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SAMPLES = [
    pytest.param(words.split(), text, id=f"{page.stem}-{at}")
    for page in PAGES
    for at, (words, text) in enumerate(FENCE.findall(page.read_text()))
]
# What a sample may leave: declarations and variables that nothing uses in it, and Python that is not there.
ASIDE = ("CAI0131", "CAI0132", "CAI0133", "CAI0612")
HEAD, TAIL = "endpoint POST /sample { auth: public  returns: void  do {\n", "} }\nfunction first_order() -> uuid { return uuid() }\n"


def sample(words: list[str], text: str) -> Loaded:
    if "script" in words:
        return load_script(text.encode(), LANGUAGE / "sample.cai", SHOP)
    if "do" in words:
        text = f"{HEAD}{text}{TAIL}"
    if "alone" not in words:
        text = f"{SHOP.read_text()}\n{text}"
    return load_source(text.encode())


def weighed(program: Loaded) -> list[str]:
    found = [found for found in program.diagnostics if found.severity is not Severity.INFO and found.code not in ASIDE]
    return [f"{found.code} {concise(found, program.sources)}" for found in sorted(found, key=lambda found: found.primary.start)]


@pytest.mark.parametrize(("words", "text"), SAMPLES)
def test_a_sample_is_what_it_says(words: list[str], text: str) -> None:
    codes = [word for word in words if word.startswith("CAI")]
    found = weighed(sample(words, text))
    assert [line.split()[0] for line in found] == codes, found
    if not codes and "free" not in words:
        file = Sources().add("sample.cai", text)
        assert format_module(parse_module(file).module, file).text == text


def test_the_program_of_the_samples_is_valid_and_canonical() -> None:
    file = Sources().add("shop.cai", SHOP.read_text())
    assert weighed(load_source(file.text.encode())) == []
    assert format_module(parse_module(file).module, file).text == file.text


def test_the_index_names_every_page() -> None:
    named = set(re.findall(r"\]\(([a-z-]+)\.md\)", (LANGUAGE / "README.md").read_text()))
    assert named == {page.stem for page in LANGUAGE.glob("*.md")} - {"README"}


def test_the_page_for_models_has_at_most_4000_tokens() -> None:
    """Counted above what tokenizers make of it: each sign is a token, words have one per 7 letters, numbers one per 3 digits."""
    pieces = re.findall(r"[A-Za-z]+|[0-9]{1,3}|[^\sA-Za-z0-9]|\n+", (ROOT / "docs/llms/codeai.md").read_text())
    assert sum(-(-len(piece) // 7) if piece.isalpha() else 1 for piece in pieces) <= 4_000
