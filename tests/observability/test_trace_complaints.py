"""What is said of a collector that takes no traces."""

import logging

import pytest

from codeai.observability.tracing.complaints import EXPORTER, Complaints

REFUSED = (
    "Transient error HTTPConnectionPool(host='localhost', port=1): Max retries exceeded with url: /v1/traces (Caused by "
    "NewConnectionError(\"HTTPConnection(host='localhost', port=1): Failed: [Errno 111] Connection refused\")) "
    "encountered while exporting spans batch, retrying in 0.88s."
)
UNKNOWN = (
    "(Caused by NameResolutionError(\"HTTPSConnection(host='x', port=1): Failed to resolve 'x' ([Errno -2] Name or service not known)\"))"
)


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (REFUSED, "connection refused"),
        (UNKNOWN, "name or service not known"),
        ("Failed to export spans batch code: 401, reason: Unauthorized", "Failed to export spans batch code: 401, reason: Unauthorized"),
        ("x" * 10_000, "x" * 300),
    ],
)
def test_the_cause_is_said_in_words_and_briefly(text: str, cause: str) -> None:
    record = logging.LogRecord(EXPORTER, logging.WARNING, __file__, 1, "%s", (text,), None)
    assert Complaints().filter(record)
    assert (record.getMessage(), record.__dict__["cause"]) == ("traces cannot be delivered", cause)


def test_it_is_said_once_a_minute() -> None:
    times = iter([0.0, 1.0, 59.9, 60.0, 61.0, 120.0])
    found = Complaints(lambda: next(times))
    said = [found.filter(logging.LogRecord(EXPORTER, logging.ERROR, __file__, 1, "no", (), None)) for _ in range(6)]
    assert said == [True, False, False, True, False, True]
