"""The page of documentation in a real browser: complete, offline, and silent to the rest of the world."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

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


@pytest.fixture
def page():
    chromium = shutil.which("chromium")
    assert chromium, "Chromium is missing: run scripts/install-services"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser.new_page()
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
    assert page.text_content("#title") == "bookshop"
    assert page.locator("#index a").count() == len(operations) >= 20
    shown = page.inner_text("#operations")
    assert all(path in shown for path, _ in operations)
    page.fill("#search", "refund-that-is-not-there")
    assert page.locator("#index a:visible").count() == 0
    page.fill("#search", "authors")
    assert 0 < page.locator("#index a:visible").count() < len(operations)
    assert said == []
    assert asked and all(url.startswith((server.base_url, "data:")) for url in asked)
