"""The pages of operators: their commands run, their tables agree with the code."""

import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from acceptance.conftest import PROGRAM, until
from codeai.auth import errors as auth
from codeai.server.settings import Settings
from codeai.server.shown import shown_settings
from codeai.server.variables import VARIABLES
from codeai.server.wiring import tracing
from services.process import SECRET, ServerProcess

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "operations"


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


class Desk:
    """A server on PostgreSQL with its log in a file, and a shell in which the commands of the pages mean it."""

    def __init__(self, folder: Path, url: str) -> None:
        (folder / "app.cai").write_text(PROGRAM)
        self.folder = folder
        self.url = url
        self.log = folder / "var" / "app.log"
        self.server = ServerProcess(folder, folder, env={"DATABASE_URL": url, "LOG_OUTPUT": str(self.log)})

    def shell(self, block: str) -> subprocess.CompletedProcess[str]:
        """Runs a block of a page."""
        text = block.replace("localhost:8080", f"127.0.0.1:{self.server.port}")
        text = text.replace("/var/log/codeai/app.log", str(self.log)).replace("/var/log/codeai/*.log", f"{self.log.parent}/*.log")
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("CODEAI_", "LOG_", "JWT_", "DB_"))}
        environment = {
            **inherited,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DATABASE_URL": self.url,
            "JWT_SECRET": SECRET,
            "CODEAI_PORT": str(self.server.port),
            "PPROF_TMPDIR": str(self.folder),
        }
        return subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", text], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=280
        )


@pytest.fixture(scope="module")
def desk(tmp_path_factory, postgres):
    found = Desk(tmp_path_factory.mktemp("desk"), postgres.create_database())
    found.server.start(wait=False)
    found.server.wait_until_ready()
    yield found
    found.server.remove()


def short(value: object) -> str:
    return str(value)[:20]


