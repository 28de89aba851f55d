"""``/llms.txt``: what a model reads of a served program."""

import re
from pathlib import Path

from services.service import Service

ROOT = Path(__file__).parents[2]


def tokens(text: str) -> int:
    """More than what tokenizers make of a text: each sign is a token, words have one per 7 letters, numbers one per 3 digits."""
    pieces = re.findall(r"[A-Za-z]+|[0-9]{1,3}|[^\sA-Za-z0-9]|\n+", text)
    return sum(-(-len(piece) // 7) if piece.isalpha() else 1 for piece in pieces)


def test_the_whole_language_and_the_way_to_the_interface_fit_on_a_page_of_4000_tokens(plain: Service) -> None:
    found = plain.request("GET", "/llms.txt")
    assert (found.status, found.header("content-type")) == (200, "text/plain; charset=utf-8")
    text = found.body.decode()
    assert text.startswith("# surface\n\n> A back end in CodeAI")
    assert "/openapi.json" in text
    assert text.endswith((ROOT / "docs/llms/codeai.md").read_text())
    assert tokens(text) <= 4_000


def test_the_page_is_for_everybody_and_is_sent_once(plain: Service) -> None:
    found = plain.request("GET", "/llms.txt", headers={"Accept": "text/html"})
    assert found.status == 200
    again = plain.request("GET", "/llms.txt", headers={"If-None-Match": found.header("etag") or ""})
    assert (again.status, again.body) == (304, b"")
    assert plain.request("POST", "/llms.txt", {}).status == 405
