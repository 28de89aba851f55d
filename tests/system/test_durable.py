"""Real servers that run workflows: one process on SQLite, several on PostgreSQL."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.polling import comes_to
from services.process import ServerProcess

PROGRAM = """
config { name: "shipping" }
entity Parcel { id: uuid, primary, auto   code: string, required, unique   state: string, default("new")   steps: int, default(0) }
event ParcelMade { payload { code: string } }
workflow Ship {
    input { code: string }
    steps {
        pack { do { update Parcel set state = "packed", steps = steps + 1 where code == input.code } }
        rest { sleep: 300ms }
        send { do { update Parcel set state = "sent", steps = steps + 1 where code == input.code } }
    }
}
workflow Count { trigger: ParcelMade  steps { count { do { update Parcel set steps = steps + 10 where code == trigger.code } } } }
workflow Long {
    input { code: string }
    steps { a { sleep: 1s }  b { do { update Parcel set state = "long" where code == input.code } } }
}
endpoint POST /parcels {
    auth: public
    body { code: string, required, broken: bool }
    returns: Parcel status 201
    do {
        let parcel = create Parcel { code: body.code }
        emit ParcelMade { code: body.code }
        start Ship { code: body.code }
        require not (body.broken ?? false) else fail 409
        return parcel
    }
}
endpoint POST /long {
    auth: public
    body { code: string, required }
    do { create Parcel { code: body.code } start Long { code: body.code } return { ok: true } }
}
endpoint GET /parcels/{code} { auth: public  path { code: string }  returns: Parcel  do { return first Parcel where code == path.code } }
"""

Start = Callable[..., ServerProcess]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    folder = tmp_path / "program"
    folder.mkdir()
    (folder / "app.cai").write_text(PROGRAM)
    return folder


def parcel(server: ServerProcess, code: str) -> tuple[object, object]:
    found = httpx.get(f"{server.base_url}/parcels/{code}").json()
    return found["state"], found["steps"]


def test_a_workflow_commits_with_its_request_and_runs(start_server: Start, program: Path, database_url: str) -> None:
    server = start_server(program, env={"DATABASE_URL": database_url})
    assert httpx.post(server.base_url + "/parcels", json={"code": "a"}).status_code == 201
    assert httpx.post(server.base_url + "/parcels", json={"code": "b", "broken": True}).status_code == 409
    comes_to(lambda: parcel(server, "a"), ("sent", 12))
    assert server.terminate() == 0


def test_what_waits_goes_on_after_a_restart(start_server: Start, program: Path, database_url: str) -> None:
    first = start_server(program, env={"DATABASE_URL": database_url})
    assert httpx.post(first.base_url + "/long", json={"code": "a"}).status_code == 200
    assert first.terminate() == 0
    second = start_server(program, env={"DATABASE_URL": database_url})
    comes_to(lambda: parcel(second, "a")[0], "long")


def test_the_embedded_database_has_one_process(start_server: Start, program: Path, tmp_path: Path) -> None:
    server = start_server(program, wait=False, env={"DATABASE_URL": f"sqlite:///{tmp_path}/x.db", "CODEAI_ROLE": "api"})
    assert server.wait() == 3
    assert "needs several processes on one database" in server.output


def test_on_postgresql_a_process_of_its_own_works_and_is_replaced_when_it_dies(start_server: Start, program: Path, postgres: Any) -> None:
    url = postgres.create_database()
    server = start_server(program, env={"DATABASE_URL": url})
    comes_to(lambda: {"cai-worker: durable", "cai-worker: http 1"} <= set(server.children()), True)
    assert httpx.post(server.base_url + "/long", json={"code": "a"}).status_code == 200
    server.children()["cai-worker: durable"].send_signal(signal.SIGKILL)
    comes_to(lambda: parcel(server, "a")[0], "long")
    assert server.terminate() == 0


def test_roles_split_a_program_over_servers_and_another_takes_over_within_15_seconds(
    start_server: Start, program: Path, postgres: Any
) -> None:
    url = postgres.create_database()
    api = start_server(program, env={"DATABASE_URL": url}, arguments=("--role", "api"))
    assert set(api.children()) == {"cai-worker: http 1"}
    workers = [start_server(program, wait=False, env={"DATABASE_URL": url, "CODEAI_ROLE": "worker"}) for _ in range(2)]
    comes_to(lambda: [list(worker.children()) for worker in workers], [["cai-worker: durable"]] * 2)
    for number in range(20):
        assert httpx.post(api.base_url + "/parcels", json={"code": f"p{number}"}).status_code == 201
    workers[0].kill()
    # How soon the other one gets to it says how busy the machine is; from when on it may is what the dead one has left behind.
    held = "SELECT count(*) FROM codeai_activations WHERE state = 1 AND ready_ms > 1000 * (extract(epoch FROM clock_timestamp()) + 15)"
    assert postgres.sql(held, url.rpartition("/")[2]) == "0"
    comes_to(lambda: [parcel(api, f"p{number}") for number in range(20)], [("sent", 12)] * 20)


VERSIONED = """
config { name: "versions" }
entity Parcel { id: uuid, primary, auto   code: string, required, unique   state: string, default("new")   steps: int, default(0) }
event Go { payload { code: string } }
function state() -> string { return "one" }
workflow Change {
    input { code: string }
    steps { go { wait: Go where event.code == input.code }  end { do { update Parcel set state = state() where code == input.code } } }
}
workflow Gone {
    input { code: string }
    steps { go { wait: Go where event.code == input.code }  end { do { update Parcel set state = "gone" where code == input.code } } }
}
endpoint POST /change { auth: public  body { code: string }  do { create Parcel { code: body.code }  start Change { code: body.code } } }
endpoint POST /gone { auth: public  body { code: string }  do { create Parcel { code: body.code }  start Gone { code: body.code } } }
endpoint POST /go { auth: public  body { code: string }  do { emit Go { code: body.code } } }
endpoint GET /parcels/{code} { auth: public  path { code: string }  returns: Parcel  do { return first Parcel where code == path.code } }
"""


def test_two_versions_run_at_once_and_what_began_with_the_first_ends_with_it(start_server: Start, tmp_path: Path, postgres: Any) -> None:
    env = {"DATABASE_URL": postgres.create_database()}
    older, newer = tmp_path / "older.cai", tmp_path / "newer.cai"
    older.write_text(VERSIONED)
    text = VERSIONED.replace('return "one"', 'return "two"')
    newer.write_text(
        "\n".join(
            (
                text[: text.index("workflow Gone")],
                *(line for line in text.splitlines() if "GET" in line or "/change" in line or "/go " in line),
            )
        )
    )
    first = start_server(older, env=env)
    for path, code in (("/change", "a"), ("/change", "b"), ("/gone", "c"), ("/gone", "d")):
        assert httpx.post(first.base_url + path, json={"code": code}).is_success
    second = start_server(newer, env=env)
    assert httpx.post(second.base_url + "/change", json={"code": "e"}).is_success
    for code in ("a", "c", "e"):  # any of the two works on each
        assert httpx.post(second.base_url + "/go", json={"code": code}).is_success
    comes_to(lambda: [parcel(second, code)[0] for code in "ace"], ["one", "gone", "two"])
    assert first.terminate() == 0
    for code in ("b", "d"):
        assert httpx.post(second.base_url + "/go", json={"code": code}).is_success
    comes_to(lambda: [parcel(second, code)[0] for code in "bd"], ["one", "gone"])
