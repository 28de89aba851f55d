"""S49 to S53, S72 to S76, S102, S103, S132 to S134, S140 to S144, T3 to T5, T12, T16: logs."""

import asyncio
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from acceptance.conftest import token
from services.polling import until
from services.ports import free_port
from services.process import SECRET

NOTES = """
config { name: "notes" }
entity Note {
    id: int, primary, auto
    text: string(200), required
    pin: string(20), secret
    allow read, create: public
}
resource Note at /notes { auth: public  create { auth: public } }
endpoint POST /write {
    auth: public
    body { text: string, required }
    returns: string
    do {
        let made = create Note { text: body.text, pin: "4711-pin" }
        log info "made" { note: made, password: "hunter2" }
        return "done"
    }
}
"""


def lines(operator, **fields) -> list[dict]:
    return [line for line in operator.log() if all(line.get(name) == value for name, value in fields.items())]


def finished(operator, request_id: str) -> dict:
    return operator.log_line(lambda line: line.get("request_id") == request_id and line["msg"] == "request")


@pytest.fixture(scope="module")
def debug(launch):
    return launch(env={"LOG_LEVEL": "debug", "LOG_ADD_SOURCE": "true"})


@pytest.fixture(scope="module")
def text(launch):
    return launch(env={"LOG_FORMAT": "text", "LOG_OUTPUT": "stderr"})


@pytest.fixture(scope="module")
def file(launch, tmp_path_factory):
    path = tmp_path_factory.mktemp("var") / "log" / "codeai" / "app.log"
    operator = launch(env={"LOG_OUTPUT": str(path)})
    operator.path = path
    return operator


def test_s49_debug_shows_what_a_request_does(debug):
    httpx.get(f"{debug.server.base_url}/tickets", headers={"X-Request-ID": "s49"})
    finished(debug, "s49")
    shown = [line["msg"] for line in lines(debug, request_id="s49")]
    assert shown == ["request began", "statement", "request answered", "request"]
    (statement,) = lines(debug, request_id="s49", msg="statement")
    assert statement["level"] == "debug"
    assert "SELECT" in statement["statement"]
    assert statement["duration"] > 0


def test_s50_json_is_the_default_and_text_the_other(embedded, text):
    httpx.get(f"{embedded.server.base_url}/tickets", headers={"X-Request-ID": "s50"})
    assert finished(embedded, "s50")["level"] == "info"
    httpx.get(f"{text.server.base_url}/tickets", headers={"X-Request-ID": "s50"})
    line = until(lambda: re.search(r"^(\S+) info  request request_id=s50 method=GET path=/tickets .*$", text.server.output, re.MULTILINE))
    assert "status=200" in line.group()


