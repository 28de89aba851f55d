"""The page of documentation in a real browser: complete, offline, and silent to the rest of the world."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect, sync_playwright
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from codeai.asgi import create_app

ROOT = Path(__file__).parents[2]
# A browser that calls nobody by itself.
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-first-run",
    "--no-pings",
    "--metrics-recording-only",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
]
PATIENCE = 90_000  # milliseconds


@pytest.fixture
def page():
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is missing: run scripts/install-services"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS, timeout=PATIENCE)
        found = browser.new_page()
        found.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield found
        browser.close()


def test_it_shows_every_operation_and_calls_nobody_else(start_server, page, tmp_path):
    program = ROOT / "examples" / "bookshop"
    server = start_server(program, env={"DATABASE_URL": f"sqlite:///{tmp_path}/docs.db"})
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))

    page.goto(server.base_url + "/docs")
    page.wait_for_selector("#index a")

    document = page.evaluate("fetch('/openapi.json').then(answer => answer.json())")
    operations = [(path, method) for path, methods in document["paths"].items() for method in methods]
    assert len(operations) >= 20
    expect(page.locator("#index a")).to_have_count(len(operations))
    assert page.text_content("#title") == "bookshop"
    shown = page.inner_text("#operations")
    assert all(path in shown for path, _ in operations)
    page.fill("#search", "refund-that-is-not-there")
    expect(page.locator("#index a:visible")).to_have_count(0)
    page.fill("#search", "authors")
    expect(page.locator("#index a:visible")).to_have_count(sum("authors" in path for path, _ in operations))
    assert said == []
    assert asked and all(url.startswith((server.base_url, "data:")) for url in asked)


def test_mounted_in_another_program_it_stays_under_its_path(page, tmp_path):
    (tmp_path / "app.cai").write_text("entity Item { id: uuid, primary, auto }\nresource Item at /items { auth: public }\n")
    back_end = create_app(tmp_path / "app.cai", {"CODEAI_ENV": "development"})
    asked, said = [], []
    with TestClient(Starlette(routes=[Mount("/my shop", app=back_end)], lifespan=back_end.lifespan)) as client:

        def answered(route: Route) -> None:
            asked.append(route.request.url.removeprefix("http://mounted"))
            found = client.get(asked[-1])
            route.fulfill(status=found.status_code, headers=dict(found.headers), body=found.content)

        page.route("http://mounted/**", answered)
        page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
        page.goto("http://mounted/my%20shop/docs")
        page.wait_for_selector("#index a")
        article = page.locator("article", has_text="GET").filter(has_text="/items").first
        article.locator("summary").click()
        article.locator("button").click()
        expect(article.locator("pre:not([hidden])").first).to_have_text(re.compile("^200"))
        assert client.get("/my%20shop/openapi.json").json()["servers"] == [{"url": "/my%20shop"}]
        assert client.get("/my%20shop/").json()["documentation"] == "/my%20shop/docs"
        assert "](/my%20shop/openapi.json)" in client.get("/my%20shop/llms.txt").text
    assert asked and all(path.startswith("/my%20shop/") for path in asked)
    assert said == []
