"""Semantic tokens: names by what they refer to, which no grammar of colours can know."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from lsprotocol import types as lsp

from codeai.language.tree import declarations as d
from codeai.language.tree import expressions as ex
from codeai.lsp.checked import Checked
from codeai.lsp.names.finding import Use
from codeai.lsp.nodes import walked

_T: Final = lsp.SemanticTokenTypes
TYPES: Final = (
    *(_T.Class, _T.Struct, _T.Enum, _T.EnumMember, _T.Property, _T.Variable, _T.Parameter, _T.Function, _T.Method),
    *(_T.Event, _T.Namespace, _T.Decorator),
)
MODIFIERS: Final = (lsp.SemanticTokenModifiers.Declaration, lsp.SemanticTokenModifiers.Readonly)
LEGEND: Final = lsp.SemanticTokensLegend([one.value for one in TYPES], [one.value for one in MODIFIERS])
_OF_KINDS: Final = {
    "entity": _T.Class,
    "type": _T.Struct,
    "enum": _T.Enum,
    "member": _T.EnumMember,
    "event": _T.Event,
    "function": _T.Function,
    "workflow": _T.Function,
    "job": _T.Function,
    "operation": _T.Method,
    "integration": _T.Namespace,
    "webhook": _T.Event,
    "middleware": _T.Decorator,
    "role": _T.EnumMember,
    "auth": _T.Decorator,
    "variable": _T.Variable,
    "parameter": _T.Parameter,
}


def tokens(checked: Checked, path: Path, stretch: tuple[int, int] | None = None) -> lsp.SemanticTokens:
    """The tokens of a file, or of a stretch of it."""
    file = checked.file(path)
    if file is None:
        return lsp.SemanticTokens([])
    low, high = stretch or (file.base, file.end)
    inside = [use for use in checked.uses if file.base <= use.start and use.end <= file.end and use.end >= low and use.start <= high]
    return lsp.SemanticTokens(_encoded(checked, path, file.base, inside, _parameters(checked)))


def _parameters(checked: Checked) -> set[int]:
    """Where variables are declared that are parameters."""
    if "parameters" not in checked.kept:
        nodes = (node for module in checked.loaded.modules for node in walked(module))
        found = {one.start for node in nodes if isinstance(node, ex.Lambda) for one in node.parameters}
        of_functions = (one for module in checked.loaded.modules for one in module.declarations if isinstance(one, d.FunctionDeclaration))
        checked.kept["parameters"] = found | {parameter.start for one in of_functions for parameter in one.parameters}
    parameters: set[int] = checked.kept["parameters"]
    return parameters


def _encoded(checked: Checked, path: Path, base: int, uses: Iterable[Use], parameters: set[int]) -> list[int]:
    """Five numbers each: lines and units from the token before, length, type, modifiers."""
    lines = checked.lines[path]
    found: list[int] = []
    line = column = until = 0
    for use in uses:
        range_ = lines.range(use.start - base, use.end - base)
        if use.start < until or range_.start.line != range_.end.line:
            continue
        until = use.end
        place = range_.start
        found += [place.line - line, place.character - column * (place.line == line), range_.end.character - place.character]
        found += [TYPES.index(_type(checked, use, parameters)), _modifiers(checked, use)]
        line, column = place.line, place.character
    return found


def _type(checked: Checked, use: Use, parameters: set[int]) -> lsp.SemanticTokenTypes:
    if use.key[0] == "variable":
        return _T.Parameter if use.key[1] in parameters else _T.Variable
    return _OF_KINDS.get(checked.declared[use.key].kind, _T.Property)


def _modifiers(checked: Checked, use: Use) -> int:
    if use.key[0] == "variable":
        variable = checked.variables.get(int(use.key[1]))
        constant = variable is not None and not variable.mutable
        return (use.start == use.key[1]) * 1 + constant * 2
    return int(checked.declared[use.key].name.start == use.start)
