"""Serves the documentation page and its files, and the page for models."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import msgspec

from codeai.http.application import Page
from codeai.http.messages import JSON, Header, Request, Response
from codeai.http.plans import conditional

_TYPES: Final = {"html": b"text/html; charset=utf-8", "js": b"text/javascript; charset=utf-8", "css": b"text/css; charset=utf-8"}
_POLICY: Final[Header] = (
    b"content-security-policy",
    (
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        b"img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
    ),
)


def _file(name: str, template: str) -> Page:
    body = (files("codeai.http.pages") / "static" / name).read_bytes()
    headers = ((b"content-type", _TYPES[name.rpartition(".")[2]]), (b"cache-control", b"no-cache"), _POLICY)

    async def answer(request: Request) -> Response:
        return conditional(request, Response(200, body, headers))

    return Page(template, answer)


def documentation(document: dict[str, Any]) -> dict[str, Page]:
    """The pages by path: the page, its files, and the OpenAPI document that they show."""
    encoded = msgspec.json.encode(document)

    async def openapi(request: Request) -> Response:
        body = encoded if not request.root else msgspec.json.encode({**document, "servers": [{"url": request.base}]})
        return conditional(request, Response(200, body, (JSON, (b"cache-control", b"no-cache"))))

    return {
        "/docs": _file("docs.html", "/docs"),
        "/docs/docs.js": _file("docs.js", "/docs/docs.js"),
        "/docs/docs.css": _file("docs.css", "/docs/docs.css"),
        "/openapi.json": Page("/openapi.json", openapi),
        "/llms.txt": _for_models(document["info"]),
    }


def _for_models(info: dict[str, Any]) -> Page:
    """What a model reads first (llmstxt.org): where the interface of this program is described, and the language it is written in."""
    language = (files("codeai.http.pages") / "static" / "llms.md").read_text(encoding="utf-8")
    about = f"# {info['title']}\n\n> A back end in CodeAI, version {info['version']}."
    headers = ((b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-cache"))

    async def answer(request: Request) -> Response:
        interface = f"Its interface: [OpenAPI]({request.base}/openapi.json), [as a page]({request.base}/docs)."
        return conditional(
            request, Response(200, f"{about} {interface} Below: the language of its program.\n\n{language}".encode(), headers)
        )

    return Page("/llms.txt", answer)


def landing(name: str, version: str) -> Page:
    """What stands at ``/`` when the program has nothing there: who answers, and where to read on."""

    async def answer(request: Request) -> Response:
        if b"text/html" in request.headers.get(b"accept", b""):
            return Response(303, b"", ((b"location", b"/docs"),))
        places = {"documentation": f"{request.base}/docs", "openapi": f"{request.base}/openapi.json"}
        return Response(200, msgspec.json.encode({"name": name, "version": version, **places}), (JSON,))

    return Page("/", answer)
