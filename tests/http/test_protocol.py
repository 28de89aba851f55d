"""HTTP as its standards say: methods, media types, lengths, conditions, compression, ids, paths."""

import gzip
import json
import uuid

import brotli
import pytest

MISSING = "/things/00000000-0000-7000-8000-000000000000"
PROBLEM = "application/problem+json"


def test_every_problem_has_the_members_of_rfc_9457_and_ours(plain):
    answer = plain.request("GET", MISSING, headers={"x-request-id": "abc-1"})
    assert answer.header("content-type") == PROBLEM
    assert answer.json == {
        "type": "about:blank",
        "title": "Not found",
        "status": 404,
        "detail": "no such Thing",
        "code": "not_found",
        "request_id": "abc-1",
    }


@pytest.mark.parametrize(
    ("method", "target", "status", "allow"),
    [
        ("GET", "/nowhere", 404, None),
        ("GET", "/things/x/y", 404, None),
        ("GET", "/things/", 404, None),
        ("GET", "//things", 404, None),
        ("GET", "/Things", 404, None),
        ("PUT", "/things", 405, "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/things", 405, "GET, HEAD, OPTIONS, POST"),
        ("POST", MISSING, 405, "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("TRACE", "/things", 405, "GET, HEAD, OPTIONS, POST"),
        ("CONNECT", "/things", 405, "GET, HEAD, OPTIONS, POST"),
        ("BREW", "/things", 405, "GET, HEAD, OPTIONS, POST"),
        ("get", "/things", 405, "GET, HEAD, OPTIONS, POST"),
        ("GET", "/twice", 405, "OPTIONS, POST"),
        ("HEAD", "/twice", 405, "OPTIONS, POST"),
        ("POST", "/health", 405, "GET, HEAD, OPTIONS"),
        ("OPTIONS", "/things", 204, "GET, HEAD, OPTIONS, POST"),
        ("OPTIONS", "/twice", 204, "OPTIONS, POST"),
        ("OPTIONS", "/nowhere", 404, None),
    ],
)
def test_methods_and_paths(plain, method, target, status, allow):
    answer = plain.request(method, target)
    assert answer.status == status
    assert answer.header("allow") == allow
    if status >= 400 and method != "HEAD":
        assert answer.header("content-type") == PROBLEM


@pytest.mark.parametrize(
    "target",
    [
        "/things/..%2f..%2fetc%2fpasswd",
        "/things/%2e%2e/%2e%2e/etc/passwd",
        "/../../etc/passwd",
        "/docs/../../../etc/passwd",
        "/docs/%2e%2e%2f%2e%2e%2fpyproject.toml",
        "/docs/..%5c..%5cwin.ini",
        "/echo/1%2f2",
    ],
)
def test_no_path_leads_out_of_the_routes(plain, target):
    answer = plain.request("GET", target)
    assert answer.status == 404
    assert b"root:" not in answer.body


@pytest.mark.parametrize("target", ["/things/%00", "/things/%ff%fe", "/things/a%00b", "/things/%c3"])
def test_a_path_that_is_no_text_is_refused(plain, target):
    assert (plain.request("GET", target).status, plain.request("GET", target).code) == (400, "malformed_path")


def test_head_is_get_without_the_body(plain):
    for target in ("/things", "/openapi.json", "/health", "/echo/3"):
        got, headed = plain.request("GET", target), plain.request("HEAD", target)
        assert headed.status == got.status == 200
        assert headed.body == b""
        if target != "/health":
            assert headed.header("content-length") == str(len(got.body))
        assert headed.header("content-type") == got.header("content-type")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("*/*", 200),
        ("application/*;q=0.5", 200),
        ("text/html, */*;q=0.1", 200),
        ("APPLICATION/JSON", 200),
        ("application/json; charset=utf-8", 200),
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("application/json;q=0, */*", 406),
        ("application/xml, text/plain;q=0.9", 406),
        ("", 200),
        (",,;;", 200),
        ("*/*;q=nonsense", 406),
    ],
)
def test_what_the_client_accepts(plain, accept, status):
    answer = plain.request("GET", "/echo/1", headers={"accept": accept})
    assert answer.status == status
    if status == 406:
        assert answer.code == "not_acceptable"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("application/vnd.api+json", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/jsonp", 415),
        ("application/json; charset=latin1", 415),
        ("application/json; charset=utf-16", 415),
        ("", 415),
        (None, 415),
    ],
)
def test_what_the_client_sends_is_json(plain, kind, status):
    answer = plain.request("POST", "/open", body=b'{"a":1}', headers={} if kind is None else {"content-type": kind})
    assert answer.status == status
    if status == 415:
        assert answer.code == "unsupported_media_type"
        assert answer.header("accept") == "application/json"


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "nonsense"])
def test_an_encoded_body_is_refused_not_misread(plain, encoding):
    body = gzip.compress(b'{"a":1}')
    answer = plain.request("POST", "/open", body=body, headers={"content-type": "application/json", "content-encoding": encoding})
    assert (answer.status, answer.code) == (415, "unsupported_media_type")
    assert answer.header("accept-encoding") == "identity"