def blocks(kind: str) -> list[tuple[str, int, str]]:
    return [
        (path.stem, number, block)
        for path in sorted(PAGES.glob("*.md"))
        if path.stem != "control-api"  # which has a program and a test of its own
        for number, block in enumerate(re.findall(rf"```{kind}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL))
    ]


@pytest.mark.parametrize(("name", "number", "block"), blocks("sh"), ids=short)
def test_commands_do_what_they_say(desk, name, number, block):
    done = desk.shell(block)
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    assert done.stdout or ">" in block or "jq -c 'select(.duration" in block


@pytest.mark.parametrize(("name", "number", "block"), blocks("sql"), ids=short)
def test_statements_are_understood(desk, name, number, block):
    statements = [part.strip() for part in block.split(";") if part.strip()]
    command = ["psql", desk.url, "-v", "ON_ERROR_STOP=1", *(part for statement in statements for part in ("-c", statement))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_table_of_settings_is_that_of_the_code():
    shown = shown_settings(Settings())
    ours, _, traces = page("settings").partition("## Traces")
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*) \|$", ours, re.MULTILINE))
    read = re.findall(r"\"(OTEL_[A-Z_]+)\"", inspect.getsource(tracing))
    assert [name for name in read if f"`{name}`" not in traces] == []
    assert list(rows) == list(VARIABLES)
    for name, variable in VARIABLES.items():
        default = f"`{text}`" if (text := shown[name][1]) else ""
        config = f"`config {'.'.join(variable.config)}`" if variable.config else ""
        others = ", ".join(filter(None, [f"`{variable.flag}`" if variable.flag else "", config]))
        assert rows[name] == f"{variable.reader.wanted} | {default} | {variable.meaning} | {others}", name


def test_the_table_of_metrics_is_what_a_server_shows(desk):
    text = desk.shell("curl -s http://localhost:8080/metrics").stdout
    kinds = {family.name + ("_total" if family.type == "counter" else ""): family.type for family in text_string_to_metric_families(text)}
    documented = {
        name: row[1].strip()
        for row in re.findall(r"^\| (`.*?`) \| (counter|gauge|histogram) \|", page("metrics"), re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row[0])
    }
    for name in (
        "circuit_breaker_state",
        "integration_calls_total",
        "integration_call_duration_seconds",
    ):  # a program without integrations has none
        documented.pop(name)
        kinds.pop(name, None)
    assert documented == kinds


def test_s77_to_s85_the_table_of_refusals_is_that_of_the_code():
    rows = re.findall(r"^\| (AUTH\d+) \| `(.*?)` \| (\d+) \| `Err(\w+)` \| `(\w+)` \| (.*) \|$", page("troubleshooting"), re.MULTILINE)
    assert [row[0] for row in rows] == [f"AUTH00{number}" for number in range(1, 10)]
    for code, message, status, go, name, remedy in rows:
        found = getattr(auth, name)
        assert (found.code, found.text, str(found.status), go, found.remedy) == (code, message, status, name, remedy)


def test_s101_what_the_guide_names_has_its_counterpart():
    rows = re.findall(r"^\| `((?:internal|pkg)/.*?)` \| `(src/.*?)` \|$", page("troubleshooting"), re.MULTILINE)
    there = {name.partition(":")[0] for name, _ in rows}
    assert there >= {
        "internal/auth/errors.go",
        "internal/validator/errors.go",
        "internal/query/errors.go",
        "pkg/integration/circuitbreaker.go",
        "pkg/logging/middleware.go",
        "internal/health/checks/database.go",
    }
    holds = {
        "internal/auth/errors.go": "class JWKSFetchFailed",
        "internal/validator/errors.go": "ScopeError",
        "internal/query/errors.go": "class CompilerError",
        "pkg/integration/circuitbreaker.go": "class CircuitBreaker",
        "pkg/logging/middleware.go": "user_id",
        "internal/health/checks/database.go": "ping failed",
        "internal/health/checks/cache.go": "cache",
    }
    for name, path in rows:
        assert holds[name.partition(":")[0]] in (ROOT / path).read_text(encoding="utf-8"), path


@pytest.mark.parametrize(
    "name", ["MaxOpenConns", "FailureThreshold", "Timeout", "HalfOpenRequests", "circuitBreaker.Reset()", "ErrCircuitOpen"]
)
def test_names_of_the_guide_have_their_counterpart(name):
    assert re.search(rf"^\| `{re.escape(name)}` \| `", page("troubleshooting"), re.MULTILINE)


def test_s126_to_s131_the_alarms_are_promql_over_metrics_that_are_there(desk):
    lines = [line for block in re.findall(r"```promql\n(.*?)```", page("metrics"), re.DOTALL) for line in block.splitlines()]
    rules = {"groups": [{"name": "codeai", "rules": [{"alert": f"a{at}", "expr": line} for at, line in enumerate(lines)]}]}
    (desk.folder / "rules.yml").write_text(json.dumps(rules))  # JSON is YAML
    done = desk.shell("promtool check rules rules.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    shown = set(re.findall(r"^# TYPE (\w+)", desk.shell("curl -s http://localhost:8080/metrics").stdout, re.MULTILINE))
    named = {name for line in lines for name in re.findall(r"[a-z_]+_(?:total|bucket|state|use|max)\b", line)}
    assert len(named) >= 6
    assert {name.removesuffix("_bucket") for name in named} - {"circuit_breaker_state"} <= shown  # which needs an integration


@pytest.mark.parametrize(
    "title", ["N+1", "missing index", "Large results", "locks", "size of the cache", "Large bodies", "External calls", "never end"]
)
def test_s105_every_common_cause_has_its_section(title):
    assert re.search(rf"^###? .*{re.escape(title)}", page("troubleshooting"), re.MULTILINE)


def test_links_lead_somewhere():
    for path in PAGES.glob("*.md"):
        for target, anchor in re.findall(r"\]\(([\w./-]*\.md)(#[\w-]+)?\)", path.read_text(encoding="utf-8")):
            there = path.parent / target
            assert there.exists(), f"{path.name}: {target}"
            titles = {
                "#" + re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in re.findall(r"^#+ (.*)$", there.read_text(), re.M)
            }
            assert not anchor or anchor in titles, f"{path.name}: {target}{anchor}"


def test_s104_lists_are_paged(desk):
    done = desk.shell("curl -s 'http://localhost:8080/tickets?limit=1' | jq -r '.pagination | keys | join(\" \")'")
    assert {"limit", "page", "has_next"} <= set(done.stdout.split())


def test_the_log_is_there(desk):
    until(lambda: desk.log.exists() and desk.log.read_text())
