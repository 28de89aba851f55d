"""``Idempotency-Key``: the same answer and one effect, whatever is sent again (language page, section 6)."""

import asyncio
import itertools
from pathlib import Path

import pytest

from services.polling import eventually
from services.service import Service

PROGRAM = Path(__file__).parent / "idempotency.cai"
NUMBERS = itertools.count(1)


@pytest.fixture
def key():
    return f"key-{next(NUMBERS)}"


@pytest.fixture(scope="module")
def service(service_of):
    return service_of(PROGRAM)


def payments(service):
    return service.request("GET", "/payments?limit=1&total=exact").json["pagination"]["total"]


def post(service, key, target="/charges", value=None, token=None, **options):
    value = {"amount": 7} if value is None else value
    return service.request("POST", target, value, headers={"idempotency-key": key}, token=token or service.token("ada"), **options)


def meaning(answer):
    left_out = ("x-request-id", "idempotency-replayed")
    return answer.status, [pair for pair in answer.headers if pair[0] not in left_out], answer.body


def test_a_repetition_has_the_answer_of_the_first_and_no_second_effect(service, key):
    before = payments(service)
    first = post(service, key)
    assert (first.status, first.header("idempotency-replayed")) == (201, None)
    for _ in range(3):
        again = post(service, key)
        assert again.header("idempotency-replayed") == "true"
        assert meaning(again) == meaning(first)
        assert again.header("x-receipt") == f"r-{first.json['id']}"
    assert payments(service) == before + 1


def test_generated_creates_and_changes_keep_it_too(service, key):
    created = post(service, key, "/payments", {"amount": 3})
    again = post(service, key, "/payments", {"amount": 3})
    assert meaning(again) == meaning(created) and created.header("location") is not None
    path = f"/payments/{created.json['id']}"
    changed = service.request("PATCH", path, {"amount": 4}, headers={"idempotency-key": key})
    service.request("PATCH", path, {"amount": 5})
    replayed = service.request("PATCH", path, {"amount": 4}, headers={"idempotency-key": key})
    assert meaning(replayed) == meaning(changed)
    assert service.request("GET", path).json["amount"] == 5


def test_a_request_without_input_is_kept_too(service, key):
    assert post(service, key, "/dice", {}).json == post(service, key, "/dice", {}).json
    assert post(service, key, "/strict/1", {}).json == post(service, key, "/strict/1", {}).json


@pytest.mark.parametrize(
    ("target", "value"),
    [("/charges", {"amount": 8}), ("/charges", {"amount": 7, "slow": False}), ("/charges?x=1", {"amount": 7})],
)
def test_another_request_under_the_same_key_is_422(service, key, target, value):
    before = payments(service)
    assert post(service, key).status == 201
    answer = post(service, key, target, value)
    assert (answer.status, answer.code) == (422, "idempotency_key_reused")
    assert payments(service) == before + 1


def test_white_space_makes_another_request(service, key):
    headers = {"idempotency-key": key, "content-type": "application/json"}
    assert service.request("POST", "/charges", body=b'{"amount": 7}', headers=headers, token=service.token("ada")).status == 201
    spaced = service.request("POST", "/charges", body=b'{ "amount": 7}', headers=headers, token=service.token("ada"))
    assert spaced.code == "idempotency_key_reused"


def test_callers_methods_and_routes_have_keys_of_their_own(service, key):
    before = payments(service)
    post(service, key)
    post(service, key, token=service.token("bob"))
    post(service, key, token=service.token("ada", tenant="t1"))
    post(service, key, "/payments", {"amount": 7})
    assert payments(service) == before + 4
    assert post(service, key, "/strict/1", {}).status == 200
    assert post(service, key, "/strict/2", {}).code == "idempotency_key_reused"


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "ü", "a\x00b", "a\tb"])
def test_a_malformed_key_is_400(service, key):
    before = payments(service)
    answer = post(service, key)
    assert (answer.status, answer.code) == (400, "malformed_idempotency_key")
    assert payments(service) == before


def test_the_longest_key_is_taken(service):
    assert post(service, "x" * 255).status == 201


def test_a_refusal_of_the_program_is_kept(service, key):
    refused = post(service, key, value={"amount": 1000})
    assert (refused.status, refused.json["detail"]) == (409, "too much at once")
    again = post(service, key, value={"amount": 1000})
    assert meaning(again) == meaning(refused)
    assert again.header("idempotency-replayed") == "true"


def test_a_violation_is_kept_although_it_has_been_healed(service, key):
    taken = post(service, f"{key}-first", "/payments", {"amount": 1, "note": key}).json
    refused = post(service, key, "/payments", {"amount": 1, "note": key})
    assert (refused.status, refused.code) == (409, "not_unique")
    service.request("DELETE", f"/payments/{taken['id']}")
    assert post(service, key, "/payments", {"amount": 1, "note": key}).status == 409
    assert post(service, f"{key}-new", "/payments", {"amount": 1, "note": key}).status == 201


def test_what_never_reached_the_operation_is_not_kept(service, key):
    assert post(service, key, value={"amount": 0}).status == 422
    assert post(service, key, value={"amount": 7}, token="a.b.c").status == 401
    assert post(service, key).status == 201


