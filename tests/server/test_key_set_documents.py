"""Key sets come by the guarded client: limited, without redirects, from the named host alone."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from codeai.integrations.addresses import AddressPolicy
from codeai.server.wiring.key_sets import KeySetDocuments


class Issuer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/keys")
            self.end_headers()
            return
        body = b"x" * 1_000_001 if self.path == "/huge" else b'{"keys": []}'
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Cache-Control", "public, max-age=90")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Issuer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def fetched(url: str):
    return asyncio.run(KeySetDocuments(AddressPolicy())(url))


def test_a_document_comes_with_the_time_for_which_it_holds(issuer: str) -> None:
    found = fetched(issuer + "/keys")
    assert (found.text, found.max_age) == (b'{"keys": []}', 90.0)


@pytest.mark.parametrize("path", ["/moved", "/huge", "/missing"])
def test_what_is_no_key_set_is_an_error(issuer: str, path: str) -> None:
    with pytest.raises(OSError, match=r"status 302|status 404|large"):
        fetched(issuer + path)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "http://user:pass@127.0.0.1/keys", "http://", "http://127.0.0.1:1/keys"])
def test_what_cannot_be_called_is_an_error(url: str) -> None:
    with pytest.raises(OSError, match=r"BadAddress|Unreachable"):
        fetched(url)
