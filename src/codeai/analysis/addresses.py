"""Addresses that the program calls, as far as they stand in its text."""

from __future__ import annotations

from urllib.parse import urlsplit

from codeai.language.tree import expressions as ex
from codeai.language.tree.node import Node

_AS = "as in 'https://api.example.com/v1'"
Problem = tuple[str, str]


def written_address(node: ex.Expression) -> tuple[Node, str] | None:
    """The text of an address with its place, also where it is what ``env(NAME, "…")`` gives else; None for what is known later."""
    if isinstance(node, ex.StringLiteral):
        return node, node.value
    if isinstance(node, ex.Call) and isinstance(node.callee, ex.Name) and node.callee.text == "env" and len(node.arguments) == 2:
        default = node.arguments[1].value
        return (default, default.value) if isinstance(default, ex.StringLiteral) else None
    return None


def address_problem(text: str, *, base: bool = False) -> Problem | None:
    """What is wrong with an address, and what to write instead; None when it can be called.

    :param base: paths are put behind it, so that it has no query
    """
    if any(character.isspace() or character < " " for character in text):
        return f"'{text}' is no URL: it has spaces", _AS
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        return f"'{text}' is no URL: {str(error).lower()}", _AS
    if not parts.scheme or not text.startswith(f"{parts.scheme}:"):
        return f"'{text}' is no absolute URL", _AS if text.startswith("/") or not text else f"did you mean 'https://{text}'?"
    if parts.scheme not in ("http", "https"):
        return f"'{parts.scheme}' is no protocol that is called", "write https://"
    if not parts.hostname or port == 0:
        return f"'{text}' names no host", _AS
    if parts.username is not None or parts.password is not None:
        return "an address holds no user or password", "write them with 'auth: basic(env(USER), secret(PASSWORD))', or in a header"
    if parts.fragment or (base and parts.query):
        return f"'{text}' ends with a {'fragment' if parts.fragment else 'query'}", "write what comes before it"
    return None
