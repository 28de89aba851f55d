"""What must hold for any request: an answer below 500, and problems that say what is wrong.

A request is written as in HTTP/1.1: a line with method and target, headers, an empty line, the body. The service is a real one on
SQLite; only the socket is missing. What the server in front of it would not let through is left out.
"""

import json
import re
import tempfile
from functools import cache
from pathlib import Path

from codeai.auth.issuing import SigningKey, issue_token
from services.service import SECRET, Answer, Service, scope_of
from services.service import exchange as run

_METHOD = re.compile(r"[A-Z]{1,20}")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[\x20-\x7e\x80-\xff\t]{0,2000}")
_ALLOWED_ABOVE = {501}  # an operation that the program names and nobody can infer


@cache
def service() -> Service:
    """The service, for the life of this process: the fuzzer ends it without a word, so the caller removes its folder."""
    return Service(Path(__file__).parents[1] / "http/program.cai", f"sqlite:///{tempfile.mkdtemp()}/app.db")


def fuzz_http(data: bytes) -> None:
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    method, _, target = first.partition(" ")
    if not _METHOD.fullmatch(method) or not target.startswith("/") or not target.isprintable() or " " in target:
        return
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    if any(not _NAME.fullmatch(name) or not _VALUE.fullmatch(value) for name, value in headers):
        return
    if any(name.lower() == "authorization" and value == "Bearer admin" for name, value in headers):
        now = service().composition.clock().timestamp()
        token = issue_token(SigningKey(secret=SECRET), "00000000-0000-7000-8000-000000000001", ["admin"], None, now, extra={})
        headers = [(name, value if name.lower() != "authorization" else f"Bearer {token}") for name, value in headers]
    if body and "content-length" not in {name.lower() for name, _ in headers}:
        headers.append(("Content-Length", str(len(body))))
    found = service().run(run(service().composition.asgi, scope_of(method, target, headers), [body] if body else []))
    check(found, method)


def check(found: Answer, method: str) -> None:
    assert found.status < 500 or found.status in _ALLOWED_ABOVE, (found.status, found.body[:500])
    assert found.header("x-request-id")
    if found.status >= 400 and method != "HEAD":
        problem = json.loads(found.body)
        assert problem["status"] == found.status
        assert problem["code"]
