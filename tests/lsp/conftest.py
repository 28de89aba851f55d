from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from editor import Editor


@pytest.fixture
async def editor(tmp_path: Path) -> AsyncIterator[Editor]:
    async with Editor(tmp_path) as running:
        yield running


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    return written
