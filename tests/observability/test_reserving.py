"""Room for mapped files, also where the system cannot promise blocks."""

import os
from pathlib import Path

import pytest

from codeai.observability.reserving import reserve


@pytest.mark.parametrize("promises", [True, False])
def test_a_file_gets_its_size_and_keeps_what_it_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, promises: bool) -> None:
    if not promises:  # as on macOS
        monkeypatch.delattr(os, "posix_fallocate")
    path = tmp_path / "cells"
    path.write_bytes(b"kept")
    file = os.open(path, os.O_RDWR)
    try:
        reserve(file, 10_000)
        reserve(file, 10_000)  # as the second process does
    finally:
        os.close(file)
    assert path.read_bytes() == b"kept".ljust(10_000, b"\0")
