"""Fixtures of the tests of authentication."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from signing import Pair


@pytest.fixture(scope="session")
def pairs() -> dict[str, Pair]:
    return {name: Pair(name, f"key-{name}") for name in ("RS256", "ES256", "EdDSA")}
