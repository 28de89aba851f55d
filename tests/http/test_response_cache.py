"""Answers that are kept, on both databases, in memory and in Redis."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from surroundings import served

from services.postgres import PostgresServer
from services.redis import RedisServer
from services.service import Answer, Service

PROGRAM = """
config { name: "cached" }
auth main { method: jwt }
role admin { permissions: ["*:*"] }
entity Author { id: uuid, primary, auto  name: string, required }
entity Book {
    id: uuid, primary, auto
    title: string, required
    author: ref(Author), on_delete(cascade)
    owner: string
    allow read: user.has_role(admin) or owner is null or owner == user.id
    allow create, update, delete: public
}
entity Other { id: uuid, primary, auto  n: int }
middleware kept { type: cache  ttl: 1m  vary: ["X-Region"] }
middleware same { type: cache  ttl: 1m  by: all }
resource Book at /books { auth: optional  cache: 1m }
resource Author at /authors { auth: public }
resource Other at /others { auth: public }
endpoint GET /count { auth: public  cache: 1m  do { return { books: count(Book), at: random(1, 1000000000) } } }
endpoint GET /region { auth: public  use: [kept]  header { x_region: string }  do { return random(1, 1000000000) } }
endpoint GET /everybody { auth: optional  use: [same]  do { return random(1, 1000000000) } }
endpoint GET /mine { auth: optional  cache: 1m  do { return random(1, 1000000000) } }
endpoint GET /fails { auth: public  cache: 1m  do { fail 409 "no" } }
endpoint POST /bulk { auth: public  do { update Book set title = "bulk" where all  return null } }
endpoint POST /fails { auth: public  do { create Book { title: "lost" }  fail 409 "no" } }
"""


@pytest.fixture(params=["sqlite-memory", "sqlite-redis", "postgresql-memory", "postgresql-redis"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    database, store = request.param.split("-")
    url = ""
    if database == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        url = postgres.create_database()
    env = {}
    if store == "redis":
        redis: RedisServer = request.getfixturevalue("redis_server")
        redis.cli("FLUSHALL")
        env["REDIS_URL"] = redis.url
    found = served(tmp_path, PROGRAM, env, url=url)
    if found.composition.peers.sharing.redis is not None:
        found.composition.peers.sharing.redis.timeout = 10.0  # what is kept is the question here, not how fast a busy machine is
    yield found
    found.close()


def status(answer: Answer) -> str:
    return (answer.header("cache-status") or "").removeprefix("codeai; ")


def twice(service: Service, target: str, **given: Any) -> list[str]:
    return [status(service.request("GET", target, **given)) for _ in range(2)]


def created(service: Service, target: str, **values: Any) -> str:
    answer = service.request("POST", target, values)
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


def test_a_second_request_is_answered_from_the_cache(service: Service) -> None:
    created(service, "/books", title="One")
    first, second = service.request("GET", "/books"), service.request("GET", "/books")
    assert (status(first), status(second)) == ("fwd=miss", "hit")
    assert first.body == second.body
    assert len(first.json["data"]) == 1


def test_every_kind_of_write_makes_lists_and_rows_new(service: Service) -> None:
    book = created(service, "/books", title="One")
    writes = [
        ("POST", "/books", {"title": "Two"}),
        ("PATCH", f"/books/{book}", {"title": "Changed"}),
        ("POST", "/bulk", None),
        ("DELETE", f"/books/{book}", None),
    ]
    for method, target, value in writes:
        assert twice(service, "/books")[1] == "hit"
        if value is None:
            assert service.request(method, target).status in (200, 204)
        else:
            assert service.request(method, target, value).status in (200, 201)
        assert status(service.request("GET", "/books")) == "fwd=miss", method
    assert service.request("GET", f"/books/{book}").status == 404


def test_writes_to_other_tables_leave_it(service: Service) -> None:
    assert twice(service, "/books") == ["fwd=miss", "hit"]
    created(service, "/others", n=1)
    assert twice(service, "/books") == ["hit", "hit"]


def test_what_was_rolled_back_makes_nothing_new(service: Service) -> None:
    assert twice(service, "/books") == ["fwd=miss", "hit"]
    assert service.request("POST", "/fails").status == 409
    assert twice(service, "/books") == ["hit", "hit"]


def test_a_row_that_is_deleted_along_with_another_is_gone_from_the_cache(service: Service) -> None:
    author = created(service, "/authors", name="Ada")
    created(service, "/books", title="One", author=author)
    assert twice(service, "/count") == ["fwd=miss", "hit"]
    assert service.request("DELETE", f"/authors/{author}").status == 204
    answer = service.request("GET", "/count")
    assert (answer.json["books"], status(answer)) == (0, "fwd=miss")


def test_related_rows_that_were_expanded_count_as_read(service: Service) -> None:
    author = created(service, "/authors", name="Ada")
    created(service, "/books", title="One", author=author)
    assert twice(service, "/books?expand=author") == ["fwd=miss", "hit"]
    service.request("PATCH", f"/authors/{author}", {"name": "Grace"})
    answer = service.request("GET", "/books?expand=author")
    assert (answer.json["data"][0]["author"]["name"], status(answer)) == ("Grace", "fwd=miss")


def test_callers_never_see_each_others_answers(service: Service) -> None:
    created(service, "/books", title="Everybody's")
    created(service, "/books", title="Ada's", owner="ada")
    tokens = {"nobody": None, "ada": service.token("ada"), "bob": service.token("bob"), "admin": service.token("root", "admin")}
    for _ in range(2):
        seen = {name: len(service.request("GET", "/books", token=token).json["data"]) for name, token in tokens.items()}
        assert seen == {"nobody": 1, "ada": 2, "bob": 1, "admin": 2}
    # The same user with another role is another caller.
    assert len(service.request("GET", "/books", token=service.token("bob", "admin")).json["data"]) == 2


def test_query_accept_and_named_headers_make_answers_of_their_own(service: Service) -> None:
    assert twice(service, "/books?limit=1") == ["fwd=miss", "hit"]
    assert twice(service, "/books?limit=2") == ["fwd=miss", "hit"]
    assert twice(service, "/region", headers={"x-region": "north"}) == ["fwd=miss", "hit"]
    assert twice(service, "/region", headers={"x-region": "south"}) == ["fwd=miss", "hit"]


def test_an_answer_is_the_same_for_all_only_where_the_program_says_so(service: Service) -> None:
    ada, bob = service.token("ada"), service.token("bob")
    assert service.request("GET", "/everybody", token=ada).body == service.request("GET", "/everybody", token=bob).body
    assert service.request("GET", "/mine", token=ada).body != service.request("GET", "/mine", token=bob).body


def test_errors_are_not_kept(service: Service) -> None:
    assert [service.request("GET", "/fails").status for _ in range(2)] == [409, 409]


def test_conditions_are_checked_on_kept_answers(service: Service) -> None:
    book = created(service, "/books", title="One")
    tag = service.request("GET", f"/books/{book}").header("etag") or ""
    answer = service.request("GET", f"/books/{book}", headers={"if-none-match": tag})
    assert (answer.status, answer.body, answer.header("etag")) == (304, b"", tag)
    service.request("PATCH", f"/books/{book}", {"title": "Two"})
    assert service.request("GET", f"/books/{book}", headers={"if-none-match": tag}).status == 200


def test_many_at_once_are_one_computation(service: Service) -> None:
    async def all_at_once() -> set[bytes]:
        found = await asyncio.gather(*(service.exchange("GET", "/count") for _ in range(20)))
        return {answer.body for answer in found}

    assert len(service.run(all_at_once())) == 1


def test_authenticated_answers_are_kept_by_nobody_else(service: Service) -> None:
    assert service.request("GET", "/mine", token=service.token("ada")).header("cache-control") == "no-store"


def test_a_cache_of_writes_is_an_error_of_the_program(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="only answers to GET are kept in a cache"):
        served(tmp_path, 'config { name: "x" default_auth: public } endpoint POST /x { cache: 1m  do { return 1 } }')
