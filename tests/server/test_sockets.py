"""Bytes on a connection, as clients send them that are no friends of standards: one server, no client library."""

import re
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from services.process import ServerProcess

PROGRAM = """
config { default_auth: public }
entity Item { id: int, primary, auto  name: string, required }
resource Item at /items { auth: public }
endpoint POST /held { auth: public  do { create Item { name: "held" }  sleep 700ms  return { done: true } } }
"""
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("sockets")
    (folder / "app.cai").write_text(PROGRAM)
    process = ServerProcess(folder / "app.cai", folder, env={"CODEAI_BODY_TIMEOUT": "3s"})
    process.start()
    yield process
    process.remove()


class Connection:
    """A connection whose answers are read one after the other."""

    def __init__(self, server: ServerProcess) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        self.rest = b""

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *reason: object) -> None:
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        for part in parts:
            self.socket.sendall(part)

    def answer(self) -> tuple[int, bytes, bytes]:
        """Status, head and body of the next answer; status 0 when the connection was closed instead."""
        while b"\r\n\r\n" not in self.rest:
            if not self._more():
                return 0, self.rest, b""
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        found = LENGTH.search(head)
        size = int(found.group(1)) if found else 0
        while len(self.rest) < size and self._more():
            pass
        body, self.rest = self.rest[:size], self.rest[size:]
        return int(head.split(b" ", 2)[1]), head, body

    def _more(self) -> bool:
        try:
            part = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.rest += part
        return bool(part)


POST = b"POST /items HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"


def test_a_chunked_body_is_put_together(server: ServerProcess) -> None:
    with Connection(server) as client:
        client.send(POST + b"transfer-encoding: chunked\r\n\r\n", b'9\r\n{"name": \r\n', b'8\r\n"chunks"\r\n', b"1\r\n}\r\n0\r\n\r\n")
        status, _, body = client.answer()
        assert (status, b'"chunks"' in body) == (201, True)


def test_a_chunked_body_is_counted(server: ServerProcess) -> None:
    with Connection(server) as client:
        client.send(POST + b"transfer-encoding: chunked\r\n\r\n")
        part = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        try:
            for _ in range(200):  # 13 MB, where 10 are allowed
                client.send(part)
            client.send(b"0\r\n\r\n")
        except OSError:
            pass  # the server need not read what it refuses
        assert client.answer()[0] in (413, 0)
    assert httpx.get(server.base_url + "/health/ready").status_code == 200


def test_headers_that_are_too_large(server: ServerProcess) -> None:
    with Connection(server) as client:
        client.send(b"GET /items HTTP/1.1\r\nhost: x\r\n", *(b"x-%d: " % at + b"a" * 4000 + b"\r\n" for at in range(10)), b"\r\n")
        status, _, body = client.answer()
        assert (status, b"request_header_fields_too_large" in body) == (431, True)


def test_a_body_that_does_not_come(server: ServerProcess) -> None:
    with Connection(server) as client:
        client.send(POST + b'content-length: 20\r\n\r\n{"name"')
        status, _, body = client.answer()
        assert (status, b"request_timeout" in body) == (408, True)


def test_requests_that_are_sent_at_once_are_answered_in_their_order(server: ServerProcess) -> None:
    with Connection(server) as client:
        get = b"GET %s HTTP/1.1\r\nhost: x\r\n\r\n"
        client.send(get % b"/items" + get % b"/nowhere" + get % b"/health/live" + POST + b'content-length: 16\r\n\r\n{"name": "pipe"}')
        assert [client.answer()[0] for _ in range(4)] == [200, 404, 200, 201]


def test_a_connection_is_kept_after_errors(server: ServerProcess) -> None:
    with Connection(server) as client:
        for body, expected in ((b"{", 400), (b"{}", 422), (b'{"name": "kept"}', 201)):
            client.send(POST + b"content-length: %d\r\n\r\n" % len(body) + body)
            assert client.answer()[0] == expected


def test_http_1_0_is_answered_and_closed(server: ServerProcess) -> None:
    with Connection(server) as client:
        client.send(b"GET /items HTTP/1.0\r\n\r\n")
        assert client.answer()[0] == 200
        assert client.answer()[0] == 0


@pytest.mark.parametrize(
    "line",
    [
        b"GET\r\n\r\n",
        b"GET /items HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
        b"GET /it ems HTTP/1.1\r\nhost: x\r\n\r\n",
    ],
)
def test_a_bad_request_line_is_refused(server: ServerProcess, line: bytes) -> None:
    with Connection(server) as client:
        client.send(line)
        assert client.answer()[0] in (400, 505, 0)
    assert httpx.get(server.base_url + "/health/live").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        b"content-length: 5\r\ncontent-length: 6\r\n",
        b"content-length: 5\r\ntransfer-encoding: chunked\r\n",
        b"content-length: +5\r\n",
        b"transfer-encoding: chunked, identity\r\n",
        b"transfer-encoding : chunked\r\n",
    ],
)
def test_what_two_servers_could_read_in_two_ways_is_never_a_second_request(server: ServerProcess, headers: bytes) -> None:
    with Connection(server) as client:
        client.send(POST + headers + b"\r\n0\r\n\r\nGET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
        statuses = [client.answer()[0], client.answer()[0]]
        assert statuses[0] in (400, 0, 415, 422) and statuses[1] != 200, statuses


def test_a_client_that_leaves_leaves_no_transaction_open(server: ServerProcess) -> None:
    for text in (POST + b'content-length: 99\r\n\r\n{"na', b"POST /held HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n", b"GET /it"):
        for _ in range(3):
            with Connection(server) as client:
                client.send(text)
    done: list[int] = []
    writers = [
        threading.Thread(target=lambda: done.append(httpx.post(server.base_url + "/items", json={"name": "after"}, timeout=60).status_code))
        for _ in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert done == [201] * 4
    assert httpx.get(server.base_url + "/health/ready").status_code == 200
