"""Path, query, header and cookie parameters, and the parameters of lists."""

import uuid
from decimal import Decimal
from urllib.parse import quote

import pytest


def test_parameters_of_every_place(plain):
    answer = plain.request(
        "GET",
        "/echo/7?text=a%20b+c&many=1,2&many=3&flag=true&amount=1.255&when=2026-02-28",
        headers={"x-shade": "ignored", "x_shade": "blue", "cookie": 'other=1; visit="3"; visit=4'},
    )
    assert answer.json | {"shade": None} == {
        "number": 7,
        "text": "a b c",
        "many": [1, 2, 3],
        "flag": True,
        "amount": Decimal("1.26"),
        "when": "2026-02-28",
        "shade": None,
        "visit": 3,
    }


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("text=12345678901", "text", "wrong_value"),
        ("text=a&text=b", "text", "wrong_value"),
        ("many=x", "many", "wrong_value"),
        ("many=", "many", "wrong_value"),
        ("many=1,,2", "many", "wrong_value"),
        ("many=9223372036854775808", "many", "wrong_value"),
        ("flag=maybe", "flag", "wrong_value"),
        ("flag=", "flag", "wrong_value"),
        ("amount=NaN", "amount", "wrong_value"),
        ("amount=1e99999999", "amount", "wrong_value"),
        ("amount=1_000", "amount", "wrong_value"),
        ("amount=0x1", "amount", "wrong_value"),
        ("when=2026-02-30", "when", "wrong_value"),
        ("when=20260228", "when", "wrong_value"),
        ("when=today", "when", "wrong_value"),
    ],
)
def test_a_wrong_query_parameter_is_422_with_its_name(plain, query, field, code):
    answer = plain.request("GET", "/echo/1?" + query)
    assert (answer.status, answer.fields) == (422, [(field, code)])


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", "9223372036854775808", "1e3", "\u0663", "1_0", " 1"])
def test_a_path_parameter_that_fits_nothing_is_404(plain, number):
    assert plain.request("GET", f"/echo/{quote(number)}").status == 404


@pytest.mark.parametrize("query", ["text=%ff", "%ff=1", "text=a%00b", "&".join(f"a{at}=1" for at in range(101)), "text=%c3%28"])
def test_a_query_string_that_is_no_text_is_400(plain, query):
    answer = plain.request("GET", "/echo/1?" + query)
    assert (answer.status, answer.code) == (400, "malformed_query")


@pytest.mark.parametrize("query", ["", "?", "?&&", "?=", "?=x", "?a", "?a=b=c", "?%zz=1", "?text=%zz"])
def test_odd_query_strings_do_no_harm(plain, query):
    assert plain.request("GET", "/echo/1" + query).status == 200


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("colour=red", 422, "colour"),
        ("Name=x", 422, "Name"),
        ("name[]=x", 422, "name[]"),
        ("price=1", 422, "price"),  # not in filter_by
        ("key=hush", 422, "key"),
        ("count=x", 422, "count"),
        ("min_count=3&max_count=1", 200, None),
        ("kind=medium", 422, "kind"),
        ("ready=perhaps", 422, "ready"),
        ("shelf=1", 422, "shelf"),
        ("page=0", 422, "page"),
        ("page=-1", 422, "page"),
        ("page=1.5", 422, "page"),
        ("page=9999999999999999999999", 422, "page"),
        ("page=999999999", 200, None),
        ("limit=0", 422, "limit"),
        ("limit=51", 422, "limit"),
        ("limit=x", 422, "limit"),
        ("limit=50", 200, None),
        ("sort=price", 422, "sort"),
        ("sort=key", 422, "sort"),
        ("sort=--name", 422, "sort"),
        ("sort=", 422, "sort"),
        ("sort=name,-count", 200, None),
        ("expand=nothing", 422, "expand"),
        ("expand=shelf.things.shelf.things.shelf.things", 422, "expand"),
        ("expand=shelf", 200, None),
        ("total=maybe", 422, "total"),
        ("total=exact", 200, None),
        ("total=estimated", 200, None),
        ("cursor=nonsense", 404, "cursor"),
        ("cursor=" + "A" * 5000, 404, "cursor"),
        ("search=x", 422, "search"),  # nothing is searchable here
        ("q=" + quote("name ="), 422, "q"),
        ("q=" + quote("name == 'x' @"), 422, "q"),
        ("q=" + quote("nothing == 1"), 422, "q"),
        ("q=" + quote("count == 'x'"), 422, "q"),
        ("q=" + quote("x" * 2001), 422, "q"),
        ("q=" + quote("(" * 200 + "count == 1" + ")" * 200), 422, "q"),
        ("q=" + quote(" or ".join(["count == 1"] * 60)), 422, "q"),
        ("q=" + quote("select Thing"), 422, "q"),
        ("q=" + quote("delete Thing where all"), 422, "q"),
        ("q=" + quote("count(Thing) > 0"), 422, "q"),
        ("q=" + quote("key == 'hush'"), 422, "q"),
        ("q=", 200, None),
        ("q=" + quote("name contains 'x' and count >= 0"), 200, None),
        ("q=" + quote('kind:large count:>3 "exact words" -other'), 422, "q"),  # words need a searchable field
        ("q=" + quote("kind:large count:>3"), 200, None),
    ],
)
def test_parameters_of_lists(service, query, status, field):
    answer = service.request("GET", "/things?" + query)
    assert answer.status == status, answer.body
    if field is not None:
        assert answer.fields[0][0] == field


