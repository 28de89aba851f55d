"""The wall clock of a server process, which tests move while it runs."""

import datetime
import mmap
import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")


class WallClock:
    """What a process started with ``environment`` takes for the time."""

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc")
        assert compiler, "a C compiler is missing: run scripts/install-services"
        library, file = folder / "wallclock.so", folder / "wallclock"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"], check=True)
        file.write_bytes(bytes(8))
        with file.open("r+b") as opened:
            self._shift = mmap.mmap(opened.fileno(), 8)
        self.environment = {"LD_PRELOAD": str(library), "WALLCLOCK": str(file)}

    def jump(self, by: datetime.timedelta) -> None:
        """Sets the clock so much later (or earlier) than it is now."""
        (shift,) = struct.unpack("=q", self._shift[:])
        self._shift[:] = struct.pack("=q", shift + round(by.total_seconds() * 1000))
