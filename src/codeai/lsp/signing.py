"""What a call takes, while its arguments are being written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from lsprotocol import types as lsp

from codeai.analysis.builtins import BUILTINS, usage
from codeai.analysis.payloads import wire_name
from codeai.analysis.symbols import Symbols
from codeai.analysis.types import client_writes
from codeai.language import types as t
from codeai.language.parser import parse_module
from codeai.language.source import SourceFile
from codeai.language.tree import expressions as ex
from codeai.language.tree import queries as q
from codeai.language.tree import statements as st
from codeai.language.tree.node import Node
from codeai.language.written import written
from codeai.lsp.completion.asking import MARK
from codeai.lsp.completion.excerpt import around
from codeai.lsp.nodes import chain
from codeai.lsp.words import meaning

_CLOSING: Final = ("", ")", " }", ": 1 }", "))")  # what may be missing behind the cursor


def signature(text: str, offset: int, symbols: Symbols) -> lsp.SignatureHelp | None:
    """The signature of the innermost call around an offset, with the argument that is being written.

    :param text: the text of the file as it is now
    :param symbols: what the program declares, which may be that of a moment ago
    """
    excerpt = around(text, offset)
    at = offset - excerpt.start
    for closing in _CLOSING:
        marked = SourceFile("", f"{excerpt.text[:at]}{MARK}{closing}{excerpt.text[at:]}")
        nodes = chain(parse_module(marked).module, at + 1)
        for node in reversed(nodes):
            found = _of(node, at, symbols)
            if found is not None:
                return found
    return None


def _of(node: Node, at: int, symbols: Symbols) -> lsp.SignatureHelp | None:
    if isinstance(node, ex.Call) and _behind_callee(node, at):
        return _of_call(node, at, symbols)
    if isinstance(node, q.CreateRow) and node.entity.end < at and node.entity.text in symbols.entities:
        fields = symbols.entities[node.entity.text].fields.values()
        taken = [(one.name, t.optional(one.type) if one.nullable else one.type) for one in fields if client_writes(one)]
        return _record(f"create {node.entity.text}", taken, _entry(node.values, at))
    if isinstance(node, st.Emit) and node.event.end < at:
        event = symbols.events.get(wire_name(node.event.text))
        entries = node.payload.entries if isinstance(node.payload, ex.MapLiteral) else ()
        return _record(f"emit {event.name}", _members(event.payload), _entry(entries, at)) if event is not None else None
    if isinstance(node, q.Start) and node.target.end < at:
        run = symbols.workflows.get(node.target.text) or symbols.jobs.get(node.target.text)
        return _record(f"{node.kind} {run.name}", _members(run.input), _entry(node.values, at)) if run is not None else None
    if isinstance(node, q.CallOperation) and node.operation.end < at and len(node.operation.parts) == 2:
        integration = symbols.integrations.get(node.operation.parts[0].text)
        operation = integration.operations.get(node.operation.parts[1].text) if integration is not None else None
        if operation is not None:
            return _record(f"call {node.operation.text}", _members(operation.arguments), _entry(node.values, at), written(operation.result))
    return None


def _behind_callee(node: ex.Call, at: int) -> bool:
    return node.callee.end < at + 1 and node.callee.end <= at


def _of_call(node: ex.Call, at: int, symbols: Symbols) -> lsp.SignatureHelp | None:
    method = isinstance(node.callee, ex.Member)
    name = node.callee.name.text if isinstance(node.callee, ex.Member) else node.callee.text if isinstance(node.callee, ex.Name) else ""
    active = sum(argument.end <= at for argument in node.arguments)
    function = symbols.functions.get(name) if not method else None
    if function is not None:
        parts = [f"{one}: {written(type_)}" for one, type_ in function.parameters]
        return _help(f"{name}(", parts, f") -> {written(function.result)}", active, function.declaration.description)
    if name not in BUILTINS:
        return None
    parts = usage(name)[len(name) + 1 : -1].split(", ") if BUILTINS[name].kinds else []
    return _help(f"{name}(", parts, ")", active + method, meaning("function", name))


def _members(record: t.Type) -> list[tuple[str, t.Type]]:
    return [(one.name, one.type) for one in record.fields] if isinstance(record, t.Record) else []


def _entry(entries: Iterable[ex.MapEntry], at: int) -> str:
    """The key of the entry that is being written."""
    return next((entry.key.text for entry in entries if entry.start <= at <= entry.end), "")


def _record(head: str, taken: Sequence[tuple[str, t.Type]], key: str, result: str = "") -> lsp.SignatureHelp:
    parts = [f"{name}: {written(type_)}" for name, type_ in taken]
    active = next((at for at, (name, _) in enumerate(taken) if name == key), len(parts))
    return _help(f"{head} {{ ", parts, f" }} -> {result}" if result else " }", active, "")


def _help(head: str, parts: Sequence[str], tail: str, active: int, text: str) -> lsp.SignatureHelp:
    parameters = [lsp.ParameterInformation(part) for part in parts]
    said = lsp.MarkupContent(lsp.MarkupKind.Markdown, text) if text else None
    shown = lsp.SignatureInformation(f"{head}{', '.join(parts)}{tail}", said, parameters, active)
    return lsp.SignatureHelp([shown], 0, active)
