"""The program of these tests, on both databases."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.service import Service

PROGRAM = Path(__file__).parent / "program.cai"


@pytest.fixture(scope="module")
def service(service_of: Callable[..., Service]) -> Service:
    return service_of(PROGRAM)


@pytest.fixture(scope="module")
def plain(sqlite_service_of: Callable[..., Service]) -> Service:
    """The program for what has nothing to do with the kind of database."""
    return sqlite_service_of(PROGRAM)
