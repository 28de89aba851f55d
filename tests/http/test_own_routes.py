"""The server's own routes win over those of the program, unless operators have a port of their own."""

from pathlib import Path

import pytest
from surroundings import served

from codeai.language.diagnostics import Severity
from codeai.server.loading import apart, load_program

METRIC = "entity Metric { id: int, primary, auto  name: string }\n"
RESOURCE = METRIC + "resource Metric at /metrics { auth: public }\n"
BLOCK = 'endpoint {} {{ auth: public  returns: json  do {{ return "mine" }} }}\n'


@pytest.mark.parametrize(
    ("route", "wins", "stays"),
    [
        ("GET /metrics", True, False),
        ("GET /health/ready", True, True),
        ("GET /debug/anything", True, False),
        ("POST /debug/anything", True, False),
        ("PATCH /api/v1/workflows/{id}", True, False),
        ("GET /docs", True, False),
        ("POST /metrics", False, False),
        ("GET /metrics/{id}", False, False),
        ("GET /api/v1/orders", False, False),
        ("GET /healthy", False, False),
    ],
)
def test_a_block_that_no_request_would_reach_is_an_error(tmp_path: Path, route: str, wins: bool, stays: bool) -> None:
    (tmp_path / "app.cai").write_text(BLOCK.format(route))
    program = load_program(tmp_path)
    assert [found.code for found in program.diagnostics] == (["CAI0514"] if wins else [])
    assert (program.valid, apart(program).valid) == (not wins, not stays)


def test_without_a_block_it_is_a_warning_and_the_server_answers(tmp_path: Path) -> None:
    service = served(tmp_path, RESOURCE)
    said = [(found.code, found.severity) for found in load_program(tmp_path).diagnostics]
    assert said == [("CAI0514", Severity.WARNING)]
    assert service.request("POST", "/metrics", {"name": "a"}).status == 201
    assert service.request("GET", "/metrics/1").json["name"] == "a"
    assert service.request("GET", "/metrics").code == "AUTH005"  # operators only
    service.close()


def test_where_operators_have_a_port_of_their_own_the_program_answers(tmp_path: Path) -> None:
    service = served(tmp_path, RESOURCE + "".join(map(BLOCK.format, ["GET /docs", "POST /health"])), {"CODEAI_OPERATOR_PORT": "9"})
    assert service.request("GET", "/metrics").json["data"] == []
    assert service.request("GET", "/docs").json == service.request("POST", "/health").json == "mine"
    assert service.request("GET", "/health").json["status"] == "healthy"
    service.close()