@pytest.mark.parametrize(
    ("length", "status", "code"),
    [
        ("99999999999999999999999999", 413, "content_too_large"),
        ("1048577", 413, "content_too_large"),
        ("-1", 400, "malformed_length"),
        ("7x", 400, "malformed_length"),
        ("", 400, "malformed_length"),
        ("²", 400, "malformed_length"),
    ],
)
def test_the_declared_length_is_checked_before_a_byte_is_read(plain, length, status, code):
    headers = {"content-type": "application/json", "content-length": length}
    answer = plain.request("POST", "/open", body=b'{"a":1}', headers=headers)
    assert (answer.status, answer.code) == (status, code)


def test_a_body_without_a_declared_length_is_counted(plain):
    headers = {"content-type": "application/json"}
    small = plain.request("POST", "/open", body=[b'{"a"', b":", b"1}"], headers=headers, send_length=False)
    assert (small.status, small.json) == (200, {"a": 1})
    large = plain.request("POST", "/open", body=[b'{"a":"', *[b"x" * 65536] * 17, b'"}'], headers=headers, send_length=False)
    assert (large.status, large.code) == (413, "content_too_large")


def test_a_request_without_a_body_where_one_is_needed(plain):
    answer = plain.request("POST", "/open", headers={"content-type": "application/json"})
    assert (answer.status, answer.code) == (400, "malformed_json")
    empty = plain.request("POST", "/open", headers={"content-type": "application/json", "content-length": "0"})
    assert (empty.status, empty.code) == (400, "malformed_json")


def test_a_body_where_none_is_wanted_is_ignored(plain):
    assert plain.request("GET", "/echo/1", {"a": 1}).status == 200
    assert plain.request("DELETE", MISSING, {"a": 1}).status == 404


def test_single_rows_have_a_tag_and_304_when_it_is_known(service):
    thing = service.request("POST", "/things", {"name": "tagged", "price": 1}).json
    path = f"/things/{thing['id']}"
    tag = service.request("GET", path).header("etag")
    assert tag is not None and tag.startswith('"')
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        for method in ("GET", "HEAD"):
            again = service.request(method, path, headers={"if-none-match": known})
            assert (again.status, again.body, again.header("etag")) == (304, b"", tag)
            assert again.header("content-length") is None
    for unknown in ('"other"', tag.strip('"'), ""):
        assert service.request("GET", path, headers={"if-none-match": unknown}).status == 200
    service.request("PATCH", path, {"name": "changed"})
    changed = service.request("GET", path, headers={"if-none-match": tag})
    assert (changed.status, changed.json["name"]) == (200, "changed")


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
def test_writes_honour_if_match(service, method):
    thing = service.request("POST", "/things", {"name": "matched", "price": 1}).json
    path = f"/things/{thing['id']}"
    tag = service.request("GET", path).header("etag")
    send = (method, path) if method == "DELETE" else (method, path, {"name": "new", "price": 2})
    stale = service.request(*send, headers={"if-match": '"stale"'})
    assert (stale.status, stale.code) == (412, "precondition_failed")
    weak = service.request(*send, headers={"if-match": f"W/{tag}"})
    assert weak.status == 412  # strong comparison (RFC 9110, section 13.1.1)
    assert service.request("GET", path).json["name"] == "matched"
    assert service.request(*send, headers={"if-match": f'"x", {tag}'}).status in (200, 204)


