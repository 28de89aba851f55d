"""Operations: what is sent, what comes back, and what happens when it goes wrong, against real peers."""

import base64
import decimal
import json
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from calling import Calling, integration

from codeai.integrations import errors
from codeai.integrations.breaker import CircuitOpen
from codeai.integrations.building import NotBuildable
from codeai.model.validation import InvalidFields
from services.peer import Behaviour, Peer, Reply, cut_off, drip, endless, hang, no_http, reset
from services.ports import free_port

Make = Callable[..., Calling]


@pytest.fixture
async def calling() -> AsyncIterator[Make]:
    """Makes the clients of a program and closes them after the test."""
    made: list[Calling] = []

    def make(text: str, environment: dict[str, str] | None = None) -> Calling:
        made.append(Calling(text, environment))
        return made[-1]

    yield make
    for each in made:
        await each.close()


SENT: list[tuple[str, dict[str, Any], str, str, dict[str, str], Any]] = [
    ('path: "/a"', {}, "GET", "/v1/a", {"accept": "application/json"}, None),
    ('path: "/a/{id}/b"', {"id": "x/y ?#ü"}, "GET", "/v1/a/x%2Fy%20%3F%23%C3%BC/b", {}, None),
    ('path: "/a/{id}"', {"id": uuid.UUID(int=7)}, "GET", f"/v1/a/{uuid.UUID(int=7)}", {}, None),
    (
        'path: "/a" query { q: string, n: int, tags: list(string), on: bool }',
        {"q": "a&b", "n": 3, "tags": ["x", "y"], "on": True},
        "GET",
        "/v1/a?q=a%26b&n=3&tags=x&tags=y&on=true",
        {},
        None,
    ),
    ('path: "/a" query { q: string }', {"q": None}, "GET", "/v1/a", {}, None),
    ('method: DELETE path: "/a"', {}, "DELETE", "/v1/a", {}, None),
    (
        'method: POST path: "/a" body { amount: decimal, required, currency: string, default("EUR"), note: string }',
        {"amount": decimal.Decimal("10.10")},
        "POST",
        "/v1/a",
        {"content-type": "application/json"},
        {"amount": 10.10, "currency": "EUR"},
    ),
    ('method: PUT path: "/a/{id}" body: json', {"id": 4, "any": [1, {"b": None}]}, "PUT", "/v1/a/4", {}, {"any": [1, {"b": None}]}),
    (
        'path: "/a" headers { "X-Tenant": "t-{tenant}", Accept: "text/csv" }',
        {"tenant": "7"},
        "GET",
        "/v1/a",
        {"x-tenant": "t-7", "accept": "text/csv"},
        None,
    ),
]


@pytest.mark.parametrize(("operation", "arguments", "method", "target", "headers", "body"), SENT, ids=[row[0][:40] for row in SENT])
async def test_a_call_becomes_the_request_that_the_operation_declares(
    calling: Make, operation: str, arguments: dict[str, Any], method: str, target: str, headers: dict[str, str], body: Any
) -> None:
    with Peer(lambda seen: Reply(200, b"null")) as peer:
        await calling(integration(peer.url + "/v1", f"operation o {{ {operation} }}")).call("Peer.o", **arguments)
    seen = peer.seen[0]
    assert (seen.method, seen.target) == (method, target)
    assert headers.items() <= seen.headers.items()
    assert (json.loads(seen.body) if seen.body else None) == body


@pytest.mark.parametrize(
    ("operation", "arguments", "field"),
    [
        ('path: "/a/{id}"', {"id": ""}, "id"),
        ('path: "/a/{id}"', {"id": ".."}, "id"),
        ('path: "/a/{id}"', {"id": None}, "id"),
        ('method: POST path: "/a" body { n: int, required, min(3) }', {"n": 2}, "n"),
        ('method: POST path: "/a" body { e: email, required }', {"e": "nobody"}, "e"),
        ('method: POST path: "/a" body { n: int, required }', {"n": None}, "n"),
        ('path: "/a" headers { "X-A": "{a}" }', {"a": "x\r\nX-Evil: 1"}, "X-A"),
    ],
)
async def test_arguments_that_cannot_be_sent_leave_the_server_never(
    calling: Make, operation: str, arguments: dict[str, Any], field: str
) -> None:
    with Peer(lambda seen: Reply()) as peer:
        with pytest.raises(InvalidFields) as raised:
            await calling(integration(peer.url, f"operation o {{ {operation} }}")).call("Peer.o", **arguments)
        assert raised.value.errors[0][0] == field
        assert peer.connections == 0


