"""What clients send as bodies: malformed, deep, huge, of wrong types, with names that they may not set."""

import math
import uuid
from decimal import Decimal

import pytest

JSON = {"content-type": "application/json"}
EVERYTHING = {
    "name": "lamp",
    "code": "l1",
    "count": 3,
    "price": 12.5,
    "ratio": 0.25,
    "ready": True,
    "kind": "large",
    "mail": "ada@example.com",
    "page": "https://example.com/x?y=1",
    "at": "2026-01-02T03:04:05.123456Z",
    "day": "2026-02-28",
    "hour": "23:59:59",
    "span": "1h30m",
    "free": {"a": [1, None, {"b": "ü"}]},
    "raw": "AAEC/w==",
    "words": ["one", "zwei"],
    "scores": {"a": 1, "b": -2},
}


def create(service, **fields):
    return service.request("POST", "/things", {"name": "x", "price": 1000, **fields})


def test_every_type_comes_back_as_it_was_sent(service):
    created = create(service, **EVERYTHING)
    assert created.status == 201, created.body
    assert created.header("location") == f"/things/{created.json['id']}"
    shown = service.request("GET", f"/things/{created.json['id']}").json
    assert shown == created.json
    expected = {**EVERYTHING, "price": Decimal("12.50"), "ratio": Decimal("0.25"), "span": "PT5400S"}
    assert {name: shown[name] for name in expected} == expected
    assert shown["shelf"] is None and shown["fixed"] is None and "key" not in shown


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"),
        (b" ", "malformed_json"),
        (b"{", "malformed_json"),
        (b'{"name": "x"', "malformed_json"),
        (b'{"name": "x"}}', "malformed_json"),
        (b'{"name": "x"} {}', "malformed_json"),
        (b"{'name': 'x'}", "malformed_json"),
        (b'{"name": "x",}', "malformed_json"),
        (b'{name: "x"}', "malformed_json"),
        (b'{"name": "x", "ratio": NaN}', "malformed_json"),
        (b'{"name": "x", "ratio": Infinity}', "malformed_json"),
        (b'{"name": "x", "ratio": -Infinity}', "malformed_json"),
        (b'{"name": "x", "free": NaN}', "malformed_json"),
        (b'{"name": "x", "count": 01}', "malformed_json"),
        (b'{"name": "x", "count": +1}', "malformed_json"),
        (b'{"name": "x", "count": 0x10}', "malformed_json"),
        (b'{"name": "\xff\xfe"}', "malformed_json"),
        (b'{"name": "\xc3"}', "malformed_json"),
        (b'{"name": "\xed\xa0\x80"}', "malformed_json"),
        (b'{"name": "a\nb"}', "malformed_json"),
        (b'\xef\xbb\xbf{"name": "x"}', "malformed_json"),
        ('{"name": "x"}'.encode("utf-16"), "malformed_json"),
        (b"\x00", "malformed_json"),
        (b'{"name": "x", "name": "y"}', "duplicate_key"),
        (b'{"name": "x", "free": {"a": 1, "a": 2}}', "duplicate_key"),
        (b'{"name": "x", "\\u006eame": "y"}', "duplicate_key"),
        (b'{"name": "x", "free": ' + b"[" * 100 + b"]" * 100 + b"}", "too_deep"),
        (b'{"name": "x", "free": ' + b'{"a":' * 100 + b"1" + b"}" * 101, "too_deep"),
        (b"[" * 100_000, "too_deep"),
        (b"[" * 100_000 + b"]" * 100_000, "too_deep"),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "too_deep"),
    ],
)
@pytest.mark.parametrize("path", ["/things", "/open"])
def test_what_is_no_json_is_400(plain, path, body, code):
    answer = plain.request("POST", path, body=body, headers=JSON)
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize("body", [b"null", b"1", b'"x"', b"[]", b"true", b'[{"name": "x"}]'])
def test_a_document_of_another_kind_is_422(plain, body):
    answer = plain.request("POST", "/things", body=body, headers=JSON)
    assert (answer.status, answer.fields) == (422, [("", "wrong_type")])


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", None, "required"),
        ("name", 1, "wrong_type"),
        ("name", "", "too_short"),
        ("name", "x" * 41, "too_long"),
        ("name", "a\x00b", "null_character"),
        ("name", ["x"], "wrong_type"),
        ("name", {"$ne": ""}, "wrong_type"),
        ("code", "A b", "pattern"),
        ("code", "a\n", "pattern"),
        ("count", "3", "wrong_type"),
        ("count", 3.5, "wrong_type"),
        ("count", -1, "too_small"),
        ("count", True, "wrong_type"),
        ("count", 2**63, "out_of_range"),
        ("count", 10**400, "out_of_range"),
        ("price", "x", "wrong_type"),
        ("price", "NaN", "out_of_range"),
        ("price", "1e999999999", "out_of_range"),
        ("price", 10**9, "out_of_range"),
        ("price", "-0.01", "too_small"),
        ("ratio", "0.5", "wrong_type"),
        ("ratio", "NaN", "wrong_type"),
        ("ratio", 10**400, "out_of_range"),
        ("ready", 1, "wrong_type"),
        ("ready", "true", "wrong_type"),
        ("kind", "medium", "wrong_type"),
        ("kind", 1, "wrong_type"),
        ("mail", "ada", "not_email"),
        ("mail", "a@b@c", "not_email"),
        ("mail", "a@example.com\nBcc: b@example.com", "not_email"),
        ("page", "javascript:alert(1)", "not_url"),
        ("page", "http://[", "not_url"),
        ("page", "http://a b/", "not_url"),
        ("at", "2026-01-02T03:04:05", "wrong_type"),
        ("at", "yesterday", "wrong_type"),
        ("at", "2026-13-01T00:00:00Z", "wrong_type"),
        ("at", 0, "wrong_type"),
        ("at", "0001-01-01T00:00:00+23:00", "out_of_range"),
        ("day", "2026-02-30", "wrong_type"),
        ("day", "2026-02-03T00:00:00Z", "wrong_type"),
        ("hour", "25:00", "wrong_type"),
        ("span", "soon", "not_duration"),
        ("span", "99999999999999999999d", "not_duration"),
        ("raw", "not base64!", "wrong_type"),
        ("words", "one", "wrong_type"),
        ("words", ["x" * 11], "too_long"),
        ("words", [None], "wrong_type"),
        ("scores", {"a": "x"}, "wrong_type"),
        ("scores", [1], "wrong_type"),
        ("free", {"a": "x\x00y"}, "null_character"),
        ("free", {"a\x00": 1}, "null_character"),
        ("shelf", "not a uuid", "wrong_type"),
        ("shelf", 1, "wrong_type"),
        ("id", str(uuid.UUID(int=1)), "unknown_field"),
        ("created_at", "2026-01-01T00:00:00Z", "unknown_field"),
        ("stamp", "mine", "unknown_field"),
        ("nonsense", 1, "unknown_field"),
        ("__proto__", {}, "unknown_field"),
        ("", 1, "unknown_field"),
    ],
)
def test_what_does_not_fit_is_422_with_the_field(service, field, value, code):
    answer = create(service, **{field: value})
    assert answer.status == 422, answer.body
    found, found_code = answer.fields[0]
    assert found.split(".")[0] == field
    assert (found_code, len(answer.fields)) == (code, 1)