def test_if_match_of_a_row_that_is_not_there_is_404(service):
    assert service.request("DELETE", MISSING, headers={"if-match": "*"}).status == 404


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("br", "br"),
        ("gzip, br", "br"),
        ("gzip;q=1, br;q=0.5", "gzip"),
        ("*", "br"),
        ("br;q=0, *", "gzip"),
        ("identity", None),
        ("deflate", None),
        ("gzip;q=0", None),
        ("gzip;q=0.1, identity;q=0.9", None),
        ("", None),
        ("gzip;q=x", None),
    ],
)
def test_compression_is_what_the_client_likes_best(plain, accepted, encoding):
    answer = plain.request("GET", "/openapi.json", headers={"accept-encoding": accepted})
    assert answer.header("content-encoding") == encoding
    assert "Accept-Encoding" in (answer.header("vary") or "")
    body = {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}[encoding](answer.body)
    assert json.loads(body)["openapi"] == "3.1.0"
    assert answer.header("content-length") == str(len(answer.body))


def test_small_answers_are_not_compressed(plain):
    assert plain.request("GET", "/echo/1", headers={"accept-encoding": "br"}).header("content-encoding") is None


@pytest.mark.parametrize("given", ["a", "9b2c-7", "x" * 128, "req_1:2/3", "~!#$%"])
def test_the_request_id_of_the_client_is_kept(plain, given):
    answer = plain.request("GET", MISSING, headers={"x-request-id": given})
    assert answer.header("x-request-id") == given == answer.json["request_id"]


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a\tb", "a\x7fb", "ü", "a\x00b", 'a"b', "a\\b", "<script>"])
def test_a_request_id_that_could_confuse_a_log_is_replaced(plain, given):
    answer = plain.request("GET", "/echo/1", headers={"x-request-id": given})
    made = answer.header("x-request-id")
    assert made != given
    assert made is not None and 16 <= len(made) <= 64 and made.isalnum()


def test_request_ids_of_ours_are_all_different(plain):
    assert len({plain.request("GET", "/echo/1").header("x-request-id") for _ in range(50)}) == 50


def test_long_urls_and_headers_are_refused(plain):
    assert plain.request("GET", "/echo/1?text=" + "x" * 40_000).code == "uri_too_long"
    answer = plain.request("GET", "/echo/1", headers={f"x-{at}": "y" * 1000 for at in range(40)})
    assert (answer.status, answer.code) == (431, "request_header_fields_too_large")


def test_answers_for_a_signed_in_caller_are_not_stored(service):
    token = service.token(uuid.UUID(int=7))
    assert service.request("GET", "/notes", token=token).header("cache-control") == "no-store"
    missing = service.request("GET", f"/notes/{uuid.UUID(int=9)}", token=token)
    assert missing.status == 404


def test_redirects(plain):
    answer = plain.request("GET", "/away")
    assert (answer.status, answer.header("location"), answer.body) == (303, "/echo/1", b"")


def test_a_block_that_takes_too_long_is_ended(plain):
    answer = plain.request("GET", "/slow")
    assert (answer.status, answer.code) == (504, "gateway_timeout")


def test_failures_of_the_program_are_problems(plain):
    failed = plain.request("GET", "/fail")
    assert (failed.status, failed.code, failed.json["detail"]) == (418, "kettle", "no coffee")
    divided = plain.request("GET", "/divide/0")
    assert (divided.status, divided.code) == (422, "evaluation_error")


def test_the_server_says_nothing_of_itself(plain):
    answer = plain.request("GET", MISSING)
    assert answer.header("server") is None
    assert answer.header("x-content-type-options") == "nosniff"
