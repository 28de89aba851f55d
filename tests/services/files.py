"""Files that change while somebody watches them."""

import os
import time
from pathlib import Path


def rewrite(file: Path, text: str) -> None:
    """Writes a file anew, in another second than before: watchers that look now and then compare whole seconds."""
    before = file.stat().st_mtime if file.exists() else time.time()
    file.write_text(text)
    os.utime(file, (before + 2, before + 2))
