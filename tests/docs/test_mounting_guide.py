"""The guide of mounting: its hosts are run as they stand there."""

import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

GUIDE = (Path(__file__).parents[2] / "docs/guides/mounting.md").read_text(encoding="utf-8")


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Imports a host of the guide by its name, beside the program."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.cai").write_text("\n".join(re.findall(r"```cai\n(.*?)```", GUIDE, re.DOTALL)), encoding="utf-8")
    named = {re.match(r"# (\w+)\.py\n", text)[1]: text for text in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)}

    def imported(name: str) -> Any:
        (tmp_path / f"{name}.py").write_text(named[name], encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, tmp_path / f"{name}.py")
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield imported
    for name in named:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["starlette_host", "fastapi_host"])
def test_a_host_serves_the_back_end_under_its_path(sample, name):
    with TestClient(sample(name).app) as client:
        made = client.post("/shop/items", json={"name": "lamp"})
        assert made.status_code == 201, made.text
        assert client.get(made.headers["location"]).json()["name"] == "lamp"
        assert client.get("/shop/openapi.json").json()["servers"][0]["url"] == "/shop"
        if name == "fastapi_host":
            assert client.get("/hello").json() == "from the host"
    assert not sample(name).back_end._lifespan.started


def test_a_server_passes_its_lifespan_by_itself(sample):
    with TestClient(sample("alone").app) as client:
        assert client.get("/items").json()["data"] == []


async def test_a_host_that_passes_no_lifespan_is_told_so_by_the_first_answer(sample, caplog):
    back_end = sample("starlette_host").back_end
    async with AsyncExitStack() as opened:
        client = await opened.enter_async_context(httpx.AsyncClient(transport=httpx.ASGITransport(back_end), base_url="http://test"))
        refused = await client.get("/items")
        assert (refused.status_code, refused.json()["code"]) == (503, "not_started")
        assert refused.headers["x-request-id"]
        assert "lifespan=back_end.lifespan" in refused.json()["hint"] and "docs/guides/mounting.md" in refused.json()["hint"]
        assert "mounted in a program that does not start it" in caplog.text
        await opened.enter_async_context(back_end.lifespan())
        assert (await client.get("/items")).status_code == 200