def test_a_failure_of_the_server_is_not_kept(service, key):
    before = payments(service)
    for _ in range(2):
        answer = post(service, key, value={"amount": 500})
        assert (answer.status, answer.header("idempotency-replayed")) == (503, None)
    assert payments(service) == before


def test_while_the_first_runs_the_second_is_409(service, key):
    before = payments(service)

    async def both():
        send = {"headers": {"idempotency-key": key}, "token": service.token("ada")}
        first = asyncio.ensure_future(service.exchange("POST", "/charges", {"amount": 7, "slow": True}, **send))
        await eventually(lambda: service.database.statistics().in_use)
        second = await service.exchange("POST", "/charges", {"amount": 7, "slow": True}, **send)
        return await first, second

    first, second = service.run(both())
    assert (first.status, second.status, second.code) == (201, 409, "idempotency_key_in_use")
    assert second.header("retry-after") == "1"
    assert meaning(post(service, key, value={"amount": 7, "slow": True})) == meaning(first)
    assert payments(service) == before + 1


def test_two_processes_share_the_key(service, key):
    """Another process on the same database: it sees the lock while the first runs, and the answer afterwards."""
    if service.database.dialect == "sqlite":
        pytest.skip("one process per SQLite file")
    other = Service(PROGRAM, service.url)
    try:
        send = {"headers": {"idempotency-key": key}, "token": service.token("ada")}

        async def first():
            return await service.exchange("POST", "/charges", {"amount": 7, "slow": True}, **send)

        async def both():
            task = asyncio.ensure_future(first())
            async with asyncio.timeout(60):
                while not (await service.database.fetch_row("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", ()))[0]:  # noqa: ASYNC110  # the lock lies in the database
                    await asyncio.sleep(0.002)
            return await asyncio.gather(task, asyncio.to_thread(other.request, "POST", "/charges", {"amount": 7, "slow": True}, **send))

        one, two = service.run(both())
        assert (one.status, two.status, two.code) == (201, 409, "idempotency_key_in_use")
        assert meaning(other.request("POST", "/charges", {"amount": 7, "slow": True}, **send)) == meaning(one)
    finally:
        other.close()


def test_many_at_once_have_one_effect(service, key):
    before = payments(service)

    async def storm():
        send = {"headers": {"idempotency-key": key}, "token": service.token("ada")}
        return await asyncio.gather(*(service.exchange("POST", "/charges", {"amount": 9}, **send) for _ in range(20)))

    statuses = sorted(answer.status for answer in service.run(storm()))
    assert statuses[0] == 201 and set(statuses) <= {201, 409}
    assert payments(service) == before + 1


def test_a_cancelled_request_can_be_sent_again(service, key):
    before = payments(service)

    async def cut_off():
        send = {"headers": {"idempotency-key": key}, "token": service.token("ada")}
        task = asyncio.ensure_future(service.exchange("POST", "/charges", {"amount": 7, "slow": True}, **send))
        await eventually(lambda: service.database.statistics().in_use)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    service.run(cut_off())
    assert payments(service) == before
    assert post(service, key, value={"amount": 7, "slow": True}).status == 201
    assert payments(service) == before + 1


def test_after_a_day_the_key_is_new(service, key):
    first = post(service, key)
    service.run(service.database.execute("UPDATE codeai_idempotency SET expires_ms = expires_ms - 86400001", ()))
    second = post(service, key)
    assert second.status == 201 and second.json["id"] != first.json["id"]
    assert meaning(post(service, key)) == meaning(second)


def test_old_answers_are_removed_in_time(service, key):
    service.run(service.database.execute("UPDATE codeai_idempotency SET expires_ms = 1", ()))
    for number in range(260):
        assert post(service, f"{key}-{number}", "/payments", {"amount": 1}).status == 201
    row = service.run(service.database.fetch_row("SELECT count(*) FROM codeai_idempotency WHERE expires_ms = 1", ()))
    assert row[0] == 0


@pytest.mark.parametrize(("target", "secret"), [("/logins", "token"), ("/private", "secret"), ("/cookies", "session=secret")])
def test_an_answer_that_holds_a_secret_is_not_kept_and_its_effect_is(service, key, target, secret):
    before = payments(service)
    first = post(service, key, target, {"name": "ada"})
    assert first.status in (200, 201)
    again = post(service, key, target, {"name": "ada"})
    assert (again.status, again.code) == (409, "idempotency_answer_withheld")
    assert payments(service) == before + (target == "/logins")
    assert post(service, key, target, {"name": "bob"}).code == "idempotency_key_reused"
    assert post(service, key + "-new", target, {"name": "ada"}).status == first.status
    rows = service.run(service.database.fetch("SELECT headers, body FROM codeai_idempotency WHERE headers = 'null'", ()))
    assert rows and all(bytes(body) == b"" for _, body in rows)
    stored = service.run(service.database.fetch("SELECT headers, body FROM codeai_idempotency", ()))
    held = first.json.get(secret, secret)
    assert not any(held.encode() in bytes(body) or held in headers for headers, body in stored)


def test_a_refusal_is_kept_although_a_token_was_issued_on_the_way(service, key):
    first = post(service, key, "/logins", {"name": "ada", "fails": True})
    again = post(service, key, "/logins", {"name": "ada", "fails": True})
    assert (first.status, meaning(again)) == (409, meaning(first))
    assert again.header("idempotency-replayed") == "true"
