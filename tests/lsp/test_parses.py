"""Trees that a check takes from the one before: what comes out is what a check of everything gives."""

import random
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from codeai.lsp.belonging import Home
from codeai.lsp.checked import Abandoned, Checked, check
from codeai.lsp.documents import Document
from codeai.lsp.findings import findings
from codeai.lsp.parses import Parses
from fuzz.mutating import mutated, programs, tokens_of

FOLDER = Path("/nowhere")
NAMES = ("a", "app", "m", "z")


def checked(texts: dict[str, str], parses: Parses | None) -> Checked:
    paths = {name: FOLDER / f"{name}.cai" for name in texts}
    documents = {paths[name]: Document(f"{name}.cai", 1, text) for name, text in texts.items()}
    return check(Home(tuple(paths.values()), FOLDER), documents, "utf-16", parses=parses)


def told(found: Checked) -> tuple[dict[Path, list[lsp.Diagnostic]], list[tuple[object, ...]]]:
    """The findings, and what each name refers to, by places in files."""
    return findings(found, str), [(*found.place(use.start, use.end), use.key) for use in found.uses]


@pytest.mark.parametrize("seed", range(3))
def test_after_any_edits_the_findings_are_those_of_a_whole_check(seed: int) -> None:
    choose = random.Random(seed)
    texts = {name: mutated(choose.choice(programs()), choose) for name in NAMES}
    parses = Parses()
    for _ in range(12):
        luck = choose.random()
        name = choose.choice(NAMES)
        if luck < 0.7:
            texts[name] = mutated(tokens_of(texts.get(name, "enum A { a }")), choose)
        elif luck < 0.85:
            texts[name] = choose.choice(["", "// ä\n", "entity Note { id: uuid, primary }\n"]) + texts.get(name, "")
        else:
            texts.pop(name, None)
        texts = dict(sorted(texts.items())) if texts else {"a": ""}
        assert told(checked(texts, parses)) == told(checked(texts, None)), texts


def test_only_the_text_that_changed_is_parsed_again() -> None:
    parses = Parses()
    texts = {name: f"enum {name.title()} {{ one, two }}\n" for name in NAMES}
    before = checked(texts, parses).loaded.modules
    after = checked({**texts, "app": f"// longer\n{texts['app']}"}, parses).loaded.modules
    assert [new is old for new, old in zip(after, before, strict=True)] == [True, False, True, True]


def test_what_another_file_declares_changes_how_an_older_name_is_read() -> None:
    parses = Parses()
    older = 'workflow "w" {\n    trigger manual\n    steps {\n        tell {\n            emit "order.placed"\n        }\n    }\n}\n'
    for declared in ("", "event order.placed { id: int }\n", "event orders { id: int }\n", ""):
        texts = {"a": older, "b": declared}
        assert told(checked(texts, parses)) == told(checked(texts, None))


def test_nobody_waits_for_texts_that_are_not_wanted_any_more() -> None:
    path = FOLDER / "app.cai"
    documents = {path: Document("app.cai", 1, "enum A { a }")}
    with pytest.raises(Abandoned):
        check(Home((path,), FOLDER), documents, "utf-16", lambda: False, Parses())
