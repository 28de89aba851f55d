"""Requests that collide, that are cut off, and that send slowly: nothing is half done, and no connection is lost."""

import asyncio
import uuid

import pytest

from services.service import Service, scope_of


def names(service: Service) -> set[str]:
    found: list[str] = []
    page = 1
    while True:
        body = service.request("GET", f"/shelves?limit=100&page={page}").json
        found += [row["name"] for row in body["data"]]
        if not body["pagination"]["has_next"]:
            return set(found)
        page += 1


def test_of_equal_rows_at_the_same_time_one_is_stored(service):
    async def race():
        bodies = [service.exchange("POST", "/shelves", {"name": "racing"}) for _ in range(12)]
        return await asyncio.gather(*bodies)

    answers = service.run(race())
    assert sorted(answer.status for answer in answers) == [201] + [409] * 11
    refused = next(answer for answer in answers if answer.status == 409)
    assert (refused.code, refused.fields) == ("not_unique", [("name", "not_unique")])


def test_rows_that_are_created_at_the_same_time_are_each_their_own(service):
    """Also where they go to the database together, and some of them are wrong."""
    shelf = service.request("POST", "/shelves", {"name": "crowded"}).json["id"]
    nowhere = str(uuid.UUID(int=7))

    async def created(at: int) -> tuple[int, str | None]:
        bodies = {
            5: {"name": "wrong", "price": at, "shelf": nowhere},
            11: {"name": "wrong", "price": at, "count": at + 1},
            17: {"name": f"crowd{at}", "price": at, "code": "same"},
        }
        answer = await service.exchange("POST", "/things", bodies.get(at % 20, {"name": f"crowd{at}", "price": at, "shelf": shelf}))
        if answer.status != 201:
            return at, answer.code
        read = await service.exchange("GET", f"/things/{answer.json['id']}")  # at once, as whoever has the answer may
        assert (read.status, read.json) == (200, answer.json)
        assert (read.json["name"], read.json["price"]) == (f"crowd{at}", at)
        return at, None

    async def crowd():
        return await asyncio.gather(*(created(at) for at in range(60)))

    found = dict(service.run(crowd()))
    wrong = {at: code for at, code in found.items() if code is not None}
    expected = {at: {5: "reference_not_found", 11: "check_failed"}[at % 20] for at in range(60) if at % 20 in (5, 11)}
    assert {at: code for at, code in wrong.items() if at % 20 != 17} == expected
    assert [wrong.get(at) for at in (17, 37, 57)].count("not_unique") == 2


def test_a_block_that_fails_leaves_nothing(service):
    before = names(service)
    answer = service.request("POST", "/twice", {"first": "once", "second": "once"})
    assert (answer.status, answer.json["detail"], answer.fields) == (409, "there is one of that name", [("name", "not_unique")])
    assert names(service) == before
    assert service.request("POST", "/twice", {"first": "one", "second": "two"}).status == 200
    assert names(service) == before | {"one", "two"}


def test_references_must_lead_somewhere(service):
    answer = service.request("POST", "/things", {"name": "x", "price": 1, "shelf": str(uuid.UUID(int=5))})
    assert (answer.status, answer.code, answer.fields) == (409, "reference_not_found", [("shelf", "not_found")])
    shelf = service.request("POST", "/shelves", {"name": "held"}).json["id"]
    thing = service.request("POST", "/things", {"name": "x", "price": 1, "shelf": shelf}).json
    moved = service.request("PATCH", f"/things/{thing['id']}", {"shelf": str(uuid.UUID(int=5))})
    assert (moved.status, moved.fields) == (409, [("shelf", "not_found")])
    kept = service.request("DELETE", f"/shelves/{shelf}")
    assert (kept.status, kept.code) == (409, "still_referenced")
    assert service.request("DELETE", f"/things/{thing['id']}").status == 204
    assert service.request("DELETE", f"/shelves/{shelf}").status == 204


def test_lost_updates_are_refused_by_if_match(service):
    thing = service.request("POST", "/things", {"name": "contended", "price": 1000}).json
    path = f"/things/{thing['id']}"
    tag = service.request("GET", path).header("etag")

    async def race():
        return await asyncio.gather(
            *(service.exchange("PATCH", path, {"name": f"writer {at}"}, headers={"if-match": tag or ""}) for at in range(6))
        )

    statuses = sorted(answer.status for answer in service.run(race()))
    assert statuses == [200] + [412] * 5


@pytest.mark.parametrize("cut", ["before the body", "within the body"])
def test_a_client_that_goes_away_while_sending(service, cut):
    before = names(service)
    sent = []
    messages = [{"type": "http.disconnect"}]
    if cut == "within the body":
        messages.insert(0, {"type": "http.request", "body": b'{"name": "half', "more_body": True})

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    headers = [("content-type", "application/json"), ("content-length", "50")]
    service.run(service.composition.asgi(scope_of("POST", "/shelves", headers), receive, send))
    assert sent[0]["status"] == 400
    assert names(service) == before
    assert service.all_given_back()


def test_a_client_that_goes_away_before_the_answer(service):
    async def send(message):
        raise OSError("broken pipe")

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    service.run(service.composition.asgi(scope_of("GET", "/things"), receive, send))
    assert service.all_given_back()


@pytest.mark.parametrize("at", range(12))
def test_a_cancelled_request_leaves_no_connection_and_no_transaction(service, at):
    """The task is cancelled after ``at`` turns of the loop: somewhere in the transaction."""

    async def cut_off():
        body = {"first": f"cut {at} a {uuid.uuid4()}"[:40], "second": f"cut {at} b {uuid.uuid4()}"[:40]}
        task = asyncio.ensure_future(service.exchange("POST", "/twice", body))
        for _ in range(at * 2):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return body

    body = service.run(cut_off())
    stored = names(service)
    assert (body["first"] in stored) == (body["second"] in stored), "half of a transaction was stored"
    assert service.all_given_back()
    assert service.request("POST", "/twice", {"first": f"after {at} a", "second": f"after {at} b"}).status == 200


def test_many_cancelled_requests_at_once_leave_the_service_as_it_was(service):
    async def storm():
        for turn in range(10):
            tasks = [asyncio.ensure_future(service.exchange("GET", "/things?limit=50&expand=shelf")) for _ in range(30)]
            for _ in range(turn):
                await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return await asyncio.gather(*(service.exchange("GET", "/things") for _ in range(30)))

    assert {answer.status for answer in service.run(storm())} == {200}
    assert service.all_given_back()


def test_a_body_that_comes_too_slowly_is_408(sqlite_service_of):
    service = sqlite_service_of(
        "endpoint POST /x { auth: public  body: json  returns: json  do { return body } }", env={"CODEAI_BODY_TIMEOUT": "100ms"}
    )
    sent = []

    async def receive():
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    scope = scope_of("POST", "/x", [("content-type", "application/json"), ("content-length", "5")])
    service.run(service.composition.asgi(scope, receive, send))
    assert sent[0]["status"] == 408
    assert b"request_timeout" in sent[1]["body"]