ANSWERS: list[tuple[str, str, bytes, Any]] = [
    ("json", "application/json", b'{"a":[1,2.50]}', {"a": [1, decimal.Decimal("2.50")]}),
    ("json", "application/json", b"", None),
    ("{ id: string, required, n: int }", "application/json", b'{"id":"x","extra":1}', {"id": "x", "n": None}),
    ("{ id: uuid, required }", "application/json", b'{"id":"00000000-0000-0000-0000-000000000007"}', {"id": uuid.UUID(int=7)}),
    ("{ total: decimal, required }", "application/json", b'{"total":"0.10"}', {"total": decimal.Decimal("0.10")}),
    ("{ n: int, required }", "application/json", b'{"n":3.0}', {"n": 3}),
    ("list(int)", "application/json", b"[1,2]", [1, 2]),
    ("map(bool)", "application/json", b'{"a":true}', {"a": True}),
    ("text", "text/plain", b"plain", "plain"),
    ("bytes", "image/png", b"\x89PNG", b"\x89PNG"),
    ("{ id: string, required }", "application/json", b'{"id":' + b'"' + b"x" * 400 + b'"}', {"id": "x" * 400}),
]


@pytest.mark.parametrize(("returns", "kind", "body", "value"), ANSWERS)
async def test_an_answer_is_a_value_of_the_declared_type(calling: Make, returns: str, kind: str, body: bytes, value: Any) -> None:
    with Peer(lambda seen: Reply(200, body, {"content-type": kind})) as peer:
        found = await calling(integration(peer.url, f'operation o {{ path: "/" returns: {returns} }}')).call("Peer.o")
    assert found == value


@pytest.mark.parametrize(
    ("returns", "body", "message"),
    [
        ("{ id: string, required }", b"{}", "'id' of the answer is not there"),
        ("{ id: string, required }", b'{"id":3}', "'id' of the answer is not a string"),
        ("{ id: string, required }", b"[]", "the answer is not an object"),
        ("{ id: string, required }", b"", "no JSON"),
        ("{ id: string, required }", b"<html>", "no JSON"),
        ("json", b'{"a":NaN}', "no JSON"),
        ("json", b"[" * 100_000, "no JSON"),
        ("list({ n: int, required })", b'[{"n":1},{"n":true}]', "'1.n' of the answer is not a whole number"),
        ("{ e: email, required }", b'{"e":"x"}', "'e' of the answer is not fine"),
        ("enum(a, b)", b'"c"', "the answer is not fine"),
        ("{ at: timestamp, required }", b'{"at":"yesterday"}', "'at' of the answer is not a timestamp"),
    ],
)
async def test_an_answer_of_another_type_is_an_error_and_not_a_value(calling: Make, returns: str, body: bytes, message: str) -> None:
    with Peer(lambda seen: Reply(200, body)) as peer:
        client = calling(integration(peer.url, f'operation o {{ path: "/" returns: {returns} }}', "retry: 3 times"))
        with pytest.raises(errors.AnswerInvalid) as raised:
            await client.call("Peer.o")
    assert message in str(raised.value)
    assert len(peer.seen) == 1
    assert client.observed == [("Peer", "o", "answer_invalid")]  # not 200: operators would take it for success