HOSTILE = [
    "'; DROP TABLE things; --",
    "' OR '1'='1",
    '" OR ""="',
    "1) UNION SELECT 1,2,3 --",
    "$1",
    "?1",
    "%s %(x)s",
    "{{7*7}}${7*7}",
    "\\'; SELECT pg_sleep(10); --",
    "%",
    "_",
    "\\",
    "<script>alert(1)</script>",
    "\u202e\u200b",
    "\uff24\uff32\uff2f\uff30",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_only_texts(service, text):
    made = service.request("POST", "/things", {"name": text, "price": 1000, "free": {text: text}, "words": [text[:10]]})
    assert made.status == 201, made.body
    assert (made.json["name"], made.json["free"], made.json["words"]) == (text, {text: text}, [text[:10]])
    found = service.request("GET", "/things?limit=50&name=" + quote(text)).json["data"]
    assert {row["name"] for row in found} == (set() if "," in text else {text})  # a comma separates alternatives
    literal = "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("{", "\\{") + "'"
    by_text = service.request("GET", "/things?limit=50&q=" + quote(f"name == {literal}"))
    assert by_text.status == 200, by_text.body
    assert {row["name"] for row in by_text.json["data"]} == {text}
    contained = service.request("GET", "/things?limit=50&q=" + quote(f"name contains {literal}")).json["data"]
    assert all(text in row["name"] for row in contained) and contained
    for parameter in ("sort", "expand", "cursor", "page", "limit", "total", "kind", "shelf", "count", text):
        assert service.request("GET", f"/things?{quote(parameter)}={quote(text)}").status in (404, 422)
    assert service.request("GET", "/things/" + quote(text, safe="")).status == 404
    assert service.request("DELETE", "/things/" + quote(text, safe="")).status == 404
    assert service.request("GET", f"/things/{made.json['id']}").json == made.json


def test_hostile_texts_in_headers_and_tokens(service):
    for text in HOSTILE[:10]:
        value = text.encode("latin-1", "replace").decode("latin-1")
        assert service.request("GET", "/echo/1", headers={"x_shade": value[:10], "cookie": f"visit={value}"}).status in (200, 422)
        assert service.request("GET", "/notes", headers={"authorization": f"Bearer {value}"}).status == 401


def test_rows_of_other_owners_are_not_there(service):
    mine, other = service.token(uuid.UUID(int=101)), service.token(uuid.UUID(int=102))
    note = service.request("POST", "/notes", {"text": "mine", "owner": str(uuid.UUID(int=101))}, token=mine)
    assert note.status == 201
    path = f"/notes/{note.json['id']}"
    missing = f"/notes/{uuid.UUID(int=404)}"
    for send in (("GET",), ("PATCH", {"text": "stolen"}), ("DELETE",)):
        for target in (path, missing):
            answer = service.request(send[0], target, *send[1:], token=other)
            assert (answer.status, answer.code) == (404, "not_found")
    assert service.request("GET", "/notes", token=other).json["data"] == []
    forged = service.request("POST", "/notes", {"text": "x", "owner": str(uuid.UUID(int=101))}, token=other)
    assert (forged.status, forged.code) == (403, "forbidden")
    given_away = service.request("PATCH", path, {"owner": str(uuid.UUID(int=102))}, token=mine)
    assert (given_away.status, given_away.code) == (403, "forbidden")
    assert service.request("GET", path, token=mine).json["text"] == "mine"


def test_rows_of_other_tenants_are_not_there(service):
    ours, theirs = str(uuid.UUID(int=201)), str(uuid.UUID(int=202))
    here = service.token("ada", tenant=ours)
    there = service.token("bob", tenant=theirs)
    row = service.request("POST", "/ledgers", {"text": "ours"}, token=here)
    assert (row.status, row.json["org"]) == (201, ours)
    path = f"/ledgers/{row.json['id']}"
    for send in (("GET",), ("PATCH", {"text": "theirs"}), ("DELETE",)):
        assert service.request(send[0], path, *send[1:], token=there).status == 404
    assert service.request("GET", "/ledgers", token=there).json["data"] == []
    assert service.request("GET", "/ledgers?q=" + quote(f"org == '{ours}'"), token=there).json["data"] == []
    forged = service.request("POST", "/ledgers", {"text": "x", "org": ours}, token=there)
    assert forged.status == 422 or forged.json["org"] == theirs
    moved = service.request("PATCH", path, {"org": theirs}, token=here)
    assert moved.status == 422
    nobody = service.request("GET", "/ledgers", token=service.token("eve"))
    assert (nobody.status, nobody.json["data"]) == (200, [])
    refused = service.request("POST", "/ledgers", {"text": "x"}, token=service.token("eve"))
    assert (refused.status, "you to none" in refused.json["hint"]) == (403, True)
    assert service.request("GET", path, token=here).json["text"] == "ours"