def test_s51_logs_go_where_they_are_told(tmp_path):
    """Two servers at a time, whose streams lie apart."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CODEAI_", "LOG_", "DB_", "JWT_"))}
    servers = {}
    for output in ("stdout", "stderr"):
        (tmp_path / output).mkdir()
        (tmp_path / output / "app.cai").write_text('config { name: "desk" }')
        streams = [(tmp_path / output / name).open("w") for name in ("out", "err")]
        command = [sys.executable, "-m", "codeai", "server", str(tmp_path / output), "--port", str(free_port())]
        servers[output] = subprocess.Popen(command, env={**inherited, "LOG_OUTPUT": output}, stdout=streams[0], stderr=streams[1])
    try:
        for output, (here, there) in {"stdout": ("out", "err"), "stderr": ("err", "out")}.items():
            until(lambda path=tmp_path / output / here: '"msg":"listening"' in path.read_text())
            assert '"msg"' not in (tmp_path / output / there).read_text()
    finally:
        for server in servers.values():
            server.terminate()
            server.wait(30)


def test_s52_the_source_can_be_added(debug, embedded):
    line = debug.log_line(lambda line: line["msg"] == "listening")
    file, _, number = line["source"].partition(":")
    (path,) = (Path(__file__).parents[2] / "src").rglob(file)
    assert '"listening"' in path.read_text().splitlines()[int(number) - 1]
    assert "source" not in embedded.log_line(lambda line: line["msg"] == "listening")


@pytest.mark.parametrize("level", ["warn", "error"])
def test_s53_levels_keep_the_lesser_lines_back(launch, level):
    operator = launch(env={"LOG_LEVEL": level})
    httpx.get(f"{operator.server.base_url}/tickets")
    httpx.get(f"{operator.server.base_url}/mine", headers={"Authorization": "Bearer nonsense"})
    operator.server.terminate()
    assert [line["level"] for line in operator.log()] == (["warn"] if level == "warn" else [])


def test_s72_s74_s76_a_given_request_id_is_in_the_answer_and_in_the_log(file):
    answer = httpx.get(f"{file.server.base_url}/tickets", headers={"X-Request-ID": "trace-123"})
    assert answer.headers["x-request-id"] == "trace-123"
    folder = file.path.parent
    assert until(lambda: file.shell(f'grep "trace-123" {folder}/*.log', check=False)).count("\n") == 1


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "naïve"])
def test_s72_what_is_no_plain_id_is_replaced(embedded, given):
    answer = httpx.get(f"{embedded.server.base_url}/tickets", headers={"X-Request-ID": given.encode("latin-1")})
    assert re.fullmatch("[0-9a-f]{28}", answer.headers["x-request-id"])


def test_s75_t3_the_access_log_has_its_fields(operator):
    httpx.get(f"{operator.server.base_url}/mine?secret=1", headers={"X-Request-ID": "s75", "Authorization": f"Bearer {token('clerk')}"})
    line = finished(operator, "s75")
    assert isinstance(line.pop("duration"), float)
    line.pop("time")
    expected = {"level": "info", "msg": "request", "request_id": "s75", "method": "GET", "path": "/mine", "route": "/mine"}
    assert line == {**expected, "status": 200, "user_id": "ada"}


def test_s75_lines_of_concurrent_requests_do_not_mix(debug):
    async def all_at_once():
        async with httpx.AsyncClient(base_url=debug.server.base_url) as client:
            await asyncio.gather(*(client.get("/tickets", headers={"X-Request-ID": f"mix-{number}"}) for number in range(20)))

    asyncio.run(all_at_once())
    for number in range(20):
        finished(debug, f"mix-{number}")
        assert lines(debug, request_id=f"mix-{number}")[0]["msg"] == "request began"
        assert len(lines(debug, request_id=f"mix-{number}", msg="statement")) == 1


def test_s102_s133_slow_requests_are_found_by_jq(file):
    """A profile takes as long as is asked for."""
    file.shell("curl -s -o /dev/null localhost:8080/tickets; curl -s -o /dev/null localhost:8080/debug/pprof/profile?seconds=1.1")
    slow = f"cat {file.path} | jq -c 'select(.duration > 1000) | {{path, duration, method}}'"

    def profile() -> dict | None:
        lines = map(json.loads, file.shell(slow).splitlines())
        return next((line for line in lines if line["path"] == "/debug/pprof/profile"), None)  # on a busy machine others are slow, too

    found = until(profile)
    assert found["method"] == "GET"
    assert 1100 <= found["duration"] < 30_000
    assert '"/tickets"' in file.shell(f"cat {file.path} | jq -c 'select(.duration > 0) | .path'")


def test_s103_t12_the_folder_of_the_file_is_made(file):
    assert file.path.exists()
    assert file.server.output.count("{") == 0


def test_t12_a_moved_file_and_sighup_lead_to_a_new_one(file):
    moved = file.path.with_suffix(".log.1")
    file.path.rename(moved)
    httpx.get(f"{file.server.base_url}/tickets", headers={"X-Request-ID": "after-move"})
    until(lambda: file.path.exists() and "after-move" in file.path.read_text())
    assert "after-move" not in moved.read_text()
    file.path.rename(file.path.with_suffix(".log.2"))
    file.server.process.send_signal(signal.SIGHUP)
    until(file.path.exists)
    assert file.server.process.poll() is None


def test_t12_workers_of_a_fleet_follow_the_rotation(launch, postgres, tmp_path):
    path = tmp_path / "app.log"
    url = postgres.create_database()
    operator = launch(env={"DATABASE_URL": url, "LOG_OUTPUT": str(path)}, arguments=("--workers", "2"))
    path.rename(tmp_path / "app.log.1")
    operator.server.process.send_signal(signal.SIGHUP)
    until(path.exists)
    for number in range(20):
        httpx.get(f"{operator.server.base_url}/tickets", headers={"X-Request-ID": f"rotated-{number}"})
    until(lambda: path.read_text().count("rotated-") == 20)
    assert "rotated-" not in (tmp_path / "app.log.1").read_text()


def test_t12_a_file_that_cannot_be_written_stops_the_start(tmp_path):
    (tmp_path / "app.cai").write_text("")
    environment = {**os.environ, "LOG_OUTPUT": str(tmp_path), "JWT_SECRET": SECRET}
    done = subprocess.run([sys.executable, "-m", "codeai", "server", str(tmp_path)], capture_output=True, text=True, env=environment)
    assert done.returncode == 3
    assert done.stderr == f"codeai: LOG_OUTPUT: cannot write {tmp_path}: Is a directory; name a file that may be written, or stdout\n"


def test_t12_a_full_disk_fails_no_request(launch):
    operator = launch(env={"LOG_OUTPUT": "/dev/full"})
    for _ in range(5):
        assert httpx.get(f"{operator.server.base_url}/tickets").status_code == 200
    lost = "curl -s http://localhost:8080/metrics | grep '^log_lines_lost '"
    assert until(lambda: float(operator.shell(lost).split()[1]) >= 5)


def test_s132_t5_levels_are_lower_case(operator):
    httpx.get(f"{operator.server.base_url}/mine", headers={"Authorization": "Bearer nonsense"})
    operator.log_line(lambda line: line["level"] == "warn")
    assert {line["level"] for line in operator.log()} <= {"debug", "info", "warn", "error"}


def test_s134_s11_auth_failures_say_authentication_failed(operator):
    httpx.get(f"{operator.server.base_url}/mine", headers={"Authorization": "Bearer nonsense", "X-Request-ID": "s134"})
    line = operator.log_line(lambda line: line.get("request_id") == "s134" and "authentication" in line["msg"])
    assert "failed" in line["msg"]
    assert "AUTH001" in line["msg"]
    assert finished(operator, "s134")["code"] == "AUTH001"


def test_s140_s144_an_unexpected_error_has_id_message_and_stack(launch):
    operator = launch()
    with sqlite3.connect(operator.folder / ".codeai" / "app.db", timeout=60) as database:
        database.execute("DROP TABLE tickets")
    answer = httpx.get(f"{operator.server.base_url}/tickets")
    assert answer.status_code == 500
    assert "tickets" not in answer.text.replace('"/tickets"', "")
    of_it = answer.json()["request_id"]
    line = operator.log_line(lambda line: line["level"] == "error" and line.get("request_id") == of_it and line["msg"] != "request")
    assert finished(operator, of_it)["level"] == "error"  # filters for errors find what was answered, too
    assert "no such table: tickets" in line["msg"]
    assert "Traceback" in line["exception"]
    assert "error" in operator.shell(f"grep -i error {operator.server.log}")


def test_s142_t16_one_request_is_debugged(operator):
    url = f"{operator.server.base_url}/tickets"
    httpx.get(url, headers={"X-Debug": "true", "X-Request-ID": "s142-with"})
    httpx.get(url, headers={"X-Request-ID": "s142-without"})
    finished(operator, "s142-with")
    finished(operator, "s142-without")
    assert lines(operator, request_id="s142-with", level="debug")[0]["msg"] == "request began"
    assert lines(operator, request_id="s142-with", msg="statement")
    assert not lines(operator, request_id="s142-without", level="debug")


def test_t16_the_header_of_others_is_ignored(embedded):
    url = f"{embedded.server.base_url}/tickets"
    httpx.get(url, headers={"X-Debug": "true", "X-Request-ID": "t16", "X-Forwarded-For": "10.0.0.7"})
    finished(embedded, "t16")
    assert not lines(embedded, request_id="t16", level="debug")


def test_t16_it_can_be_allowed_for_all(launch):
    operator = launch(env={"CODEAI_ALLOW_DEBUG_HEADER": "true"})
    httpx.get(f"{operator.server.base_url}/tickets", headers={"X-Debug": "true", "X-Request-ID": "t16", "X-Forwarded-For": "10.0.0.7"})
    finished(operator, "t16")
    assert lines(operator, request_id="t16", level="debug")


def test_secrets_stay_out_of_the_log(launch):
    operator = launch(source=NOTES, env={"LOG_LEVEL": "debug", "CODEAI_OPERATOR_TOKEN": "operator-token-1"})
    url = operator.server.base_url
    httpx.post(f"{url}/write", json={"text": "hello"}, headers={"X-Request-ID": "secrets", "Authorization": f"Bearer {token('admin')}"})
    finished(operator, "secrets")
    httpx.get(f"{url}/notes/{token('x')}")
    operator.log_line(lambda line: line.get("path", "").startswith("/notes/[redacted]"))
    (line,) = lines(operator, request_id="secrets", msg="made")
    assert line["note"]["pin"] == line["password"] == "[redacted]"
    assert line["note"]["text"] == "hello"
    for secret in ("4711-pin", "hunter2", SECRET, "operator-token-1", "eyJ"):
        assert secret not in operator.server.output


def test_a_client_cannot_forge_a_line(embedded):
    forged = '/tickets/x%0A{"level":"error","msg":"forged"}'
    httpx.get(embedded.server.base_url + forged, headers={"X-Request-ID": "forge"})
    finished(embedded, "forge")
    assert not lines(embedded, msg="forged")
