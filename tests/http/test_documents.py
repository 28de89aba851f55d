"""What is said of bodies that are no JSON, or hold what no field takes, read aloud: what is wrong, and where."""

from decimal import Decimal

import pytest

JSON = {"content-type": "application/json"}
PROGRAM = """
entity Deal { id: uuid, primary, auto  name: string, required  count: int  share: decimal  rest: json }
resource Deal at /deals { auth: public }
endpoint POST /open { auth: public  body: json  returns: json  do { return body } }
"""


@pytest.fixture(scope="module")
def deals(request):
    return request.getfixturevalue("sqlite_service_of")(PROGRAM)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b'{"name": "a", "name": "b"}', 400, "'name' stands twice in an object of the body"),
        (b'{"name": "a", "rest": {"x": {"y": 1, "y": 2}}}', 400, "'y' stands twice in an object of the body"),
        pytest.param(
            b"{%b}" % b",".join(b'"a%d":1' % (at % 49_999) for at in range(50_000)),
            400,
            "'a0' stands twice in an object of the body",
            id="many",
        ),
        (b'{"name": "\xff"}', 400, "the body is not JSON: it is not UTF-8 at byte 10"),
        (b'{"name": "\\ud800"}', 400, "the body is not JSON: a text holds half of a surrogate pair"),
        (b'{"name": "\\udc00"}', 400, "the body is not JSON: a text holds half of a surrogate pair"),
        (b'{"name": "a", "count": %b}' % (b"9" * 5000), 400, "the body is not JSON: a number has too many digits"),
        (b'{"name": "a", "rest": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 400, "the body is nested more than 64 deep"),
        (b'{"name": "a", "count": 1e400}', 422, ("count", "is a number beyond every range")),
        (b'{"name": "a", "rest": 1e400}', 422, ("rest", "is a number beyond every range")),
        (b'{"name": "a", "cuont": 1}', 422, ("cuont", "is not a field of this request; did you mean 'count'?")),
        (b'{"name": "a", "elephants": 1}', 422, ("elephants", "is not a field of this request")),
    ],
)
def test_what_is_wrong_is_said(deals, body, status, said):
    answer = deals.request("POST", "/deals", body=body, headers=JSON)
    assert answer.status == status
    if status == 400:
        assert answer.json["detail"] == said
    else:
        assert [(error["field"], error["message"]) for error in answer.json["errors"]] == [said]


@pytest.mark.parametrize("body", [b'{"a": "\\ud800"}', b'{"\\udc00": 1}', b'{"a": 1e400}', b"-1e400"])
def test_what_no_answer_can_hold_is_refused_where_every_document_is_taken(deals, body):
    answer = deals.request("POST", "/open", body=body, headers=JSON)
    assert (answer.status, answer.code) == (400, "malformed_json")


def test_a_whole_number_with_a_point_takes_no_digits_from_its_neighbours(deals):
    body = b'{"name": "a", "count": 3.0, "share": 0.1234567890123456789012345}'
    answer = deals.request("POST", "/deals", body=body, headers=JSON)
    assert answer.status == 201, answer.body
    assert (answer.json["count"], answer.json["share"]) == (3, Decimal("0.1234567890123456789012345"))


@pytest.mark.parametrize("kind", ["text/plain", "application/json; charset=latin-1", "garbage"])
def test_another_media_type_is_named(deals, kind):
    answer = deals.request("POST", "/deals", body=b"{}", headers={"content-type": kind})
    assert (answer.status, answer.json["detail"]) == (415, f"the body must be application/json, the content type is {kind}")


@pytest.mark.parametrize("name", ["limit", "page", "sort", "total", "q", "expand", "cursor"])
def test_a_parameter_of_lists_that_stands_twice_is_refused(deals, name):
    answer = deals.request("GET", f"/deals?{name}=1&{name}=2")
    assert (answer.status, answer.fields) == (422, [(name, "wrong_value")])


def test_a_number_that_is_too_large_is_told_how_large_it_may_be(deals):
    answer = deals.request("GET", "/deals?page=9223372036854775807")
    assert answer.json["errors"][0]["message"] == "must be a whole number from 1 to 999,999,999"
