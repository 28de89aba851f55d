"""Room for files that are mapped."""

from __future__ import annotations

import os


def reserve(file: int, size: int) -> None:
    """Gives a file so many bytes, with their blocks where the system can promise them (all but macOS).

    Writing to a mapped hole for which no room is left would kill the process.

    :raises OSError: there is no room
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
    else:
        os.truncate(file, size)
