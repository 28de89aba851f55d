"""What a file and a workspace consist of: symbols in their order, stretches that fold, selections that grow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from lsprotocol import types as lsp

from codeai.language.tree import declarations as d
from codeai.language.tree import events as ev
from codeai.language.tree import integrations as i
from codeai.language.tree import workflows as w
from codeai.language.tree.node import Node, children
from codeai.lsp.checked import Checked
from codeai.lsp.names.declared import steps_of
from codeai.lsp.nodes import chain

_MOST: Final = 500  # symbols of a workspace that are named at a time
_KINDS: Final[dict[type, lsp.SymbolKind]] = {
    d.EntityDeclaration: lsp.SymbolKind.Class,
    d.TypeDeclaration: lsp.SymbolKind.Struct,
    d.EnumDeclaration: lsp.SymbolKind.Enum,
    d.FunctionDeclaration: lsp.SymbolKind.Function,
    d.EndpointDeclaration: lsp.SymbolKind.Method,
    d.ResourceDeclaration: lsp.SymbolKind.Interface,
    d.ConfigDeclaration: lsp.SymbolKind.Namespace,
    d.RoleDeclaration: lsp.SymbolKind.Key,
    d.AuthDeclaration: lsp.SymbolKind.Key,
    d.ImportDeclaration: lsp.SymbolKind.File,
    ev.EventDeclaration: lsp.SymbolKind.Event,
    ev.HandlerDeclaration: lsp.SymbolKind.Event,
    ev.WebhookDeclaration: lsp.SymbolKind.Event,
    i.IntegrationDeclaration: lsp.SymbolKind.Module,
    i.MiddlewareDeclaration: lsp.SymbolKind.Object,
    w.WorkflowDeclaration: lsp.SymbolKind.Function,
    w.JobDeclaration: lsp.SymbolKind.Function,
    d.FieldDeclaration: lsp.SymbolKind.Field,
    i.OperationClause: lsp.SymbolKind.Method,
    w.Step: lsp.SymbolKind.Method,
}


def document_symbols(checked: Checked, path: Path) -> list[lsp.DocumentSymbol]:
    """The declarations of a file, with fields, members, operations and steps beneath them."""
    module = checked.module(path)
    return [_symbol(one, checked) for one in module.declarations] if module is not None else []


def workspace_symbols(programs: Iterable[Checked], query: str, uri: Callable[[Path], str]) -> list[lsp.WorkspaceSymbol]:
    """The symbols of programs whose names have the letters of a query, in their order."""
    found: list[lsp.WorkspaceSymbol] = []
    seen: set[Path] = set()
    for checked in programs:
        for path in checked.lines:
            if path not in seen:
                found.extend(_matching(document_symbols(checked, path), query.lower(), uri(path), None))
            seen.add(path)
    return found[:_MOST]


def _matching(symbols: Iterable[lsp.DocumentSymbol], query: str, uri: str, owner: str | None) -> Iterator[lsp.WorkspaceSymbol]:
    for one in symbols:
        letters = iter(one.name.lower())
        if all(letter in letters for letter in query):
            yield lsp.WorkspaceSymbol(lsp.Location(uri, one.selection_range), one.name, one.kind, container_name=owner)
        yield from _matching(one.children or (), query, uri, one.name)


def _symbol(node: Node, checked: Checked) -> lsp.DocumentSymbol:
    name, at = _named(node, checked)
    range_, selection = checked.place(node.start, node.end)[1], checked.place(at.start, at.end)[1]
    kind = _KINDS.get(type(node), lsp.SymbolKind.Constant)
    inner = [_symbol(one, checked) for one in _inside(node)]
    return lsp.DocumentSymbol(name, kind, range_, selection, detail=_detail(node, checked), children=inner or None)


def _named(node: Node, checked: Checked) -> tuple[str, Node]:
    sources = checked.loaded.sources
    match node:
        case d.EndpointDeclaration(method=method, path=path):
            return f"{method.text.upper()} {sources.text(path.start, path.end)}", path
        case d.ResourceDeclaration(entity=entity, path=path):
            return f"resource {sources.text(path.start, path.end)}", entity
        case ev.HandlerDeclaration(event=event):
            return f"on {event.text}", event
        case d.TestDeclaration(name=title):
            return f'test "{title}"', Node(node.start, node.start + 4)
        case d.ImportDeclaration(pattern=pattern):
            return f'import "{pattern}"', node
    name = getattr(node, "name", None)
    if isinstance(name, Node):
        return sources.text(name.start, name.end) or "?", name
    head = sources.text(node.start, node.end).split("{")[0].strip()
    return head or "?", Node(node.start, node.start + len(head))


def _detail(node: Node, checked: Checked) -> str | None:
    if isinstance(node, d.FieldDeclaration):
        return checked.loaded.sources.text(node.type.start, node.type.end)
    return None


def _inside(node: Node) -> Iterator[Node]:
    match node:
        case d.EntityDeclaration(clauses=clauses):
            yield from (one for one in clauses if isinstance(one, d.FieldDeclaration))
        case d.TypeDeclaration(fields=fields):
            yield from fields
        case d.EnumDeclaration(members=members):
            yield from members
        case i.IntegrationDeclaration(clauses=clauses):
            yield from (one for one in clauses if isinstance(one, i.OperationClause))
        case w.WorkflowDeclaration(clauses=clauses) | w.JobDeclaration(clauses=clauses):
            yield from steps_of(clauses)
        case ev.EventDeclaration(clauses=clauses):
            yield from (field for one in clauses if isinstance(one, d.InputClause) for field in one.fields)


def folding(checked: Checked, path: Path) -> list[lsp.FoldingRange]:
    """Stretches of more than one line: declarations and what is in braces within them, comments, imports."""
    module, file = checked.module(path), checked.file(path)
    if module is None or file is None:
        return []
    lines = checked.lines[path]
    found: dict[int, lsp.FoldingRange] = {}
    waiting: list[Node] = list(module.declarations)
    while waiting:
        node = waiting.pop()
        first, last = (lines.position(at - file.base).line for at in (node.start, node.end))
        if last > first:  # what is on one line has nothing in it that folds
            known = found.get(first)
            found[first] = lsp.FoldingRange(first, max(last, known.end_line) if known is not None else last)
            waiting.extend(children(node))
    for first, last in _comments(file.text):
        found[first] = lsp.FoldingRange(first, last, kind=lsp.FoldingRangeKind.Comment)
    return [found[line] for line in sorted(found)]


def _comments(text: str) -> Iterator[tuple[int, int]]:
    """Lines of comments one below the other."""
    first: int | None = None
    lines = [*text.split("\n"), ""]
    for number, line in enumerate(lines):
        comment = line.lstrip().startswith(("//", "#"))
        if comment and first is None:
            first = number
        elif not comment and first is not None:
            if number - first > 1:
                yield first, number - 1
            first = None


def selections(checked: Checked, path: Path, offset: int) -> lsp.SelectionRange:
    """The stretches around an offset, each within the next."""
    module, file = checked.module(path), checked.file(path)
    lines = checked.lines.get(path)
    if module is None or file is None or lines is None:
        nowhere = lsp.Position(0, 0)
        return lsp.SelectionRange(lsp.Range(nowhere, nowhere))
    found = lsp.SelectionRange(lines.whole())
    for node in chain(module, offset):
        range_ = lines.range(node.start - file.base, node.end - file.base)
        if range_ != found.range:
            found = lsp.SelectionRange(range_, found)
    return found
