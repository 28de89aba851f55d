"""The files of the page on installing: what they name is there, and the proxy is tried."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from codeai.cli.main import cli
from codeai.server.variables import VARIABLES
from services.polling import until
from services.ports import free_port
from services.process import ServerProcess

PAGE = (Path(__file__).parents[2] / "docs" / "operations" / "installing.md").read_text(encoding="utf-8")
PROGRAM = """
config { name: "shop"  default_auth: public }
endpoint GET /once { auth: public  rate_limit: 1 per 1h by ip  do { return "mine" } }
"""


def block(kind: str) -> str:
    found = re.search(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def known(name: str) -> bool:
    return name.removesuffix("_FILE") in VARIABLES


def flags(words: list[str]) -> list[str]:
    shown = CliRunner().invoke(cli, ["server", "--help"]).output
    return [word for word in words if word.startswith("--") and word not in shown]


def test_the_unit_names_what_there_is(tmp_path: Path) -> None:
    unit = block("ini")
    assert [name for name in re.findall(r"^Environment=(\w+)=", unit, re.MULTILINE) if not known(name)] == []
    started = re.search(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    assert started is not None
    assert flags(shlex.split(started[1])) == []
    credentials = re.findall(r"%d/(\w+)$", unit, re.MULTILINE)
    assert credentials == re.findall(r"^LoadCredential=(\w+):", unit, re.MULTILINE) != []
    file = tmp_path / "shop.service"
    file.write_text(unit.replace("/opt/shop/venv/bin/codeai", sys.executable).replace("/opt/shop/program", "/"))
    if shutil.which("systemd-analyze"):
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(file)], capture_output=True, text=True)
        assert "shop.service" not in done.stderr, done.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("installed")
    (folder / "app.cai").write_text(PROGRAM)
    env = {"CODEAI_TRUSTED_PROXIES": "127.0.0.1", "CODEAI_OPERATOR_ACCESS": "token", "DATABASE_URL": f"sqlite:///{folder}/app.db"}
    found = ServerProcess(folder, folder, env=env)
    found.start()
    yield found
    found.remove()


def test_the_container_starts_what_there_is_and_asks_it(server: ServerProcess) -> None:
    text = block("dockerfile")
    set_here = re.search(r"^ENV (.*)$", text, re.MULTILINE)
    assert set_here is not None
    assert [name for name in re.findall(r"(\w+)=", set_here[1]) if not known(name)] == []
    command = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    assert [json.loads(line)[:2] for line in command] == [["codeai", "server"]]
    healthy = json.loads(re.findall(r"CMD (\[\"python.*\])$", text, re.MULTILINE)[0])
    assert healthy[0] == "python"
    asked = [part.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}") for part in healthy[1:]]
    assert subprocess.run([sys.executable, *asked], capture_output=True).returncode == 0
    nobody = [part.replace(f":{server.port}", f":{free_port()}") for part in asked]
    assert subprocess.run([sys.executable, *nobody], capture_output=True).returncode != 0


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def proxy(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """nginx with the block of the page."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    http = block("nginx").replace("127.0.0.1:8080", f"127.0.0.1:{server.port}").replace("listen 80;", f"listen 127.0.0.1:{port};")
    paths = "".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    text = f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}} http {{ access_log off; {paths} {http} }}"
    (folder / "nginx.conf").write_text(text)
    process = subprocess.Popen(
        [shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    )
    url = f"http://127.0.0.1:{port}"

    try:
        until(lambda: answers(url), explain=lambda: "nginx does not answer")
        yield url
    finally:
        process.terminate()
        process.wait(60)


def test_clients_behind_the_proxy_have_their_own_address_and_cannot_choose_one(proxy: str) -> None:
    assert httpx.get(f"{proxy}/once").text == '"mine"'
    lies = [{"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}]
    # The proxy is trusted, and its client is on this machine as well: what stands before it counts as what the proxy's proxy says. So
    # the first lie is believed here, where everything is local, and not a second time; the other one never.
    assert [httpx.get(f"{proxy}/once", headers=lie).status_code for lie in lies] == [200, 429]


def test_operators_are_not_reached_through_the_proxy(proxy: str, server: ServerProcess) -> None:
    assert [httpx.get(f"{proxy}{path}").status_code for path in ("/metrics", "/debug/pprof/heap", "/api/v1/workflows")] == [404] * 3
    assert httpx.get(f"{server.base_url}/metrics").status_code == 401