@pytest.mark.parametrize(
    ("status", "code", "answered", "transient"),
    [
        (400, "peer_error", 502, False),
        (404, "peer_error", 502, False),
        (302, "peer_error", 502, False),
        (429, "peer_error", 503, True),
        (500, "peer_error", 502, True),
        (503, "peer_error", 503, True),
        (504, "peer_error", 504, True),
    ],
)
async def test_an_error_of_the_peer_is_an_error_with_its_status_and_body(
    calling: Make, status: int, code: str, answered: int, transient: bool
) -> None:
    with Peer(lambda seen: Reply(status, b'{"reason":"so"}')) as peer, pytest.raises(errors.CallFailed) as raised:
        await calling(integration(peer.url, 'operation o { path: "/" }')).call("Peer.o")
    error = raised.value
    assert (error.peer_status, error.body, error.call) == (status, {"reason": "so"}, "Peer.o")
    assert (error.code, error.status, error.transient) == (code, answered, transient)


FAULTS: list[tuple[Behaviour, str, int]] = [
    (hang, "peer_timeout", 504),
    (drip, "peer_timeout", 504),
    (reset, "peer_disconnected", 502),
    (cut_off, "peer_disconnected", 502),
    (no_http, "peer_disconnected", 502),
    (endless, "answer_too_large", 502),
]


@pytest.mark.parametrize(("behaviour", "code", "status"), FAULTS, ids=[row[0].__name__ for row in FAULTS])
async def test_a_bad_peer_is_an_error_with_a_code_and_counts_against_it(
    calling: Make, behaviour: Behaviour, code: str, status: int
) -> None:
    patience = "1s" if code == "peer_timeout" else "20s"
    settings = f"timeout: {patience} circuit_breaker {{ threshold: 1 failures }}"
    with Peer(lambda seen: behaviour) as peer:
        client = calling(integration(peer.url, 'operation o { path: "/" }', settings))
        with pytest.raises(errors.OutboundError) as raised:
            await client.call("Peer.o")
        assert (raised.value.code, raised.value.status) == (code, status)
        assert client.observed == [("Peer", "o", code)]
        assert client.changes == [("Peer", "open")]


# method, idempotent, what the peer does -> attempts
REPEATED: list[tuple[str, bool, "int | Behaviour", int]] = [
    ("GET", False, 503, 4),
    ("PUT", False, 502, 4),
    ("DELETE", False, 504, 4),
    ("POST", True, 503, 4),
    ("POST", False, 503, 1),
    ("PATCH", False, 503, 1),
    ("POST", False, 429, 4),
    ("GET", False, 500, 1),
    ("GET", False, 404, 1),
    ("GET", False, reset, 4),
    ("POST", False, reset, 1),
    ("POST", True, reset, 4),
]


@pytest.mark.parametrize(("method", "idempotent", "fault", "attempts"), REPEATED)
async def test_only_what_may_be_repeated_is_repeated(
    calling: Make, method: str, idempotent: bool, fault: "int | Behaviour", attempts: int
) -> None:
    operation = f'operation o {{ method: {method} path: "/" {"idempotent: true" if idempotent else ""} }}'
    settings = "retry: 3 times with exponential_backoff circuit_breaker { threshold: 100 failures }"
    with Peer(lambda seen: Reply(fault) if isinstance(fault, int) else fault) as peer:
        client = calling(integration(peer.url, operation, settings))
        with pytest.raises(errors.OutboundError):
            await client.call("Peer.o")
    assert len(peer.seen) == attempts
    bounds = [(0.5, 1.0), (1.0, 2.0), (2.0, 4.0)][: attempts - 1]
    assert all(low <= waited <= high for (low, high), waited in zip(bounds, client.clock.slept, strict=True))
    if idempotent:
        assert len({seen.headers["idempotency-key"] for seen in peer.seen}) == 1


async def test_what_was_never_sent_is_repeated_whatever_it_was(calling: Make) -> None:
    client = calling(integration(f"http://127.0.0.1:{free_port()}", 'operation o { method: POST path: "/" }', "retry: 2 times"))
    with pytest.raises(errors.Unreachable):
        await client.call("Peer.o")
    assert [outcome for _, _, outcome in client.observed] == ["peer_unreachable"] * 3


