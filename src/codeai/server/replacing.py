"""Files that are replaced as a whole."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces a file, so that nobody ever sees half of it; mode, owner (where that is allowed) and symbolic links stay.

    :raises OSError: it cannot be written, or may not; the file is then as it was
    """
    import shutil
    import tempfile  # only who writes pays for it: the start of every check is quicker without

    target = path.resolve()
    before = target.stat()
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(target))
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(PermissionError):
            os.chown(name, before.st_uid, before.st_gid)
        shutil.copymode(target, name)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
