"""System errors in words."""

import asyncio
import socket

import pytest

from codeai.storage.causes import cause_of
from services.ports import free_port

REFUSED = "[Errno 111] Connect call failed ('%s', 5432)"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 5432)"), "connection refused"),
        (OSError(113, "No route to host"), "no route to host"),
        (OSError(f"Multiple exceptions: {REFUSED % '::1'}, {REFUSED % '127.0.0.1'}"), "connection refused"),
        (RuntimeError("[Errno 104] Connection reset by peer"), "connection reset by peer"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (RuntimeError("password authentication failed"), "password authentication failed"),
        (TimeoutError(), "TimeoutError"),
    ],
    ids=["refused", "no route", "both addresses", "in the text of another", "no name", "said by itself", "nothing said"],
)
def test_a_cause_has_no_number(error, cause):
    assert cause_of(error) == cause


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_what_the_system_says_of_a_port_where_nobody_listens(host):
    with pytest.raises(OSError) as caught:
        await asyncio.open_connection(host, free_port())
    assert cause_of(caught.value) == "connection refused"
