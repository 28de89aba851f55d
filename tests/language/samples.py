"""Analyses a text as the file ``app.cai`` of a folder of its own, for tests of findings."""

import os
import tempfile
from pathlib import Path

from codeai.language.diagnostics import Diagnostic
from codeai.server.loading import Loaded, load_program

# No findings about the text: what this version cannot run yet, and Python that is not there.
ASIDE = ("CAI0401", "CAI0612")


def analysed(text: str | bytes) -> Loaded:
    """The program whose only file is ``app.cai`` with that text."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            Path("app.cai").write_bytes(text if isinstance(text, bytes) else text.encode())
            return load_program(Path("app.cai"))
        finally:
            os.chdir(before)


def findings(program: Loaded) -> list[Diagnostic]:
    """What is wrong, in the order of the text."""
    return sorted((found for found in program.diagnostics if found.code not in ASIDE), key=lambda found: found.primary.start)
