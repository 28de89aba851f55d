"""``WWW-Authenticate``: every 401 says each way in which a caller can say who it is (RFC 9110, sections 11.6.1 and 15.5.2)."""

import base64

import pytest

BEARER, KEY, BASIC = "Bearer", 'ApiKey realm="service", header="x-api-key"', 'Basic realm="staff", charset="UTF-8"'
PROGRAM = """
auth main { method: jwt  secret: secret(JWT_SECRET) }
auth service { method: api_key  header: "X-API-Key"  keys: "robot:robot-key:reader" }
auth staff { method: basic  users: "ada:lovelace" }
role reader { permissions: ["things:read"] }
endpoint GET /any { auth: required  returns: json  do { return 1 } }
endpoint POST /login { auth: public  returns: json  do { fail 401 "the password is wrong" } }
endpoint GET /open { auth: public  returns: json  do { return 1 } }
"""
ONE = {
    "api_key": ('auth a { method: api_key  header: "X-Key"  keys: "k" }', 'ApiKey realm="a", header="x-key"'),
    "basic": ('auth a { method: basic  users: "u:p" }', 'Basic realm="a", charset="UTF-8"'),
    "a realm": (
        r'auth a { method: basic  users: "u:p"  realm: "the \"back\" office" }',
        r'Basic realm="the \"back\" office", charset="UTF-8"',
    ),
    "jwt": ("auth a { method: jwt  secret: secret(JWT_SECRET) }", "Bearer"),
}


def challenges(answer):
    return [value for name, value in answer.headers if name == "www-authenticate"]


def refused(text):
    return f'Bearer error="invalid_token", error_description="{text}"'


@pytest.mark.parametrize(
    ("path", "headers", "said"),
    [
        ("/any", {}, [BEARER, KEY, BASIC]),
        ("/any", {"authorization": "Bearer a.b.c"}, [refused("invalid token"), KEY, BASIC]),
        ("/any", {"authorization": "Basic " + base64.b64encode(b"ada:x").decode()}, [BEARER, KEY, BASIC]),
        ("/any", {"x-api-key": "none"}, [BEARER, KEY, BASIC]),
        ("/any", {"authorization": "Digest x"}, [BEARER, KEY, BASIC]),
        ("/open", {"authorization": "Bearer a.b.c"}, []),
    ],
)
def test_a_refusal_names_each_way(sqlite_service_of, path, headers, said):
    answer = sqlite_service_of(PROGRAM).request("GET", path, headers=headers)
    assert (answer.status, challenges(answer)) == (401 if said else 200, said)


@pytest.mark.parametrize(("declared", "said"), ONE.values(), ids=ONE)
def test_only_ways_that_the_program_knows_are_named(sqlite_service_of, declared, said):
    service = sqlite_service_of(declared + "\nendpoint GET /any { auth: required  returns: json  do { return 1 } }\n")
    assert challenges(service.request("GET", "/any")) == [said]


def test_a_program_that_fails_with_401_says_so_too(sqlite_service_of):
    answer = sqlite_service_of(PROGRAM).request("POST", "/login")
    assert (answer.status, challenges(answer)) == (401, [BEARER, KEY, BASIC])


def test_operators_are_told_how_callers_say_who_they_are(sqlite_service_of):
    answer = sqlite_service_of(ONE["basic"][0]).request("GET", "/metrics", headers={"x-forwarded-for": "203.0.113.9"})
    assert (answer.status, challenges(answer)) == (401, ['Basic realm="a", charset="UTF-8"'])
