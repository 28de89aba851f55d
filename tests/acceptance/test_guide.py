"""Every command of the operator's guide, exactly as it is printed there: default ports, default paths, default names.

Only what the guide leaves open is filled in: ``<id>``, ``<token>`` and the like, and shorter profiles than 30 seconds.
"""

import json
import re
import tarfile
from pathlib import Path

import pytest

from acceptance.guide_commands import ANSWERS
from services.machine import Machine, possible
from services.polling import until

pytestmark = pytest.mark.skipif(not possible(), reason="needs root and Linux namespaces: ports and paths as the guide prints them")

SCRIPT = Path(__file__).parent / "diagnostic-bundle.sh"
PROGRAM = """
config { name: "desk"  version: "1.0.0"  default_auth: public }
role admin { permissions: ["*:*"] }
auth main { method: jwt  secret: secret(JWT_SECRET) }
entity Ticket { id: uuid, primary, auto  title: string, required  allow read, create, delete: public }
resource Ticket at /tickets { auth: public  cache: 1m  create { auth: public } }
endpoint GET /mine { auth: required  returns: string  do { return "yours" } }
endpoint GET /broken { do { fail 500 "it is broken" } }
workflow Order {
    trigger: manual
    input { item: string, required }
    steps {
        reserve { do { create Ticket { title: "reserved {input.item}" } }  compensate { create Ticket { title: "released {input.item}" } } }
        charge { do { fail 409 "the peer is down" } retry: 0 times on_fail: fail("the peer is down") }
        ship { do { create Ticket { title: "shipped {input.item}" } }  on_fail: rollback }
    }
}
job Fails { do { fail 409 "never works" }  retry: 0 times }
job Nap { steps { rest { sleep: 1h } } }
"""
SERVER = "codeai server --db postgres"
ENVIRONMENT = {
    "JWT_SECRET": "a secret for tests that is long enough",
    "LOG_OUTPUT": "/var/log/codeai/app.log",
    "REDIS_URL": "redis://localhost:6379/0",
    "PGHOST": "localhost",
    "PGDATABASE": "codeai",
}


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("machine")
    (folder / "workflow.cai").write_text(PROGRAM)
    found = Machine(folder, ENVIRONMENT)
    try:
        found.start()
        found.serve(f"exec {SERVER}")
        found.shell("curl -s http://localhost:8080/tickets; curl -s http://localhost:8080/mine -H 'Authorization: Bearer nonsense'")
        yield found
    finally:
        found.remove()


def posted(machine: Machine, path: str, body: dict) -> str:
    """The id of what a POST has begun."""
    (machine.folder / "body.json").write_text(json.dumps(body))
    command = f"curl -s http://localhost:8080/api/v1/{path} -H 'Content-Type: application/json' -d @body.json | jq -r .id"
    return machine.shell(command).strip()


def stop(machine: Machine) -> None:
    """As the guide says: find the process, terminate it; within 30 seconds it is gone."""
    first = machine.shell("pgrep -f codeai").split()[0]
    machine.shell(f"kill -SIGTERM {first}")
    until(lambda: machine.run("curl -s http://localhost:8080/health/live").returncode == 7, 30)


def ended(machine: Machine, id_: str, status: str = "failed") -> None:
    until(lambda: machine.shell(f"curl -s http://localhost:8080/api/v1/executions/{id_} | jq -r .status").strip() == status)


def _short(value: str) -> str:
    return re.sub(r"[^\w -]", "", value.splitlines()[1 if value.startswith("psql <<") else 0])[:50]


@pytest.mark.parametrize(("command", "printed"), ANSWERS, ids=[f"{at:02} {_short(command)}" for at, (command, _) in enumerate(ANSWERS)])
def test_it_prints_what_the_guide_promises(machine, command, printed):
    output = machine.shell(command)
    assert re.search(printed, output, re.MULTILINE), f"{command}\n{output[-3000:]}"