def test_lone_surrogates_are_refused(service):
    for body in (b'{"name": "\\ud800", "price": 1}', b'{"name": "x", "price": 1, "free": {"a": "\\udc00"}}'):
        assert service.request("POST", "/things", body=body, headers=JSON).status in (400, 422)


def test_every_wrong_field_is_named_at_once(service):
    answer = service.request("POST", "/things", {"count": "x", "mail": "y", "extra": 1, "price": None})
    assert sorted(answer.fields) == [("count", "wrong_type"), ("extra", "unknown_field"), ("mail", "not_email"), ("name", "required")]


def test_nested_values_are_checked_with_their_path(plain):
    answer = plain.request("POST", "/parts", {"parts": [{"name": "a"}, {"name": "", "weight": -1}, {"name": "b", "nose": 1}], "title": "t"})
    assert answer.status == 422
    assert answer.fields[0][0].startswith("parts.")
    fine = plain.request("POST", "/parts", {"parts": [{"name": "a", "weight": 1.255}], "by": {"name": "b"}})
    assert fine.json == {"parts": [{"name": "a", "weight": Decimal("1.26")}], "title": None, "by": {"name": "b"}}
    for parts, code in (([], "too_short"), ([{"name": "a"}] * 4, "too_long")):
        assert plain.request("POST", "/parts", {"parts": parts}).fields == [("parts", code)]


