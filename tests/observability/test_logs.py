"""Lines: what they say, what they never say, and that nobody waits for them."""

import json
import logging
import os
import threading
from pathlib import Path

import pytest

from codeai.observability.context import CURRENT
from codeai.observability.logs.configuration import DebugSwitch, LineHandler, LogOutputError, LogSettings, configure
from codeai.observability.logs.redaction import MASK, Redaction
from codeai.observability.logs.rendering import Stamps, as_json, as_text
from codeai.observability.logs.writer import LineWriter, LogFile


class Memory:
    """A sink that keeps what is written, and fails or waits when told to."""

    def __init__(self):
        self.content = b""
        self.broken = False
        self.gate = threading.Event()
        self.gate.set()

    def write(self, content):
        self.gate.wait(60)
        if self.broken:
            raise OSError(28, "No space left on device")
        self.content += content

    def reopen(self):
        pass


def notice(lines):
    return b"lost %d\n" % lines


@pytest.fixture
def logger():
    """A logger with a handler of ours at level info, and what it writes."""
    sink = Memory()
    handler = LineHandler(LineWriter(sink, notice), as_json, level=logging.INFO, source=False)
    found = logging.getLogger("codeai.tests")
    found.addHandler(handler)
    found.propagate = False
    found.setLevel(logging.INFO)

    def lines():
        handler.writer.flush()
        return [json.loads(line) for line in sink.content.splitlines()]

    found.lines, found.handler = lines, handler
    yield found
    found.removeHandler(handler)
    handler.writer.close()


def test_a_line_says_time_level_message_and_fields(logger):
    logger.warning("pool is %s", "full", extra={"open": 25})
    (line,) = logger.lines()
    assert line.pop("time").endswith("Z")
    assert line == {"level": "warn", "msg": "pool is full", "open": 25}


def test_a_line_says_what_it_works_for(logger):
    class Work:
        debug = False

        def log_fields(self):
            return {"request_id": "r-1"}

    token = CURRENT.set(Work())
    logger.info("within")
    CURRENT.reset(token)
    logger.info("without")
    within, without = logger.lines()
    assert within["request_id"] == "r-1"
    assert "request_id" not in without


def test_an_exception_brings_its_stack(logger):
    try:
        raise ValueError("no such thing")
    except ValueError:
        logger.exception("unexpected error")
    (line,) = logger.lines()
    assert line["level"] == "error"
    assert "test_logs.py" in line["exception"]
    assert "ValueError: no such thing" in line["exception"]


HOSTILE = 'x\n{"level":"info","msg":"forged"}\r\x1b[31m\u2028\x85 "quoted" \\ =\ud800'


@pytest.mark.parametrize("render", [as_json, as_text])
def test_nothing_in_a_record_begins_another_line(render):
    line = render({"time": "t", "level": "info", "msg": HOSTILE, "path": HOSTILE, HOSTILE: 1})
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert len(line.decode().splitlines()) == 1 or render is as_json
    assert b"\x1b" not in line


def test_text_reads_message_then_fields(logger):
    event = {"time": "T", "level": "warn", "msg": "circuit breaker state changed", "from": "closed", "to": "open", "why": "5 failures"}
    assert as_text(event) == b'T warn  circuit breaker state changed from=closed to=open why="5 failures"\n'


def test_text_indents_a_stack_so_that_it_is_no_line_of_its_own():
    line = as_text({"time": "T", "level": "error", "msg": "m", "exception": "Traceback\nT error forged"})
    assert line == b"T error m\n    Traceback\n    T error forged\n"


def test_stamps_are_rfc_3339_with_milliseconds():
    stamp = Stamps()
    assert stamp(0.0) == "1970-01-01T00:00:00.000Z"
    assert stamp(1705314600.4567) == "2024-01-15T10:30:00.456Z"
    assert stamp(1705314600.9999) == "2024-01-15T10:30:00.999Z"


TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"password": "hunter2"}, {"password": MASK}),
        ({"user_password_hash": "x"}, {"user_password_hash": MASK}),
        ({"Authorization": "Bearer abc"}, {"Authorization": MASK}),
        ({"api_key": "k", "apikey": "k", "X-Api-Key": "k"}, {"api_key": MASK, "apikey": MASK, "X-Api-Key": MASK}),
        ({"note": f"got {TOKEN} here"}, {"note": f"got {MASK} here"}),
        ({"note": "Authorization: Bearer abcdefghijk"}, {"note": f"Authorization: Bearer {MASK}"}),
        ({"url": "postgresql://ada:hunter2@db/x"}, {"url": f"postgresql://{MASK}@db/x"}),
        ({"url": "redis://:p@ss:w@rd@cache:6379/0"}, {"url": f"redis://{MASK}@cache:6379/0"}),
        ({"note": "host=db password=hunter2 user=ada"}, {"note": f"host=db {MASK} user=ada"}),
        ({"note": "POST /t?api_key=hunter2&n=1"}, {"note": f"POST /t?{MASK}&n=1"}),
        ({"key": "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----"}, {"key": MASK}),
        ({"stripe": "sk_live_abcdefgh123"}, {"stripe": MASK}),
        (
            {"row": {"name": "Ada", "pin": "1234", "more": [{"secret": 1}]}},
            {"row": {"name": "Ada", "pin": MASK, "more": [{"secret": MASK}]}},
        ),
        ({"note": "the s3cr3t-value leaks"}, {"note": f"the {MASK} leaks"}),
        ({"password": None, "count": 3, "token_type": "jwt"}, {"password": None, "count": 3, "token_type": "jwt"}),
        ({"path": "/books/eye", "email": "ada@example.com"}, {"path": "/books/eye", "email": "ada@example.com"}),
    ],
    ids=str,
)
def test_secrets_are_masked(given, wanted):
    assert Redaction(fields=["pin"], values=["s3cr3t-value", "ab"]).fields(given) == wanted


