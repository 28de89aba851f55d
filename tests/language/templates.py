"""What the compiler may say: the texts of the findings in its source, as patterns with the codes that they are reported under.

Read from the source itself (``ast``): each call that reports something, with the texts that it is given, also where they stand in
a variable or a table of the module. A part that is known only when it runs matches anything.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).parents[2] / "src/codeai"
ROOMS = ("analysis", "language/parser", "language/spellings")
FILES = (*(file for room in ROOMS for file in sorted((SOURCE / room).rglob("*.py"))), SOURCE / "language/lexer.py")
REPORTING = {
    *("error", "warning", "absent", "unknown"),  # of the analysis
    *("report", "fail", "fail_expected", "expect", "warn", "older", "unsupported", "_report"),  # of the parser and the lexer
}
ANYTHING = r"[^\n]*?"
CODE = re.compile(r"CAI\d{4}")


class Template(NamedTuple):
    """``pattern`` matches the text, or a part of it, wherever it is shown; ``code`` is empty where the call does not say it."""

    place: str
    code: str
    pattern: str


def templates() -> Iterator[Template]:
    for file in FILES:
        tree = ast.parse(file.read_text())
        tables = _assigned(tree.body)
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                yield from _of_function(function, tables, str(file.relative_to(SOURCE)))


def _of_function(function: ast.FunctionDef, tables: dict[str, list[ast.expr]], file: str) -> Iterator[Template]:
    known = tables | _assigned(ast.walk(function))
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or _name(node.func) not in REPORTING:
            continue
        values = [*node.args, *(word.value for word in node.keywords if word.arg in ("help_text", "note", "otherwise"))]
        code = next((text for value in values for text in _patterns(value, known) if CODE.fullmatch(text)), "")
        for value in values:
            several = isinstance(value, ast.Name) and len(known.get(value.id, ())) > 1  # some of them under another code
            for text in _patterns(value, known):
                if text != code and len(re.sub(r"\W", "", text.replace(ANYTHING, ""))) > 3:  # more than a sign or an article
                    yield Template(f"{file}:{node.lineno}", "" if several else code, text)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""


def _assigned(nodes: Iterator[ast.AST] | list[ast.stmt]) -> dict[str, list[ast.expr]]:
    """The values that names are given, each name with all of its values."""
    found: dict[str, list[ast.expr]] = {}
    for node in nodes:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        value = getattr(node, "value", None)
        for target in targets:
            pairs = [(target, value)]
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
                pairs = list(zip(target.elts, value.elts, strict=True))
            for one, given in pairs:
                if isinstance(one, ast.Name) and given is not None:
                    found.setdefault(one.id, []).append(given)
    return found


def _patterns(node: ast.expr, known: dict[str, list[ast.expr]], depth: int = 0) -> Iterator[str]:
    """The texts that an expression may give."""
    if depth > 4:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield re.escape(node.value)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(re.escape(part.value) if isinstance(part, ast.Constant) else ANYTHING for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from _patterns(node.body, known, depth)
        yield from _patterns(node.orelse, known, depth)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _patterns(value, known, depth)
    elif isinstance(node, ast.Name):
        for value in known.get(node.id, ()):
            yield from _patterns(value, known, depth + 1)
    else:
        yield from _of_table(node, known, depth)


def _of_table(node: ast.expr, known: dict[str, list[ast.expr]], depth: int) -> Iterator[str]:
    """``TABLE[key]`` and ``TABLE.get(key)`` may give each value of the table."""
    if isinstance(node, ast.Call) and _name(node.func) == "get" and isinstance(node.func, ast.Attribute):
        table: ast.expr | None = node.func.value
    else:
        table = node.value if isinstance(node, ast.Subscript) else None
    if not isinstance(table, ast.Name):
        return
    for value in known.get(table.id, ()):
        for entry in value.values if isinstance(value, ast.Dict) else ():
            yield from _patterns(entry, known, depth + 1)
