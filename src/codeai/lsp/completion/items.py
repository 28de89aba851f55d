"""Candidates as editors show them: with their kind, type and meaning, and with a snippet where more must follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from lsprotocol import types as lsp

from codeai.analysis.builtins import BUILTINS, usage
from codeai.lsp.words import meaning

_Kind = lsp.CompletionItemKind
_DECLARATIONS: Final = {
    "import": 'import "$1"',
    "config": 'config {\n    name: "${1:name}"\n    $0\n}',
    "entity": "entity ${1:Name} {\n    id: uuid, primary, auto\n    $0\n}",
    "type": "type ${1:Name} {\n    $0\n}",
    "enum": "enum ${1:Name} { $0 }",
    "resource": "resource ${1:Entity} at /${2:path} {\n    auth: ${3:required}\n    $0\n}",
    "endpoint": "endpoint ${1|GET,POST,PUT,PATCH,DELETE|} /${2:path} {\n    auth: ${3:required}\n    do {\n        $0\n    }\n}",
    "function": "function ${1:name}($2) -> ${3:int} {\n    $0\n}",
    "extern": 'extern function ${1:name}($2) -> ${3:json} from "${4:module.function}"',
    "auth": "auth ${1:name} {\n    method: ${2|jwt,api_key,basic,oauth2|}\n    $0\n}",
    "role": 'role ${1:name} { permissions: ["$0"] }',
    "seed": "seed {\n    $0\n}",
    "test": 'test "${1:what holds}" {\n    $0\n}',
    "event": "event ${1:Name} {\n    payload { $0 }\n}",
    "on": "on ${1:Event} {\n    $0\n}",
    "webhook": 'webhook ${1:name} {\n    event: ${2:Event}\n    url: "$3"\n    $0\n}',
    "integration": 'integration ${1:Name} {\n    type: rest\n    base_url: "$2"\n    $0\n}',
    "workflow": "workflow ${1:Name} {\n    trigger: ${2:manual}\n    steps {\n        $0\n    }\n}",
    "job": "job ${1:Name} {\n    schedule: ${2:every 1h}\n    do {\n        $0\n    }\n}",
    "middleware": "middleware ${1:name} {\n    type: $0\n}",
}
_BLOCKS: Final = frozenset(
    (
        *(
            "body",
            "path",
            "query",
            "header",
            "cookie",
            "payload",
            "input",
            "do",
            "steps",
            "filter",
            "validate",
            "headers",
            "circuit_breaker",
        ),
        *("variables", "compensate", "list", "get", "create", "update", "delete"),
    )
)
_NAMED: Final = {"operation": "operation ${1:name} {\n    $0\n}", "allow": "allow ${1:read}: $0", "hide": "hide ${1:field} unless $0"}
_TAKING: Final = ("default", "min", "max", "min_length", "max_length", "length", "pattern", "on_delete", "rename_from")
_TYPES: Final = ("list", "map", "enum", "ref", "many", "paginated", "decimal", "string")


class Candidate(msgspec.Struct, frozen=True):
    """What could stand there. ``snippet`` is what is put there where that is more than the word; ``first`` ones come before others."""

    label: str
    kind: lsp.CompletionItemKind
    detail: str = ""
    text: str = ""
    snippet: str = ""
    first: int = 5


def words(kind: str, names: Iterable[str], first: int = 5) -> Iterator[Candidate]:
    """Words of the language."""
    for name in names:
        yield Candidate(name, _Kind.Keyword, text=meaning(kind, name), snippet=_snippet(kind, name), first=first)


def _snippet(kind: str, name: str) -> str:
    if kind == "declaration":
        return _DECLARATIONS.get(name, "")
    if kind == "clause":
        return _NAMED.get(name) or (f"{name} {{ $0 }}" if name in _BLOCKS else f"{name}: $0")
    if kind == "modifier":
        return f"{name}($0)" if name in _TAKING else ""
    if kind == "type":
        return f"{name}($0)" if name in _TYPES and name not in ("string", "decimal") else ""
    return ""


def functions(names: Iterable[str], *, method: bool = False, first: int = 6) -> Iterator[Candidate]:
    """Built-in functions, behind a dot without what stands before it."""
    for name in names:
        alone = len(BUILTINS[name].kinds) <= method
        text = meaning("function", name)
        yield Candidate(name, _Kind.Method if method else _Kind.Function, usage(name), text, f"{name}()" if alone else f"{name}($0)", first)


def item(candidate: Candidate, place: lsp.Range, *, snippets: bool) -> lsp.CompletionItem:
    """A candidate in the form of the protocol.

    :param place: the word in whose place it comes
    :param snippets: whether the editor knows snippets
    """
    snippet = candidate.snippet if snippets else ""
    return lsp.CompletionItem(
        label=candidate.label,
        kind=candidate.kind,
        detail=candidate.detail or None,
        documentation=lsp.MarkupContent(lsp.MarkupKind.Markdown, candidate.text) if candidate.text else None,
        sort_text=f"{candidate.first}{candidate.label}",
        filter_text=candidate.label,
        insert_text_format=lsp.InsertTextFormat.Snippet if snippet else lsp.InsertTextFormat.PlainText,
        text_edit=lsp.TextEdit(place, snippet or candidate.label),
    )
