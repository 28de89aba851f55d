"""Whatever is being typed: every question has an answer, and nothing raises."""

import contextlib
from pathlib import Path

from cursor import address
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types as lsp
from test_reading import SHOP

from codeai.lsp import actions, colouring, hinting, locating, outlining
from codeai.lsp.belonging import Home
from codeai.lsp.checked import check
from codeai.lsp.completion.completing import complete
from codeai.lsp.documents import Document
from codeai.lsp.findings import findings
from codeai.lsp.formatting import formatting, formatting_range
from codeai.lsp.hovering import hover
from codeai.lsp.renaming import RenameRefused, rename
from codeai.lsp.signing import signature

PATH = Path("/nowhere/app.cai")
HOME = Home((PATH,), PATH.parent)
PLACES = st.integers(0, len(SHOP))
PIECES = st.sampled_from(
    ["", "{", "}", "(", '"', ".", ":", "\n", "entity ", "😀", "\r\n", "/*", "where", "create Order {", "\ufeff", "a.b.c", "=>", "'"]
)


@settings(max_examples=30, deadline=None)
@given(PLACES, st.integers(0, 60), PIECES, PLACES)
def test_no_text_in_the_middle_of_typing_raises(start: int, length: int, piece: str, place: int) -> None:
    text = SHOP[:start] + piece + SHOP[start + length :]
    documents = {PATH: Document("app.cai", 1, text)}
    checked = check(HOME, documents, "utf-16")
    file, lines = checked.file(PATH), checked.lines[PATH]
    assert file is not None
    for offset in (file.base + min(start, len(lines.text)), file.base + min(place, len(lines.text))):
        hover(checked, PATH, offset)
        locating.definition(checked, PATH, offset, address)
        locating.type_definition(checked, PATH, offset, address)
        locating.references(checked, offset, address, declaration=True)
        locating.highlights(checked, PATH, offset)
        outlining.selections(checked, PATH, offset)
        complete(lines, offset - file.base, checked.loaded.modules, snippets=True)
        signature(lines.text, offset - file.base, checked.loaded.symbols)
        list(actions.offered(checked, PATH, offset, offset, address))
        formatting_range(checked, PATH, offset, offset)
        with contextlib.suppress(RenameRefused):
            rename(checked, PATH, offset, "other_name", documents, address)
    colouring.tokens(checked, PATH)
    list(hinting.hints(checked, PATH, file.base, file.end))
    outlining.folding(checked, PATH)
    formatting(checked, PATH)
    for found in [*findings(checked, address)[PATH], *outlining.document_symbols(checked, PATH)]:
        assert lsp.Position(0, 0) <= found.range.start <= found.range.end <= lines.whole().end


def test_what_is_whole_keeps_its_answers_beside_what_is_broken() -> None:
    text = SHOP.replace("let made = create", "let made = = create").replace("enum Tier {", "enum Tier { ,,")
    checked = check(HOME, {PATH: Document("app.cai", 1, text)}, "utf-16")
    shown = hover(checked, PATH, text.index("gross(body"))
    assert shown is not None and "function gross" in shown.contents.value  # type: ignore[union-attr]
    assert {"Customer", "Order", "Pay", "Bank"} <= {one.name for one in outlining.document_symbols(checked, PATH)}
    for near, line in (("Customer(path", 1), ("Order { customer_id", 12), ("gross(body", SHOP[: SHOP.index("function gross")].count("\n"))):
        (found,) = locating.definition(checked, PATH, text.index(near) + 2, address)
        assert found.range.start.line == line