def test_numbers_keep_their_digits(service):
    body = b'{"name": "x", "price": 12345678.90, "count": 9007199254740993, "free": {"big": 12345678901234567890, "f": 0.1}}'
    refused = service.request("POST", "/things", body=body, headers=JSON)
    assert (refused.status, refused.code) == (422, "check_failed")
    assert refused.fields == [("price", "check_failed"), ("count", "check_failed")]
    assert "price >= count" in refused.json["errors"][0]["message"]
    created = service.request("POST", "/things", body=body.replace(b"9007199254740993", b"12345678"), headers=JSON)
    assert created.status == 201, created.body
    assert created.json["price"] == Decimal("12345678.90")
    assert created.json["free"] == {"big": 12345678901234567890, "f": Decimal("0.1")}
    scored = create(service, scores={"a": 9007199254740993})
    assert scored.json["scores"] == {"a": 9007199254740993}
    assert math.isclose(create(service, ratio=1e308).json["ratio"], 1e308)


def test_values_are_rounded_half_even_to_their_column(service):
    for sent, kept in (("0.125", "0.12"), ("0.135", "0.14"), ("0.1350001", "0.14"), ("7", "7.00")):
        assert create(service, price=sent).json["price"] == Decimal(kept)


def test_explicit_null_clears_and_absent_keeps(service):
    thing = create(service, code="nulls", count=2, mail="a@example.com").json
    path = f"/things/{thing['id']}"
    patched = service.request("PATCH", path, {"mail": None})
    assert (patched.json["mail"], patched.json["code"]) == (None, "nulls")
    assert service.request("PATCH", path, {"name": None}).fields == [("name", "required")]
    assert service.request("PATCH", path, {}).json == patched.json
    replaced = service.request("PUT", path, {"name": "z", "price": 5})
    assert (replaced.json["code"], replaced.json["count"], replaced.json["price"]) == (None, 0, Decimal("5.00"))
    assert service.request("PUT", path, {"price": 5}).fields == [("name", "required")]


@pytest.mark.parametrize("name", ["id", "created_at", "stamp"])
def test_what_is_ours_is_never_set_by_a_client(service, name):
    thing = create(service).json
    for method in ("PATCH", "PUT"):
        answer = service.request(method, f"/things/{thing['id']}", {"name": "y", "price": 1000, name: str(uuid.UUID(int=3))})
        assert (answer.status, answer.fields) == (422, [(name, "unknown_field")])
    assert service.request("GET", f"/things/{thing['id']}").json == thing


def test_an_immutable_field_is_set_once(service):
    thing = create(service, fixed="first").json
    assert thing["fixed"] == "first"
    answer = service.request("PATCH", f"/things/{thing['id']}", {"fixed": "second"})
    assert answer.status == 422 and answer.fields[0][0] == "fixed"


def test_a_secret_is_taken_and_never_shown(service):
    created = create(service, key="hush")
    assert created.status == 201 and b"hush" not in created.body
    page = service.request("GET", "/things?limit=50")
    assert b"hush" not in page.body and b'"key"' not in page.body
    for query in ("sort=key", "key=hush", "q=key == 'hush'", "q=key:hush"):
        assert service.request("GET", "/things?" + query.replace(" ", "%20")).status == 422


def test_an_open_body_is_any_json(plain):
    for value in (None, 1, "x", [], {"a": {"b": [1, "ü"]}}, [[[[]]]]):
        assert plain.request("POST", "/open", value).json == value
    assert plain.request("POST", "/open", body=b'{"a": "x\\u0000y"}', headers=JSON).json == {"a": "x\x00y"}
