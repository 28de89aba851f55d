"""What a Python function of the program must look like, found out from its source text; nothing of it is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from codeai.model import expression as ir
from codeai.model.application import Application
from codeai.model.storing import parts

FOLDER = "activities"


class FunctionProblem(msgspec.Struct, frozen=True):
    """Something that keeps a function from being called; ``at`` is the place in the program.

    A module that is ``missing`` altogether may still come (older programs name activities of another host); the step fails until then.
    """

    message: str
    at: int
    missing: bool = False


class Wanted(msgspec.Struct, frozen=True):
    """A function that the program calls: by position (extern functions) or by name (activities)."""

    source: str
    at: int
    count: int | None = None
    names: tuple[str, ...] = ()


def wanted_functions(application: Application) -> list[Wanted]:
    """All Python functions that a program calls."""
    found = [Wanted(function.source, function.at, count=len(function.parameters)) for function in application.functions if function.source]
    for run in (*application.workflows, *application.jobs):
        found += [
            Wanted(part.source, part.at, names=tuple(entry.name for entry in part.values))
            for part in parts(run)
            if isinstance(part, ir.CallActivity) and "." in part.source  # else the checker has said so
        ]
    return found


def problems(application: Application, folder: Path) -> list[FunctionProblem]:
    """What is wrong with the Python functions of a program.

    :param folder: the folder of the program; its functions lie in ``activities/``
    """
    return [
        FunctionProblem(message, wanted.at, missing=message.startswith("there is no '"))
        for wanted in wanted_functions(application)
        for message in _problems(wanted, folder / FOLDER)
    ]


def _problems(wanted: Wanted, folder: Path) -> Iterator[str]:
    module, _, name = wanted.source.rpartition(".")
    path = folder.joinpath(*module.split(".")).with_suffix(".py")
    if not module or not all(part.isidentifier() for part in (*module.split("."), name)):
        yield f"'{wanted.source}' is not written module.function"
        return
    if not path.is_file():
        yield f"there is no '{FOLDER}/{path.relative_to(folder)}' for '{wanted.source}'"
        return
    try:
        tree = ast.parse(path.read_text("utf-8"), str(path))
    except (SyntaxError, UnicodeDecodeError, ValueError) as error:
        yield f"'{FOLDER}/{path.relative_to(folder)}' is no Python: {error}"
        return
    function = _function(tree.body, name)
    if function is None:
        yield f"'{FOLDER}/{path.relative_to(folder)}' has no function '{name}'"
    else:
        yield from _mismatch(wanted, function.args)


def _function(body: Sequence[ast.stmt], name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    found = [node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name]
    return found[-1] if found else None


def _mismatch(wanted: Wanted, signature: ast.arguments) -> Iterator[str]:
    positional = [argument.arg for argument in (*signature.posonlyargs, *signature.args)]
    required = positional[: len(positional) - len(signature.defaults)]
    if wanted.count is not None:
        if wanted.count < len(required) or (wanted.count > len(positional) and signature.vararg is None):
            yield f"'{wanted.source}' takes {len(positional)} arguments, the program gives {wanted.count}"
        return
    keywords = [argument.arg for argument in signature.kwonlyargs]
    needed = [*required, *(name for name, default in zip(keywords, signature.kw_defaults, strict=True) if default is None)]
    missing = [name for name in needed if name not in wanted.names]
    unknown = [name for name in wanted.names if name not in (*positional, *keywords)] if signature.kwarg is None else []
    if missing:
        yield f"'{wanted.source}' needs {', '.join(missing)}"
    if unknown:
        yield f"'{wanted.source}' takes no {', '.join(unknown)}"
