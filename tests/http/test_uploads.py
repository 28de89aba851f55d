"""Uploads as form data: files and fields, limits, and forms that are none."""

import base64
import uuid

import pytest

PROGRAM = """
entity Picture { id: uuid, primary, auto  title: string(40), required  data: bytes, required }

endpoint POST /pictures {
    auth: public
    body {
        title: string(40), required
        size: int, min(1)
        public: bool
        tags: list(string(5))
        extra: json
        day: date
        avatar: bytes, required, max(20kb)
    }
    returns: json
    do {
        let made = create Picture { title: body.title, data: body.avatar }
        return {
            id: made.id, bytes: len(body.avatar), size: body.size, public: body.public
            tags: body.tags, extra: body.extra, day: body.day
        }
    }
}
endpoint GET /pictures/{id} {
    auth: public
    path { id: uuid }
    returns: bytes as "image/png"
    do { return (get Picture(path.id)).data }
}
endpoint POST /many {
    auth: public
    body { files: list(bytes), required, max_length(3) }
    returns: json
    do { return { count: body.files.length } }
}
endpoint POST /plain { auth: public  body { a: string }  returns: json  do { return { a: body.a } } }
"""
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20


@pytest.fixture(scope="module")
def service(service_of):
    return service_of(PROGRAM)


def form(*parts, boundary="xyz", end=True, disposition='form-data; name="{}"'):
    found = b""
    for name, data, *headers in parts:
        lines = [f"Content-Disposition: {disposition.format(name)}" + ('; filename="a.png"' if headers else ""), *headers]
        found += f"--{boundary}\r\n".encode() + "\r\n".join(lines).encode() + b"\r\n\r\n" + data + b"\r\n"
    return found + (f"--{boundary}--\r\n".encode() if end else b"")


def send(service, body, path="/pictures", kind="multipart/form-data; boundary=xyz", **headers):
    return service.request("POST", path, body=body, headers={"content-type": kind, **headers})


FILE = ("avatar", PNG, "Content-Type: image/png")


def test_files_and_fields_arrive_with_their_types(service):
    body = form(
        FILE,
        ("title", "Größe".encode()),
        ("size", b"7"),
        ("public", b"true"),
        ("tags", b"a"),
        ("tags", b"b"),
        ("extra", b'{"x": [1]}'),
        ("day", b"2026-02-28"),
    )
    answer = send(service, body)
    assert answer.status == 200, answer.body
    expected = {"bytes": len(PNG), "size": 7, "public": True, "tags": ["a", "b"], "extra": {"x": [1]}, "day": "2026-02-28"}
    assert {name: answer.json[name] for name in expected} == expected
    shown = service.request("GET", f"/pictures/{answer.json['id']}")
    assert (shown.status, shown.header("content-type"), shown.body) == (200, "image/png", PNG)
    assert service.request("GET", f"/pictures/{answer.json['id']}", headers={"accept": "application/json"}).status == 406


def test_the_same_body_may_come_as_json(service):
    answer = service.request("POST", "/pictures", {"title": "x", "avatar": base64.b64encode(PNG).decode()})
    assert (answer.status, answer.json["bytes"]) == (200, len(PNG))


def test_absent_and_empty_fields_are_null(service):
    answer = send(service, form(FILE, ("title", b"x"), ("size", b""), ("extra", b"")))
    assert (answer.status, answer.json["size"], answer.json["extra"], answer.json["tags"]) == (200, None, None, None)


def test_several_files_of_one_field(service):
    assert send(service, form(("files", b"a"), ("files", b"[1")), "/many").json == {"count": 2}
    assert send(service, form(*[("files", b"a")] * 4), "/many").fields == [("files", "too_long")]


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        ([("title", b"x")], [("avatar", "required")]),
        ([FILE], [("title", "required")]),
        ([FILE, ("title", b"x" * 41)], [("title", "too_long")]),
        ([FILE, ("title", b"x"), ("size", b"many")], [("size", "wrong_type")]),
        ([FILE, ("title", b"x"), ("size", b"0")], [("size", "too_small")]),
        ([FILE, ("title", b"x"), ("size", b"NaN")], [("size", "wrong_type")]),
        ([FILE, ("title", b"x"), ("public", b"perhaps")], [("public", "wrong_type")]),
        ([FILE, ("title", b"x"), ("id", b"1")], [("id", "unknown_field")]),
        ([("avatar", b"x" * 20_481), ("title", b"x")], [("avatar", "too_large")]),
        ([FILE, ("title", b"a\x00b")], [("title", "null_character")]),
        ([FILE, ("title", b'", "id": "1')], None),
    ],
)
def test_wrong_fields_are_named(service, parts, fields):
    answer = send(service, form(*parts))
    if fields is None:
        assert answer.status == 200  # quotes are only quotes
    else:
        assert (answer.status, answer.fields) == (422, fields)


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"", "multipart/form-data; boundary=xyz", 400, "malformed_json"),
        (b"garbage", "multipart/form-data; boundary=xyz", 400, "malformed_form"),
        (form(FILE, ("title", b"x"), end=False), "multipart/form-data; boundary=xyz", 400, "malformed_form"),
        (form(FILE, ("title", b"x")), "multipart/form-data", 400, "malformed_form"),
        (form(FILE, ("title", b"x")), "multipart/form-data; boundary=", 400, "malformed_form"),
        (form(FILE, ("title", b"x")), "multipart/form-data; boundary=" + "y" * 71, 400, "malformed_form"),
        (form(FILE, ("title", b"x")), "multipart/form-data; boundary=other", 400, "malformed_form"),
        (form(FILE, ("title", b"x"), ("title", b"y")), "multipart/form-data; boundary=xyz", 400, "duplicate_key"),
        (form(FILE, ("title", b"\xff\xfe")), "multipart/form-data; boundary=xyz", 400, "malformed_form"),
        (form(("title", b"x"), disposition="attachment"), "multipart/form-data; boundary=xyz", 400, "malformed_form"),
        (form(*[("t", b"")] * 300), "multipart/form-data; boundary=xyz", 400, "malformed_form"),
        (form(("avatar", b"x" * 2_000_000)), "multipart/form-data; boundary=xyz", 413, "content_too_large"),
        (form(FILE), "multipart/mixed; boundary=xyz", 415, "unsupported_media_type"),
        (b"title=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
    ],
)
def test_what_is_no_form(service, body, kind, status, code):
    answer = send(service, body, kind=kind)
    assert (answer.status, answer.code) == (status, code)


def test_forms_are_taken_only_where_there_are_files(service):
    assert send(service, form(("a", b"x")), "/plain").status == 415


def test_a_repeated_upload_is_one(service):
    key = {"idempotency-key": str(uuid.uuid4())}
    body = form(FILE, ("title", b"once"))
    first, second = send(service, body, **key), send(service, body, **key)
    assert (first.json, second.header("idempotency-replayed")) == (second.json, "true")


def test_the_document_says_both(service):
    content = service.request("GET", "/openapi.json").json["paths"]["/pictures"]["post"]["requestBody"]["content"]
    assert set(content) == {"application/json", "multipart/form-data"}
    assert content["multipart/form-data"]["schema"]["properties"]["avatar"]["contentMediaType"] == "application/octet-stream"
