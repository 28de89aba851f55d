"""Why something at the other end of a connection failed, in words: system errors have numbers that say nothing to a reader."""

from __future__ import annotations

import errno
import os
import re
from typing import Final

_NUMBERED: Final = re.compile(r"\[Errno (-?\d+)\] (?:Connect call failed \(('[^']*', \d+)[^)]*\)|([^,;()]*))")


def cause_of(error: BaseException) -> str:
    """The cause: ``connection refused``, ``no route to host``, or what the error says itself; its class where it says nothing."""
    if isinstance(error, OSError) and error.errno in errno.errorcode and not error.filename:
        return os.strerror(error.errno or 0).lower()
    worded, numbers = _NUMBERED.subn(_worded, str(error))
    if numbers > 1:  # the addresses of a host often fail alike
        worded = ", ".join(dict.fromkeys(worded.removeprefix("Multiple exceptions: ").split(", ")))
    return worded or type(error).__name__


def _worded(found: re.Match[str]) -> str:
    number = int(found[1])
    return os.strerror(number).lower() if number in errno.errorcode else (found[3] or found[2]).strip()
