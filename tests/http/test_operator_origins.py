"""Operators by name and password: a browser adds them to whatever a page has it do, so pages of other origins must change nothing."""

import base64

import pytest
from surroundings import from_address, served

PROGRAM = """
role admin { permissions: ["*:*"] }
auth staff { method: basic  users: env(STAFF) }
entity Thing { id: uuid, primary, auto  name: string }
resource Thing at /things { auth: public }
"""
BASIC = ("authorization", "Basic " + base64.b64encode(b"ops:secret").decode())
HOST = ("host", "api.example.com")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    found = served(tmp_path_factory.mktemp("origins"), PROGRAM, {"STAFF": "ops:secret:admin"})
    yield found
    found.close()


FOREIGN = [
    [("origin", "https://evil.example")],
    [("origin", "null")],
    [("origin", "https://api.example.com.evil.example")],
    [("sec-fetch-site", "cross-site")],
    [("sec-fetch-site", "same-site"), ("origin", "https://api.example.com")],
]
OWN = [[], [("origin", "https://api.example.com"), ("sec-fetch-site", "same-origin")], [("sec-fetch-site", "none")]]


@pytest.mark.parametrize("headers", FOREIGN, ids=range(len(FOREIGN)))
def test_pages_of_other_origins_change_nothing(service, headers):
    given = [HOST, BASIC, *headers]
    purge = "/api/v1/admin/jobs/purge?status=failed"
    answer = from_address(service, "10.0.0.7", purge, "POST", given)
    assert (answer.status, answer.code) == (403, "forbidden")
    assert from_address(service, "10.0.0.7", "/api/v1/admin/jobs/x", "DELETE", given).status == 403


@pytest.mark.parametrize("headers", FOREIGN, ids=range(len(FOREIGN)))
def test_what_they_read_stays_with_the_browser(service, headers):
    answer = from_address(service, "10.0.0.7", "/api/v1/executions", "GET", [HOST, BASIC, *headers])
    assert answer.status == 200
    assert answer.header("access-control-allow-origin") is None


@pytest.mark.parametrize("headers", OWN, ids=range(len(OWN)))
def test_tools_and_own_pages_do_what_they_want(service, headers):
    answer = from_address(service, "10.0.0.7", "/api/v1/admin/jobs/purge?status=failed", "POST", [HOST, BASIC, *headers])
    assert (answer.status, answer.json) == (200, {"purged": 0})


def test_a_token_is_sent_by_no_browser_on_its_own(service):
    bearer = ("authorization", f"Bearer {service.token('ops', 'admin')}")
    answer = from_address(service, "10.0.0.7", "/api/v1/admin/jobs/purge?status=failed", "POST", [HOST, bearer, *FOREIGN[0]])
    assert answer.status in (200, 401)  # the program has no JWT provider: it is the guard of roles that decides, not the origin
    assert answer.status == 401
