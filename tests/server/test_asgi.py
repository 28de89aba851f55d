"""``codeai.asgi:create_app``: the back end inside another ASGI program."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from codeai.asgi import InvalidProgram, create_app
from codeai.server.settings import SettingError
from codeai.storage.errors import DatabaseUnavailable

PROGRAM = """
entity Item { id: uuid, primary, auto  name: string, required }
resource Item at /items { auth: public }
"""


def app_of(folder, text=PROGRAM, **environment):
    (folder / "app.cai").write_text(text)
    return create_app(folder / "app.cai", {"CODEAI_ENV": "development", **environment})


async def test_it_is_mounted_in_starlette(tmp_path, database_url):
    inner = app_of(tmp_path, DATABASE_URL=database_url)

    async def hello(request):
        return PlainTextResponse("outer")

    outer = Starlette(routes=[Route("/hello", hello), Mount("/shop", inner)])
    await inner.start()
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(outer), base_url="http://test") as client:
            assert (await client.get("/hello")).text == "outer"
            made = await client.post("/shop/items", json={"name": "lamp"})
            assert made.status_code == 201
            assert made.headers["location"] == f"/shop/items/{made.json()['id']}"
            shown = await client.get(made.headers["location"])
            assert (shown.status_code, shown.json()["name"]) == (200, "lamp")
            assert (
                await client.get(f"/shop/items/{made.json()['id']}", headers={"if-none-match": shown.headers["etag"]})
            ).status_code == 304
            assert (await client.get("/shop/nothing")).json()["code"] == "not_found"
            assert (await client.get("/shop/health/live")).status_code == 200
            assert (await client.get("/shop/openapi.json")).json()["paths"].keys() == {"/items", "/items/{id}"}
            assert (await client.get("/items")).status_code == 404
    finally:
        await inner.stop()


async def test_the_lifespan_opens_and_closes_it(tmp_path, database_url):
    app = app_of(tmp_path, DATABASE_URL=database_url)
    sent, waiting = [], [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message["type"])

    await app({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_what_cannot_be_served_raises(tmp_path):
    with pytest.raises(InvalidProgram, match=r"app\.cai:1:"):
        app_of(tmp_path, "entity {")
    with pytest.raises(SettingError, match="CODEAI_PORT"):
        app_of(tmp_path, CODEAI_PORT="x")
    with pytest.raises(DatabaseUnavailable):
        app_of(tmp_path, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")


async def test_two_programs_live_in_one_process(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, two = app_of(tmp_path / "a"), app_of(tmp_path / "b", PROGRAM.replace("Item", "Thing").replace("items", "things"))
    for app in (one, two):
        await app.start()
    try:
        outer = Starlette(routes=[Mount("/one", one), Mount("/two", two)])
        async with httpx.AsyncClient(transport=httpx.ASGITransport(outer), base_url="http://test") as client:
            assert (await client.get("/one/items")).status_code == 200
            assert (await client.get("/two/things")).status_code == 200
            assert (await client.get("/two/items")).status_code == 404
    finally:
        for app in (one, two):
            await app.stop()