@contextmanager
def refusing_to_accept() -> Iterator[int]:
    """A port whose queue of connections is full: whoever knocks there hears nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        for _ in range(8):
            knocking = waiting.enter_context(socket.socket())
            knocking.setblocking(False)
            knocking.connect_ex(full.getsockname())
        yield full.getsockname()[1]


async def test_a_peer_that_accepts_no_connection_in_time_has_seen_nothing(calling: Make) -> None:
    """Therefore also what must not be sent twice is sent again."""
    with refusing_to_accept() as port:
        client = calling(
            integration(f"http://127.0.0.1:{port}", 'operation o { method: POST path: "/" }', "timeout: 250ms  retry: 1 times")
        )
        with pytest.raises(errors.ConnectTimedOut) as raised:
            await client.call("Peer.o")
    assert (raised.value.code, raised.value.status, raised.value.sent) == ("peer_connect_timeout", 504, False)
    assert client.observed == [("Peer", "o", "peer_connect_timeout")] * 2


@pytest.mark.parametrize(
    ("header", "waited"),
    [
        ("7", [7.0]),
        ("Wed, 25 Nov 2026 12:00:09 GMT", [9.0]),
        ("Wed, 25 Nov 2020 12:00:09 GMT", [0.0]),
        ("3600", []),
        ("99999999999", []),
        ("-5", None),
        ("soon", None),
    ],
)
async def test_retry_after_says_when_and_too_long_says_never(calling: Make, header: str, waited: list[float] | None) -> None:
    answers = [Reply(503, b"", {"retry-after": header}), Reply(200, b"1")]
    with Peer(lambda seen: answers.pop(0)) as peer:
        client = calling(integration(peer.url, 'operation o { path: "/" }', "retry: 3 times"))
        if waited == []:
            with pytest.raises(errors.CallFailed) as raised:
                await client.call("Peer.o")
            assert raised.value.retry_after == min(int(header), 86_400)
        else:
            assert await client.call("Peer.o") == 1
    if waited is not None:
        assert client.clock.slept == waited


async def test_a_key_of_the_caller_is_the_key_that_is_sent(calling: Make) -> None:
    with Peer(lambda seen: Reply()) as peer:
        client = calling(integration(peer.url, 'operation o { method: POST path: "/" body { n: int } idempotent: true }'))
        await client.call("Peer.o", n=1, idempotency_key="execution-7")
        await client.call("Peer.o", n=1)
        await client.call("Peer.o", n=1)
    keys = [seen.headers["idempotency-key"] for seen in peer.seen]
    assert keys[0] == "execution-7"
    assert len(set(keys)) == 3
    assert json.loads(peer.seen[0].body) == {"n": 1}


BASIC = base64.b64encode(b"me:gehe im").decode()


@pytest.mark.parametrize(
    ("auth", "header", "value", "target"),
    [
        ("bearer(secret(K))", "authorization", "Bearer top secret", "/x?a=1"),
        ('bearer("Bearer $K")', "authorization", "Bearer top secret", "/x?a=1"),
        ('bearer("Bearer {secret(K)}")', "authorization", "Bearer top secret", "/x?a=1"),
        ('basic("me", secret(P))', "authorization", f"Basic {BASIC}", "/x?a=1"),
        ("api_key(secret(K))", "x-api-key", "top secret", "/x?a=1"),
        ('api_key(secret(K), header: "X-Mine")', "x-mine", "top secret", "/x?a=1"),
        ('api_key(secret(K), query: "key")', "accept", "application/json", "/x?a=1&key=top%20secret"),
    ],
)
async def test_every_kind_of_authentication_is_sent(
    calling: Make, caplog: pytest.LogCaptureFixture, auth: str, header: str, value: str, target: str
) -> None:
    caplog.set_level("DEBUG")
    with Peer(lambda seen: Reply(500)) as peer:
        text = integration(peer.url, 'operation o { path: "/x" query { a: int } }', f"auth: {auth}")
        client = calling(text, {"K": "top secret", "P": "gehe im"})
        with pytest.raises(errors.CallFailed) as raised:
            await client.call("Peer.o", a=1)
    assert (peer.seen[0].headers[header], peer.seen[0].target) == (value, target)
    assert "secret" not in caplog.text + repr([record.__dict__ for record in caplog.records]) + repr(raised.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("auth: bearer(secret(K))", "the token of integration 'Peer' is empty"),
        ('headers { Host: "x" }', "header 'Host' of integration 'Peer' is written by the client"),
        ('headers { "X-A": "{env(BAD)}" }', "header 'X-A' of integration 'Peer' is not printable"),
    ],
)
def test_what_cannot_be_built_stops_the_start(settings: str, message: str) -> None:
    with pytest.raises(NotBuildable, match=message) as raised:
        Calling(integration("https://peer.example", 'operation o { path: "/" }', settings), {"K": "", "BAD": "a\nb"})
    assert raised.value.at >= 0


@pytest.mark.parametrize("url", ["", "peer.example", "ftp://peer.example", "https://peer.example?key=1", "https://u:p@peer.example"])
def test_an_unusable_base_url_stops_the_start(url: str) -> None:
    with pytest.raises(NotBuildable, match="base_url of integration 'Peer'"):
        Calling(integration("{env(PEER)}", 'operation o { path: "/" }'), {"PEER": url})


GRAPHQL = '''
integration Peer {
    type: graphql  base_url: "URL/graphql"  retry: 1 times
    operation user {
        query: """query User($id: ID!) { user(id: $id) { name } }"""
        variables { id: string, required }
        returns { user: { name: string } }
    }
    operation rename { mutation: """mutation R($id: ID!) { rename(id: $id) { ok } }""" variables { id: string, required } returns json }
}
'''


async def test_a_graphql_operation_sends_document_and_variables_and_gives_data(calling: Make) -> None:
    with Peer(lambda seen: Reply(200, b'{"data":{"user":{"name":"Ada"}}}')) as peer:
        found = await calling(GRAPHQL.replace("URL", peer.url)).call("Peer.user", id="7")
    assert found == {"user": {"name": "Ada"}}
    assert (peer.seen[0].method, peer.seen[0].target) == ("POST", "/graphql")
    assert json.loads(peer.seen[0].body) == {"query": "query User($id: ID!) { user(id: $id) { name } }", "variables": {"id": "7"}}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"errors":[{"message":"no"}]}', errors.QueryFailed),
        (b'{"data":{"user":null},"errors":[{"message":"no"}]}', errors.QueryFailed),
        (b'{"data":{"user":{"name":3}}}', errors.AnswerInvalid),
        (b"[]", errors.AnswerInvalid),
    ],
)
async def test_graphql_errors_are_no_success(calling: Make, body: bytes, error: type[errors.OutboundError]) -> None:
    with Peer(lambda seen: Reply(200, body)) as peer:
        client = calling(GRAPHQL.replace("URL", peer.url))
        with pytest.raises(error) as raised:
            await client.call("Peer.user", id="7")
    assert client.observed == [("Peer", "user", raised.value.code)]


async def test_a_graphql_query_is_repeated_and_a_mutation_is_not(calling: Make) -> None:
    with Peer(lambda seen: Reply(503)) as peer:
        client = calling(GRAPHQL.replace("URL", peer.url))
        for name, attempts in (("user", 2), ("rename", 1)):
            peer.seen.clear()
            with pytest.raises(errors.CallFailed):
                await client.call(f"Peer.{name}", id="7")
            assert len(peer.seen) == attempts


async def test_answers_of_reading_operations_may_be_kept(calling: Make) -> None:
    answers = [Reply(200, b'{"n":1}'), Reply(503), Reply(200, b'{"n":2}'), Reply(200, b'{"n":3}')]
    operation = 'operation o { path: "/o/{id}"  returns { n: int, required }  cache: 5m }'
    with Peer(lambda seen: answers.pop(0)) as peer:
        client = calling(integration(peer.url, operation, "auth: bearer(secret(K))"), {"K": "k"})
        assert [(await client.call("Peer.o", id=1))["n"] for _ in range(3)] == [1, 1, 1]
        with pytest.raises(errors.CallFailed):  # errors are not kept, other arguments are other answers
            await client.call("Peer.o", id=2)
        assert [(await client.call("Peer.o", id=2))["n"] for _ in range(2)] == [2, 2]
    assert [seen.target for seen in peer.seen] == ["/o/1", "/o/2", "/o/2"]


@pytest.mark.parametrize("operation", ['method: POST path: "/o"', 'method: DELETE path: "/o"'])
def test_answers_of_operations_that_change_something_are_never_kept(operation: str) -> None:
    with pytest.raises(AssertionError, match="changes something, so its answer is not kept"):  # says the checker
        Calling(integration("https://peer.example", f"operation o {{ {operation} cache: 5m }}"))


async def test_calls_wait_for_a_place_in_the_limit_of_the_integration_and_not_for_ever(calling: Make) -> None:
    with Peer(lambda seen: Reply()) as peer:
        client = calling(integration(peer.url, 'operation o { path: "/" }', "rate_limit: 2 per 10s  timeout: 8s"))
        for _ in range(2):
            await client.call("Peer.o")
        with pytest.raises(errors.TooManyCalls) as raised:
            await client.call("Peer.o")
        assert raised.value.retry_after is not None
        assert (client.observed[-1], client.timed[-1]) == (("Peer", "o", "call_rate_limited"), False)
        client.clock.advance(10)
        await client.call("Peer.o")
        await client.call("Peer.o")
        assert len(peer.seen) == 4
        assert all(waited <= 8 for waited in client.clock.slept)


async def test_an_open_breaker_refuses_at_once_and_takes_no_place_in_the_limit(calling: Make) -> None:
    """A call that waited for a place first would answer late what is known at once."""
    settings = "rate_limit: 2 per 10s  timeout: 60s  circuit_breaker { threshold: 1 failures  reset_after: 5s  half_open: 1 }"
    answers = [500, 200, 200]
    with Peer(lambda seen: Reply(answers.pop(0))) as peer:
        client = calling(integration(peer.url, 'operation o { path: "/" }', settings))
        with pytest.raises(errors.CallFailed):
            await client.call("Peer.o")
        for _ in range(5):
            with pytest.raises(CircuitOpen):
                await client.call("Peer.o")
        assert (client.clock.slept, len(peer.seen)) == ([], 1)
        assert client.observed[-5:] == [("Peer", "o", "circuit_open")] * 5
        assert client.timed == [True] + [False] * 5
        client.clock.advance(5)
        await client.call("Peer.o")  # the one place that is left
        await client.call("Peer.o")  # and this one waits for the next
        assert len(peer.seen) == 3
        assert client.clock.slept


async def test_a_probe_that_waits_for_a_place_holds_back_no_other(calling: Make) -> None:
    settings = "rate_limit: 1 per 10s  timeout: 8s  circuit_breaker { threshold: 1 failures  reset_after: 1s  half_open: 1 }"
    answers = [500, 200]
    with Peer(lambda seen: Reply(answers.pop(0))) as peer:
        client = calling(integration(peer.url, 'operation o { path: "/" }', settings))
        with pytest.raises(errors.CallFailed):
            await client.call("Peer.o")
        client.clock.advance(1)
        for _ in range(3):  # none of them leaves a probe behind that nobody makes
            with pytest.raises(errors.TooManyCalls):
                await client.call("Peer.o")
        client.clock.advance(20)
        await client.call("Peer.o")
        assert client.changes == [("Peer", "open"), ("Peer", "half-open"), ("Peer", "closed")]


@pytest.mark.parametrize(
    ("error", "code", "status", "body", "again", "after"),
    [
        (errors.CallFailed("no", 404, {"a": 1}), "peer_error", 404, {"a": 1}, False, None),
        (errors.CallFailed("busy", 429, None, 7.0), "peer_error", 429, None, True, 7.0),
        (errors.TimedOut("late"), "peer_timeout", 504, None, True, None),
        (errors.AnswerInvalid("odd"), "answer_invalid", 502, None, False, None),
    ],
)
def test_a_failed_call_is_a_failed_step_with_the_words_of_the_peer(
    error: errors.OutboundError, code: str, status: int, body: Any, again: bool, after: float | None
) -> None:
    from codeai.durable.failures import described, retryable

    found = described(error, "charge")
    assert (found["code"], found["status"], found["body"], found["step"]) == (code, status, body, "charge")
    assert (retryable(error, declared=False), error.after) == (again, after)
