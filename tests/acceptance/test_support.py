"""S136 to S140: the support bundle, ours and the guide's own script."""

import json
import platform
import re
import tarfile
from pathlib import Path

import httpx
import pytest

from services.polling import until
from services.process import SECRET

SCRIPT = (Path(__file__).parent / "diagnostic-bundle.sh").read_text(encoding="utf-8")


def contents(operator, printed: str) -> dict[str, bytes]:
    name = re.search(r"Diagnostic bundle created: (\S+)", printed).group(1)
    with tarfile.open(operator.folder / name) as archive:
        return {Path(member.name).name: archive.extractfile(member).read() for member in archive.getmembers() if member.isfile()}


def test_s136_s137_the_version_of_all_that_matters(embedded):
    lines = embedded.shell("codeai version").splitlines()
    assert re.fullmatch(r"codeai \d+\.\d+.*", lines[0])
    assert lines[1] == f"Python {platform.python_version()}"
    assert platform.machine() in lines[2]
    assert embedded.json("codeai version --output json")["python"] == platform.python_version()


def test_s138_s139_the_script_of_the_guide_run_as_given(embedded):
    path = embedded.folder / "diagnostic-bundle.sh"
    path.write_text(SCRIPT.replace("localhost:8080", f"127.0.0.1:{embedded.server.port}"))
    printed = embedded.shell("bash diagnostic-bundle.sh")
    files = contents(embedded, printed)
    assert set(files) >= {"version.txt", "health.json", "metrics.txt", "goroutines.txt", "heap.pb.gz", "system-info.txt"}
    assert "recent-logs.txt" in files or "Log file not found" in printed
    assert json.loads(files["health.json"])["status"] == "healthy"
    assert b"http_requests_total" in files["metrics.txt"]
    assert files["goroutines.txt"].startswith(b"goroutine ")
    assert files["heap.pb.gz"][:2] == b"\x1f\x8b"


def test_s138_our_own_command_collects_the_same_and_more(launch, tmp_path):
    log = tmp_path / "app.log"
    operator = launch(env={"LOG_OUTPUT": str(log), "CODEAI_OPERATOR_TOKEN": "operator-token-1"})
    httpx.get(f"{operator.server.base_url}/tickets", headers={"X-Request-ID": "in-the-bundle"})
    until(lambda: "in-the-bundle" in log.read_text())
    environment = f"JWT_SECRET='{SECRET}' DATABASE_URL=postgresql://ada:hunter2@db/x CODEAI_OPERATOR_TOKEN=operator-token-1"
    printed = operator.shell(f"{environment} codeai diagnostics --url http://localhost:8080 --logs {log} --program .")
    files = contents(operator, printed)
    wanted = {"version.txt", "health.json", "metrics.txt", "goroutines.txt", "heap.pb.gz", "recent-logs.txt", "system-info.txt"}
    assert set(files) >= wanted | {"settings.txt", "validation.txt", "executions.json"}
    assert b"in-the-bundle" in files["recent-logs.txt"]
    assert files["validation.txt"].endswith(b"valid\n")
    assert b"JWT_SECRET=********  # JWT_SECRET" in files["settings.txt"]
    everything = b"".join(content for name, content in files.items() if not name.endswith(".gz"))
    for secret in (SECRET, "hunter2", "operator-token-1"):
        assert secret.encode() not in everything


def test_s138_a_server_that_is_down_leaves_a_bundle_that_says_so(embedded):
    printed = embedded.shell("codeai diagnostics --url http://127.0.0.1:1 --output down.tar.gz 2>&1")
    assert "health.json: http://127.0.0.1:1/health did not answer: connection refused" in printed
    files = contents(embedded, printed)
    assert b"did not answer" in files["missing.txt"]
    assert b"Log file not found" in files["recent-logs.txt"] or files["recent-logs.txt"]


@pytest.mark.parametrize("path", ["/health", "/metrics", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap", "/api/v1/workflows"])
def test_s139_the_urls_answer_without_credentials_on_a_default_install(embedded, path):
    assert httpx.get(embedded.server.base_url + path).status_code == 200
