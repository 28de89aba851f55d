"""Writing mended programs: round after round, since one fix may uncover the next finding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from codeai.language.mending import by_file, mended, safe_edits
from codeai.server.loading import load_program, load_source
from codeai.server.replacing import write_atomically

_ROUNDS: Final = 10


def fix(path: Path | Sequence[Path] | None) -> int:
    """Applies the safe edits to the files of a program.

    :returns: how many edits were applied
    :raises LoadError: a file cannot be read
    :raises OSError: a file cannot be written; it is then as it was
    """
    count = 0
    for _ in range(_ROUNDS):
        program = load_program(path)
        edits = safe_edits(program.diagnostics)
        if not edits:
            break
        for file, own in by_file(edits, program.sources):
            target = Path(file.path)
            write_atomically(target, mended(file, own, target.read_bytes().decode()).encode())
        count += len(edits)
    return count


def fixed_text(content: bytes, folder: Path | None = None) -> tuple[bytes, int]:
    """The same for a program that is given as the content of one file; imported files are left alone.

    :param folder: where those are; the current one by default
    """
    count = 0
    for _ in range(_ROUNDS):
        program = load_source(content, folder=folder)
        own = [edits for file, edits in by_file(safe_edits(program.diagnostics), program.sources) if file is program.sources.files[0]]
        if not own:
            break
        content = mended(program.sources.files[0], own[0], content.decode()).encode()
        count += len(own[0])
    return content, count