def test_health_looks_as_the_example_of_the_guide_does(machine):
    found = json.loads(machine.shell("curl -s http://localhost:8080/health | jq ."))
    assert list(found) == ["status", "timestamp", "version", "uptime", "checks"]
    assert list(found["checks"]) == ["database", "cache"]
    assert all(list(check)[:2] == ["status", "duration"] for check in found["checks"].values())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["timestamp"])


def test_a_failed_execution_is_retried_and_compensated(machine):
    id_ = posted(machine, "workflows/Order/executions", {"input": {"item": "lamp"}})
    ended(machine, id_)
    retried = json.loads(machine.shell(f"curl -X POST http://localhost:8080/api/v1/executions/{id_}/retry"))
    assert (retried["id"], retried["attempt"]) == (id_, 2)
    ended(machine, id_)
    assert json.loads(machine.shell(f"curl -X POST http://localhost:8080/api/v1/executions/{id_}/compensate"))["id"] == id_
    ended(machine, id_, "compensated")
    assert "released lamp" in machine.shell("curl -s http://localhost:8080/tickets")


def test_stuck_jobs_are_cancelled_and_failed_ones_purged(machine):
    nap, fails = (posted(machine, "admin/jobs", {"job": job}) for job in ("Nap", "Fails"))
    ended(machine, fails)
    assert machine.shell(f"curl -X DELETE http://localhost:8080/api/v1/admin/jobs/{nap}") == ""
    ended(machine, nap, "cancelled")
    machine.shell(f"psql -c \"UPDATE executions SET finished_at = now() - interval '25 hours' WHERE id = '{fails}'\"")
    purge = "curl -X POST http://localhost:8080/api/v1/admin/jobs/purge?status=failed&older_than=24h"
    assert machine.shell(f"{purge}\nwait") == '{"purged":1}'


def test_s138_the_script_yields_all_of_its_files_and_none_is_empty(machine):
    (machine.folder / SCRIPT.name).write_text(SCRIPT.read_text(encoding="utf-8"))
    printed = machine.shell(f"bash {SCRIPT.name}")
    name = re.fullmatch(r"Diagnostic bundle created: (\S+)\n", printed).group(1)
    with tarfile.open(machine.folder / name) as archive:
        sizes = {Path(member.name).name: member.size for member in archive.getmembers() if member.isfile()}
    assert set(sizes) == {
        *("version.txt", "health.json", "metrics.txt", "goroutines.txt", "heap.pb.gz", "recent-logs.txt", "system-info.txt"),
    }
    assert min(sizes.values()) > 0


def test_s71_s107_the_server_ends_is_restored_and_serves_again(machine):
    machine.shell("curl -s http://localhost:8080/tickets -H 'Content-Type: application/json' -d '{\"title\": \"kept\"}'")
    machine.shell("pg_dump -Fc codeai > backup.dump")
    stop(machine)
    machine.shell("dropdb codeai && createdb codeai")
    machine.shell("pg_restore -d codeai backup.dump")
    server = machine.serve(f"exec {SERVER}")
    assert "kept" in machine.shell("curl -s http://localhost:8080/tickets")
    assert "created" not in (machine.folder / "server.out").read_text()
    stop(machine)
    assert server.wait(30) == 0


def test_s49_t10_a_server_in_an_empty_folder_is_debugged(machine):
    """``LOG_LEVEL=debug codeai server`` and the exports below it, where nothing is: an empty program with the control API."""
    exports = "export LOG_LEVEL=debug\nexport LOG_FORMAT=json\nexport LOG_OUTPUT=stdout\nexport LOG_ADD_SOURCE=true"
    machine.shell("mkdir -p empty")
    server = machine.serve(f"cd empty; {exports}\nLOG_LEVEL=debug exec codeai server start")
    assert machine.shell("curl -s http://localhost:8080/api/v1/workflows | jq -c .data") == "[]\n"
    lines = until(lambda: [line for line in (machine.folder / "server.out").read_text().splitlines() if '"level":"debug"' in line])
    assert all(re.search(r'"source":"\w+\.py:\d+"', line) for line in lines)
    stop(machine)
    assert server.wait(30) == 0
