"""A loop that fails again and again says so once, and once more when it goes on."""

import logging

import pytest

from codeai.durable.dispatch.outages import Outage
from codeai.storage.errors import DatabaseUnavailable, DiskFull


def test_an_outage_is_said_once_and_its_end_with_how_often_it_failed(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage("sweep failed")
    with caplog.at_level(logging.WARNING, "codeai.durable"):
        outage.over()  # nothing had failed
        for _ in range(30):
            outage.failed(DatabaseUnavailable("away"))
        outage.failed(DiskFull("full"))  # something else is news
        outage.over()
        outage.over()
        outage.failed(ValueError("a mistake of ours"))
    said = [(record.getMessage(), getattr(record, "cause", None), getattr(record, "failures", None)) for record in caplog.records]
    assert said == [
        ("sweep failed", "away", None),
        ("sweep failed", "full", None),
        ("sweep failed: over", None, 31),
        ("sweep failed", "a mistake of ours", None),
    ]
    assert caplog.records[0].exc_info is None
    assert caplog.records[-1].exc_info is not None
