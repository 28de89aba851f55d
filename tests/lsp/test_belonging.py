from pathlib import Path

import pytest

from codeai.lsp.belonging import home_of
from codeai.lsp.checked import Buffers
from codeai.lsp.documents import Document

CASES = [
    ("an app.cai makes one program of a folder", {"app.cai": "entity A {", "b.cai": "entity A {"}, "b.cai", ["app.cai", "b.cai"]),
    ("files that declare the same are programs of their own", {"a.cai": "entity A {", "b.cai": "entity  A {"}, "b.cai", ["b.cai"]),
    ("two configurations are two programs", {"a.cai": "config {}", "b.cai": "config {}"}, "a.cai", ["a.cai"]),
    ("files that do not are one", {"a.cai": "entity A {", "b.cai": "entity B {"}, "b.cai", ["a.cai", "b.cai"]),
    ("what is imported belongs to who imports it", {"app.cai": 'import "in/*.cai"', "in/x.cai": ""}, "in/x.cai", ["app.cai"]),
    ("through another import, too", {"a.cai": 'import "b.cai"', "b.cai": "import 'in/x.cai'", "in/x.cai": ""}, "in/x.cai", ["a.cai"]),
    ("not by a way out of the folder", {"q/app.cai": 'import "../x.cai"', "x.cai": ""}, "x.cai", ["x.cai"]),
    (
        "circles end",
        {"a.cai": 'import "b.cai"', "b.cai": 'import "a.cai"', "c.cai": "entity X {", "d.cai": "entity X {"},
        "c.cai",
        ["c.cai"],
    ),
]


@pytest.mark.parametrize(("_said", "files", "asked", "program"), CASES, ids=[case[0] for case in CASES])
def test_the_program_of_a_file(tmp_path: Path, _said: str, files: dict[str, str], asked: str, program: list[str]) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    home = home_of(tmp_path / asked, Buffers({}), [tmp_path])
    assert [str(file.relative_to(tmp_path)) for file in home.files] == program


def test_what_is_open_counts_before_what_is_saved(tmp_path: Path) -> None:
    new, outer = tmp_path / "in" / "new.cai", tmp_path / "app.cai"
    outer.write_text("")
    buffers = Buffers({outer: Document("", 1, 'import "in/*.cai"'), new: Document("", 1, "")})
    assert home_of(new, buffers, [tmp_path]).files == (outer,)


def test_nothing_is_looked_for_outside_of_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "app.cai").write_text('import "in/*.cai"')
    inner = tmp_path / "in" / "x.cai"
    inner.parent.mkdir()
    inner.write_text("")
    assert home_of(inner, Buffers({}), [inner.parent]).files == (inner,)
    assert home_of(Path("untitled:1"), Buffers({}), [tmp_path]).folder == tmp_path
