"""A program in memory with a mark where the cursor stands."""

from pathlib import Path

from codeai.lsp.belonging import home_of
from codeai.lsp.checked import Buffers, Checked, check
from codeai.lsp.documents import Document

MARK = "‸"
FOLDER = Path("/nowhere/at/all")


def address(path: Path) -> str:
    return path.name


def program(*texts: str, **named: str) -> Checked:
    """Files of one folder: ``app.cai``, and others by their names."""
    files = {"app": "\n".join(texts), **named}
    documents = {FOLDER / f"{name}.cai": Document(f"{name}.cai", 1, text.replace(MARK, "")) for name, text in files.items()}
    return check(home_of(FOLDER / "app.cai", Buffers(documents), [FOLDER]), documents, "utf-16")


def at(text: str, **named: str) -> tuple[Checked, Path, int]:
    """The program with the mark in its ``app.cai``: what functions of this room take."""
    return program(text, **named), FOLDER / "app.cai", text.index(MARK)


def shown(checked: Checked, ranges) -> list[str]:
    """What stands in ranges of app.cai."""
    lines = checked.lines[FOLDER / "app.cai"]
    return [lines.text[lines.offset(one.start) : lines.offset(one.end)] for one in ranges]