def test_secrets_in_messages_and_stacks_are_masked(logger):
    logger.handler.redaction = Redaction(values=["s3cr3t-value"])
    try:
        raise ValueError(f"bad token {TOKEN}")
    except ValueError:
        logger.exception("signing with s3cr3t-value failed")
    text = json.dumps(logger.lines())
    assert TOKEN not in text
    assert "s3cr3t-value" not in text


@pytest.mark.parametrize("part", ["eyJ", "eyJ-", "://:", "://a:b", "password=", "bearer ", "-----BEGIN ", "xoxa-"])
def test_no_text_keeps_the_search_for_secrets_busy(part):
    # Each beginning of a token used to look at all that follows: half an hour for this text.
    assert len(Redaction().text(part * 150_000)) > 0


def test_large_lines_wait_in_smaller_numbers():
    """The bound is one of memory: fifty thousand lines of a megabyte would be the end of the process."""
    sink = Memory()
    sink.gate.clear()
    writer = LineWriter(sink, notice, most=1_000)
    for _ in range(100):
        writer.line(b"x" * 100_000 + b"\n")
    assert writer.lost >= 80
    before = writer.lost
    for number in range(500):
        writer.line(b"%d\n" % number)
    assert writer.lost == before  # small ones find room
    sink.gate.set()
    writer.close()


def test_deep_and_circular_values_end():
    circular = {}
    circular["self"] = circular
    assert "…" in str(Redaction().fields({"row": circular}))


def test_nobody_waits_for_a_sink_that_hangs_and_what_is_lost_is_counted(logger):
    sink = Memory()
    sink.gate.clear()
    writer = LineWriter(sink, notice, most=100)
    for number in range(500):
        writer.line(b"%d\n" % number)
    assert writer.lost >= 300
    sink.gate.set()
    writer.flush()
    writer.line(b"after\n")
    writer.close()
    assert b"lost %d\n" % writer.lost in sink.content
    assert sink.content.endswith(b"after\n")


def test_a_full_disk_loses_lines_and_says_so_when_there_is_room_again():
    sink = Memory()
    sink.broken = True
    writer = LineWriter(sink, notice)
    writer.line(b"one\n")
    writer.flush()
    sink.broken = False
    writer.line(b"two\n")
    writer.close()
    assert sink.content == b"\nlost 1\ntwo\n"


def test_lines_keep_their_order_over_threads_and_batches():
    sink = Memory()
    writer = LineWriter(sink, notice)

    def write(name):
        for number in range(2000):
            writer.line(f"{name} {number}\n".encode())

    threads = [threading.Thread(target=write, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    lines = sink.content.decode().splitlines()
    for name in "ab":
        assert [line for line in lines if line.startswith(name)] == [f"{name} {number}" for number in range(2000)]


def test_a_file_that_was_moved_is_opened_anew(tmp_path):
    path = tmp_path / "new" / "folder" / "app.log"
    file = LogFile(path)
    file.write(b"one\n")
    path.rename(tmp_path / "app.log.1")
    file.write(b"two\n")
    path.unlink()
    file.write(b"three\n")
    assert (tmp_path / "app.log.1").read_bytes() == b"one\n"
    assert path.read_bytes() == b"three\n"


def test_a_file_that_was_truncated_goes_on_at_its_beginning(tmp_path):
    path = tmp_path / "app.log"
    file = LogFile(path)
    file.write(b"one\n")
    os.truncate(path, 0)
    file.write(b"two\n")
    assert path.read_bytes() == b"two\n"


def test_an_output_that_cannot_be_written_says_why(tmp_path):
    with pytest.raises(LogOutputError, match=r"LOG_OUTPUT: cannot write .*Is a directory"):
        configure(LogSettings(output=str(tmp_path)))
    (tmp_path / "file").write_text("")
    with pytest.raises(LogOutputError, match=r"Not a directory|File exists"):
        configure(LogSettings(output=str(tmp_path / "file" / "app.log")))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_device_that_is_full_breaks_nothing():
    writer = LineWriter(LogFile(Path("/dev/full")), notice)
    writer.line(b"one\n")
    writer.close()
    assert writer.lost == 1


def test_debug_lines_of_one_request_pass_while_others_are_kept_back(logger):
    class Work:
        def __init__(self, debug):
            self.debug = debug

        def log_fields(self):
            return {}

    parent = logging.getLogger("codeai")
    before = parent.level
    parent.setLevel(logging.INFO)
    logger.setLevel(logging.NOTSET)
    try:
        with DebugSwitch()():
            for debug in (True, False):
                token = CURRENT.set(Work(debug))
                logger.debug("of %s", debug)
                CURRENT.reset(token)
        logger.debug("later")
    finally:
        parent.setLevel(before)
    assert [line["msg"] for line in logger.lines()] == ["of True"]
